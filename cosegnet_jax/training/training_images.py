"""The images that a run trains on, kept with its checkpoints."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from cosegnet_jax.config import Config
from cosegnet_jax.data.examples import Examples
from cosegnet_jax.runtime.errors import UserError


class TrainedOn(NamedTuple):
    """What a run has seen, so that it goes on with the same and is not scored on it."""

    name: str
    root: str
    filenames: list[str]

    @classmethod
    def of(cls, training: Examples, config: Config) -> TrainedOn:
        """The training part of a run with `config`."""
        return cls(config.data.name, config.data.root, list(training.filenames))

    def check_same(self, now: TrainedOn, workdir: Path) -> None:
        """Refuses to go on with other images than the run began with.

        Raises:
            UserError: Naming one that differs.
        """
        if self != now:
            differing = sorted(set(self.filenames) ^ set(now.filenames)) or ['their order']
            raise UserError(
                f'{workdir} holds a run on {len(self.filenames)} images of {self.name}, now there are '
                f'{len(now.filenames)} ({differing[0]} differs): give another --workdir, or the old data'
            )

    def check_unseen(self, examples: Examples, config: Config) -> None:
        """Refuses to score a part of a run's own data set that holds what it was trained on.

        Raises:
            UserError: Naming an image.
        """
        seen = set(self.filenames) & set(examples.filenames)
        same_set = (self.name, self.root) == (config.data.name, config.data.root)
        if seen and same_set and config.evaluation.part not in ('all', 'train'):
            raise UserError(
                f'{min(seen)} is one of {len(seen)} images to be scored that the run was trained on: set '
                f'config.seed, config.data.split and config.data.split_file as they were'
            )
