"""The images of a run's training and validation parts, stored with its checkpoints."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool

from cosegnet_jax.config import Config
from cosegnet_jax.data import thumbnails
from cosegnet_jax.data.examples import Examples
from cosegnet_jax.runtime.errors import UserError


class TrainedOn(NamedTuple):
    """The images of a run: it resumes with the same ones, and is not scored on them.

    Thumbnails (`data.thumbnails`) identify photos, whatever their folder or data set is called.
    """

    name: str
    filenames: list[str]
    trained: list[str]  # thumbnails of the training part
    validated: list[str]  # and of the validation part, which chooses the best checkpoint
    before: str = ''  # the set that the network was trained on before this run

    @classmethod
    def of(cls, training: Examples, validation: Examples, config: Config) -> TrainedOn:
        """List the images of a run with `config`."""
        trained, validated = (
            thumbnails.to_text(thumbnails.thumbnails(part)) for part in (training, validation)
        )
        return cls(config.data.name, list(training.filenames), trained, validated)

    def after(self, dataset: str, photos: Sequence[str]) -> TrainedOn:
        """The same of a run that starts from a network trained on `photos` (thumbnails) of `dataset`."""
        return self._replace(trained=[*self.trained, *photos], before=dataset)

    def check_same(self, now: TrainedOn, workdir: Path) -> None:
        """Refuse to resume with other images than the run started with.

        Raises:
            UserError: Naming one that differs.
        """
        if (self.name, self.filenames) != (now.name, now.filenames):
            differing = sorted(set(self.filenames) ^ set(now.filenames)) or ['their order']
            raise UserError(
                f'{workdir} holds a run on {len(self.filenames)} images of {self.name}, now there are '
                f'{len(now.filenames)} ({differing[0]} differs): give another --workdir, or the old data'
            )

    def check_unseen(self, examples: Examples, config: Config) -> int:
        """Refuse to score a network on photos that it was trained on, unless the training part is asked for.

        Returns:
            How many of the photos are in the training or validation part of the run.

        Raises:
            UserError: Naming a photo.
        """
        part = config.evaluation.part
        if examples.name == self.before != self.name and part != 'train':
            raise UserError(
                f'{examples.name}: the run began with a network that was trained on photos of this set, '
                f'which may be among those of its {part} part: score the run on another set'
            )
        scored = thumbnails.thumbnails(examples)
        trained, validated = (_are_among(scored, known) for known in (self.trained, self.validated))
        if trained.any() and part != 'train':
            name = min(np.array(examples.filenames)[trained])
            raise UserError(
                f'{name} is one of {trained.sum()} photos of the {part} part of {examples.name} that the run '
                f'was trained on: score the test part of its own split, with config.seed, config.data.split '
                f'and config.data.split_file as they were, or photos that are not in {self.name}'
            )
        return int((trained | validated).sum())


def _are_among(scored: np.ndarray, known: list[str]) -> Bool[np.ndarray, ' n']:
    return np.asarray(thumbnails.look_alike(scored, thumbnails.from_text(known)).any(1))
