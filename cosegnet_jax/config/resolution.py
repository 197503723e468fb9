"""A config as frozen dataclasses: wrong keys, types and values are refused."""

from __future__ import annotations

import dataclasses
import math
import operator
import typing
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from ml_collections import ConfigDict

from cosegnet_jax.config.key_names import check_key, fields
from cosegnet_jax.config.keys import AtLeast, Below, Config, OnThisMachine, ReadWith, UnreadWith
from cosegnet_jax.runtime.errors import UserError
from cosegnet_jax.runtime.places import local_path


def restore(raw: Mapping[str, Any]) -> Config:
    """Return the typed and frozen form of a config that was stored after `resolve` accepted it.

    Raises:
        UserError: A key that does not exist (with the nearest one), or a value of a wrong type or range.
    """
    return _resolve(Config, raw, 'config')


def resolve(raw: ConfigDict | Mapping[str, Any]) -> Config:
    """Return the checked, typed and frozen form of `raw`.

    Raises:
        UserError: As of `restore`; or values contradict each other, or nothing reads them.
    """
    config = restore(raw.to_dict() if isinstance(raw, ConfigDict) else raw)
    for key, side in (('image_size', config.image_size), ('evaluation.image_size', config.scored_size)):
        if side % 32:  # five poolings halve it
            below = max(32, side // 32 * 32)
            raise UserError(
                f'config.{key}={side}: must be a multiple of 32, for example {below} or {below + 32}'
            )
    if config.train.heads_steps and config.train.stop_after_evals:
        raise UserError(
            f'config.train.heads_steps={config.train.heads_steps}: they follow the last step, which '
            f'config.train.stop_after_evals={config.train.stop_after_evals} may leave out; set either to 0'
        )
    if config.model.encoder != 'vgg16' and config.model.feature_scale != 1:
        raise UserError(
            f'config.model.feature_scale={config.model.feature_scale:g}: is for VGG16; leave it at 1'
        )
    if config.train.heads_steps and config.optimizer.average:
        raise UserError(
            f'config.train.heads_steps={config.train.heads_steps}: trains the last weights, and '
            f'config.optimizer.average={config.optimizer.average:g} keeps their average; set either to 0'
        )
    if config.train.views and config.optimizer.frozen_blocks < 2:
        raise UserError(
            f'config.train.views={config.train.views}: keeps what frozen blocks make of images; '
            f'set config.optimizer.frozen_blocks to 2 or more'
        )
    if config.optimizer.warmup_steps > config.train.steps:
        raise UserError(
            f'config.optimizer.warmup_steps={config.optimizer.warmup_steps}: the run has '
            f'config.train.steps={config.train.steps} and would end before the rate is reached; lower it'
        )
    if config.model.width != 1 and config.model.weights != 'none':
        raise UserError(
            f'config.model.weights={config.model.weights}: published weights fit config.model.width=1, not '
            f'{config.model.width:g}; use config.model.weights=none'
        )
    if config.model.name not in ('cosegnet', 'pyramid') and config.data.sampler != 'triplets':
        raise UserError(
            f'config.data.sampler={config.data.sampler}: {config.model.name} looks at every pair anew, so it '
            f'trains on triplets; set config.data.sampler=triplets'
        )
    _refuse_unread(config)
    return config


def _refuse_unread(config: Config) -> None:
    """Refuse a value that nothing reads, by the annotations of its field."""
    defaults = Config()
    for key, hint in fields(Config):
        value = _value(config, key)
        if value == _value(defaults, key):
            continue
        for reader in getattr(hint, '__metadata__', ()):
            if not isinstance(reader, ReadWith | UnreadWith):
                continue
            other = _value(config, reader.key)
            if (other in reader.values) != isinstance(reader, ReadWith):
                raise UserError(
                    f'config.{key}={value}: nothing reads it with config.{reader.key}={other}; '
                    f'leave it at {_value(defaults, key)}'
                )


def _value(config: Config, key: str) -> Any:
    return operator.attrgetter(key)(config)


def _resolve(kind: Any, raw: Mapping[str, Any], prefix: str) -> Any:
    hints = typing.get_type_hints(kind, include_extras=True)
    values = {}
    for name, value in raw.items():
        path = f'{prefix}.{name}'
        hint = hints.get(name)
        if hint is not None and dataclasses.is_dataclass(hint) and isinstance(value, Mapping):
            values[name] = _resolve(hint, value, path)
            continue
        for inner in value if isinstance(value, Mapping) else ():
            check_key(f'{path}.{inner}')  # a misspelled key below a key
        if hint is None:
            check_key(path)  # which raises
        values[name] = _checked(hint, value, path)
    return kind(**values)


def _checked(hint: Any, value: Any, path: str) -> Any:
    """Check `value` against `hint`, and convert an int to a float where one is asked for."""
    kind, *bounds = typing.get_args(hint) if typing.get_origin(hint) is Annotated else (hint,)
    if typing.get_origin(kind) is Literal:
        if value not in typing.get_args(kind):
            choices = ', '.join(map(str, typing.get_args(kind)))
            raise UserError(f'{path}={value}: must be one of {choices}')
        return value
    if kind is float and type(value) is int:
        value = float(value)
    if type(value) is not kind:
        raise UserError(f'{path}={value!r}: must be of type {kind.__name__}, not {type(value).__name__}')
    if kind is float and not math.isfinite(value):
        raise UserError(f'{path}={value}: must be a finite number')
    for bound in bounds:
        if isinstance(bound, AtLeast) and not value >= bound.value:
            raise UserError(f'{path}={value}: must be at least {bound.value:g}')
        if isinstance(bound, Below) and not value < bound.value:
            raise UserError(f'{path}={value}: must be less than {bound.value:g}')
        if isinstance(bound, OnThisMachine) and value:
            value = str(local_path(value, f'{path}='))
    return value
