"""Finished runs, read from the files of their evaluations."""

from __future__ import annotations

import dataclasses
import functools
import json
import operator
import shlex
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from cosegnet_jax.config import Config, all_keys, restore
from cosegnet_jax.evaluation.published_protocols import SCORES
from cosegnet_jax.runtime.errors import UserError
from cosegnet_jax.training.run_files import WITHOUT_EFFECT

MODELS = {
    'cosegnet': 'CoSegNet',
    'pyramid': 'CoSegNet-pyramid',
    'base': 'CoSegNet-base',
    'deep_object_coseg': 'DOCS',
    'attention': 'Semantic-aware attention',
}
# Keys in which runs of one recipe differ: the network, the split and the seed.
_MODEL_KEYS = ('config.model.name', 'config.model.tap')
_SPLIT_KEYS = ('config.seed', 'config.data.split')
# Entries of a document that tables read, besides the config.
_NEEDED = (
    'dataset', 'split', 'step', *SCORES, 'per_class',
    'decision.balanced_accuracy', 'decision.auc', 'decision.null_mask_rate', 'protocol.name',
    'protocol.decided_by', 'training.dataset', 'training.config', 'training.scored_photos_seen',
)  # fmt: skip

_KEPT = 'eval/*-*-*.json'  # evaluations of a run, named by `results.result_name`

Recipe = tuple[tuple[str, Any], ...]  # keys and values


@dataclasses.dataclass(frozen=True, eq=False)
class Evaluated:
    """One evaluation of a run: on one part of one data set, under one protocol."""

    workdir: Path
    file: Path
    document: dict[str, Any]  # as `results.to_json` made it

    @property
    def drawn_from(self) -> Path:
        """File of `figure_data.save`, from which figures are drawn; it is large and may be missing."""
        return self.file.with_suffix('.npz')

    @functools.cached_property
    def config(self) -> Config:
        """Config of the training."""
        return restore(self.document['training']['config'])

    @property
    def model(self) -> str:
        """The network, a key of `MODELS`."""
        return self.config.model.name

    @property
    def tap(self) -> str:
        """The layer that feeds the metric network; '' for networks without one."""
        return self.config.model.tap if self.model == 'cosegnet' else ''

    @property
    def model_flags(self) -> str:
        """Flags that name the network."""
        keys = _MODEL_KEYS if self.tap else _MODEL_KEYS[:1]
        return ' '.join(f'--{key}={_value(self.config, key)}' for key in keys)

    @property
    def dataset(self) -> str:
        """The data set of the evaluation."""
        return self.document['dataset']

    @property
    def part(self) -> str:
        """Part of the data set: 'test', 'validation', 'train' or 'all'."""
        return self.document['split']

    @property
    def protocol(self) -> str:
        """Name of the protocol, a key of `published_protocols.PRESETS`."""
        return self.document['protocol']['name']

    @property
    def trained_on(self) -> str:
        """The data set of the training."""
        return self.document['training']['dataset']

    @property
    def seen(self) -> int | None:
        """How many of the scored photos trained the network or chose its checkpoint; None: not known."""
        return self.document['training']['scored_photos_seen']

    @property
    def is_unseen(self) -> bool:
        """Whether no scored photo was in the training or validation part."""
        return self.seen == 0

    @property
    def split(self) -> int:
        """Number of the split that it was trained on."""
        return self.config.data.split

    @property
    def seed(self) -> int:
        """Seed of the splits and everything random."""
        return self.config.seed

    @property
    def recipe(self) -> Recipe:
        """Keys of the training, without network and split."""
        return _recipe(self.config)


def find(folders: Iterable[Path]) -> list[Evaluated]:
    """Read every `eval/<dataset>-<part>-<protocol>.json` at or below some folders, sorted by path.

    Raises:
        UserError: A folder does not exist or holds no evaluated run, or a file is damaged or of another
            version.
    """
    found = {}
    for folder in folders:
        if not folder.is_dir():
            raise UserError(f'{folder}: no such folder; name folders that hold evaluated runs')
        files = list(folder.glob(f'**/{_KEPT}'))
        if not files:
            raise UserError(f'{folder}: no evaluated run in it; evaluate one first, with cosegnet eval')
        found |= {file.resolve(): file for file in files}  # a folder may be named inside another
    return [read(file) for file in sorted(found.values())]


def of_run(workdir: Path) -> list[Evaluated]:
    """Read the evaluations of one run, of whatever steps; there may be none.

    Raises:
        UserError: A file is damaged or of another version.
    """
    return [read(file) for file in sorted(workdir.glob(_KEPT))]


def flags(recipe: Recipe) -> str:
    """Return flags that turn the default config into that of `recipe`."""
    default = dict(_values(Config(), all_keys()))
    return ' '.join(f'--{key}={shlex.quote(str(value))}' for key, value in recipe if value != default[key])


def command(config: Config) -> str:
    """Return the command that trains a run again."""
    return f'cosegnet train --config=default --workdir=DIR {flags(_values(config, all_keys()))}'.rstrip()


def _recipe(config: Config) -> Recipe:
    apart = (*_MODEL_KEYS, *_SPLIT_KEYS)
    return _values(
        config, (key for key in all_keys() if key not in apart and not key.startswith(WITHOUT_EFFECT))
    )


def _values(config: Config, keys: Iterable[str]) -> Recipe:
    return tuple((key, _value(config, key)) for key in keys)


def _value(config: Config, key: str) -> Any:
    return operator.attrgetter(key.removeprefix('config.'))(config)


def read(file: Path) -> Evaluated:
    """Read one file of an evaluation.

    Raises:
        UserError: It is damaged or of another version.
    """
    try:
        document = json.loads(file.read_text(encoding='utf-8'))
    except ValueError as error:
        raise UserError(f'{file}: not valid JSON; evaluate this run again, with cosegnet eval') from error
    for path in _NEEDED:
        try:
            functools.reduce(operator.getitem, path.split('.'), document)
        except (KeyError, TypeError) as error:
            raise UserError(
                f'{file}: holds no {path}; evaluate this run again, with cosegnet eval'
            ) from error
    run = Evaluated(file.parent.parent, file, document)
    try:
        run.recipe  # noqa: B018 - reads the config
    except UserError as error:
        raise UserError(f'{file}: trained by another version of this program ({error})') from error
    return run
