"""Split files, settings and command lines of any content: a right value, or one clear line."""

from __future__ import annotations

import collections
import contextlib
import dataclasses
import io
import json
import sys
from pathlib import Path

from hypothesis import HealthCheck, Phase, Verbosity, given, settings
from hypothesis import strategies as st

EXAMPLES = 2000

_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
_NAMES = tuple(f'{kind}/{number}.png' for kind in ('cat', 'dog') for number in range(6))
_PART = st.lists(st.sampled_from(_NAMES) | st.text(max_size=4), max_size=6, unique=True)
_SPLIT = st.fixed_dictionaries({'train': _PART, 'validation': _PART, 'test': _PART})
_WHOLE = st.permutations(_NAMES).map(
    lambda names: [{'train': names[:6], 'validation': names[6:9], 'test': names[9:]}]
)
_SPLIT_FILE = ((_WHOLE | st.lists(_SPLIT, max_size=2) | _JSON).map(json.dumps) | st.text(max_size=40)).map(
    lambda text: text.encode('utf-8', 'surrogatepass')
) | st.binary(max_size=40)


def _keys() -> st.SearchStrategy:
    from cosegnet_jax.config import all_keys

    values = st.text(max_size=6) | st.integers().map(str) | st.floats().map(str) | st.just('')
    key = st.sampled_from(sorted(all_keys())) | st.text(max_size=12).map(lambda word: f'config.{word}')
    flag = st.sampled_from(
        ['--workdir', '--config', '--checkpoint_step', '--help', '--', '-', '--tables', '--runs', '--out']
    )
    config = st.tuples(key, values).map(lambda pair: f'--{pair[0]}={pair[1]}')
    given_flag = st.tuples(flag, values).map('='.join) | flag | st.text(max_size=8)
    return st.lists(config | given_flag, max_size=4)


def run(scale: float, folder: Path) -> dict:
    """All of them."""
    folder.mkdir(parents=True, exist_ok=True)
    count = max(50, round(EXAMPLES * scale))
    kinds = {
        'split_files': _split_files,
        'configs': _configs,
        'command_lines': _command_lines,
        'remembered': _remembered,
    }
    figures = {name: kind(count, folder) for name, kind in kinds.items()}
    totals = collections.Counter()
    for found in figures.values():
        totals.update({key: value for key, value in found.items() if isinstance(value, int)})
    return {**totals, 'kinds': figures}


def _tried(count: int, strategy: st.SearchStrategy, attempt) -> dict:
    """Counts what becomes of examples: `attempt` returns whether the value is right."""
    from cosegnet_jax.runtime.errors import UserError

    found, examples = collections.Counter(), []

    @settings(
        max_examples=count, database=None, deadline=None, derandomize=True, verbosity=Verbosity.quiet,
        suppress_health_check=list(HealthCheck), phases=[Phase.generate],
    )  # fmt: skip
    @given(strategy)
    def one(example: object) -> None:
        found['inputs'] += 1
        try:
            right = attempt(example)
        except UserError as error:
            found['refused_in_one_line' if '\n' not in str(error) else 'not_in_one_line'] += 1
        except Exception as error:
            found['tracebacks'] += 1
            examples.append(f'{type(error).__name__}: {str(error)[:100]} ({str(example)[:100]!r})')
        else:
            found['right_values' if right else 'wrong_values'] += 1
            if not right:
                examples.append(str(example)[:200])

    one()
    names = (
        'inputs',
        'right_values',
        'refused_in_one_line',
        'wrong_values',
        'tracebacks',
        'not_in_one_line',
    )
    return {name: found[name] for name in names} | ({'examples': examples[:5]} if examples else {})


def _split_files(count: int, folder: Path) -> dict:
    from cosegnet_jax.data import splits

    path = folder / 'split.json'

    def attempt(content: bytes) -> bool:
        path.write_bytes(content)
        split = splits.pinned(path, _NAMES, 0)
        listed = json.loads(content.decode('utf-8-sig'))[0]
        return all(
            sorted(listed[part]) == sorted(_NAMES[row] for row in getattr(split, part))
            for part in ('train', 'validation', 'test')
        )

    return _tried(count, _SPLIT_FILE, attempt)


def _words() -> set[str]:
    """Texts that are defaults of keys."""
    from cosegnet_jax import config as configs

    found = dataclasses.asdict(configs.Config())
    inner = [value for one in found.values() if isinstance(one, dict) for value in one.values()]
    return {value for value in [*found.values(), *inner] if isinstance(value, str)}


def _configs(count: int, folder: Path) -> dict:
    from cosegnet_jax import config as configs

    names = [key.split('.')[1:] for key in configs.all_keys()]
    values = _JSON | st.integers(0, 300) | st.floats(0, 1) | st.sampled_from(sorted(_words()))
    nested = st.tuples(st.sampled_from(names), values).map(
        lambda pair: {pair[0][0]: pair[1]} if len(pair[0]) == 1 else {pair[0][0]: {pair[0][1]: pair[1]}}
    )

    def attempt(raw: dict) -> bool:
        found = dataclasses.asdict(configs.resolve(raw))
        for name, value in raw.items():
            pairs = value.items() if isinstance(value, dict) else [(None, value)]
            for inner, wanted in pairs:
                got = found[name] if inner is None else found[name][inner]
                if got != wanted and not (isinstance(wanted, str) and wanted.startswith('~')):
                    return False
        return True

    return _tried(count, nested | st.dictionaries(st.text(max_size=8), _JSON, max_size=3), attempt)


def _command_lines(count: int, folder: Path) -> dict:
    from absl import flags

    from cosegnet_jax.cli import COMMANDS, command_line, eval

    def attempt(arguments: list[str]) -> bool:
        flags.FLAGS.unparse_flags()
        for name in flags.FLAGS:
            flags.FLAGS[name].unparse()
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            try:
                command_line._parse(
                    ['cosegnet', '--config=shapes', *arguments], 'eval', COMMANDS['eval'], eval.__name__
                )
            except SystemExit as error:
                return not error.code  # --help
            command_line.config()
        return True

    return _tried(max(20, count // 10), _keys(), attempt)


def _remembered(count: int, folder: Path) -> dict:
    from cosegnet_jax.inference import cache
    from cosegnet_jax.inference import settings as remembered

    cache.begin(folder / 'out', 16 * 'a')
    path = folder / 'out' / '.described' / 'settings.json'

    def attempt(content: bytes) -> bool:
        path.write_bytes(content)
        found = remembered.remembered(folder / 'out')
        wanted = json.loads(content)
        return all(
            (list(got) if name == 'annotations' else got) == wanted.get(name, got)
            for name, got in dataclasses.asdict(found).items()
        )

    right = st.builds(
        remembered.Settings,
        threshold=st.floats(0, 1),
        mask_threshold=st.floats(0, 1),
        neighbors=st.integers(0, 99),
        annotations=st.lists(st.sampled_from(['coco', 'labelme', 'cvat']), unique=True).map(tuple),
        keep_outliers=st.booleans(),
        groups=st.sampled_from(['links', 'copies']),
    ).map(lambda one: json.dumps(dataclasses.asdict(one)).encode())
    level = st.floats(0, 1) | st.floats() | st.text(max_size=3) | st.booleans()
    fields = {
        'threshold': level,
        'mask_threshold': level,
        'neighbors': st.integers() | level,
        'annotations': st.just([]) | _JSON,
        'keep_outliers': _JSON,
        'refine': _JSON,
        'groups': _JSON,
    }
    wrong = st.fixed_dictionaries({'annotations': fields.pop('annotations')}, optional=fields)
    wrong = wrong.map(lambda one: json.dumps(one).encode())
    return _tried(count, right | wrong | st.binary(max_size=30), attempt)


if __name__ == '__main__':
    print(json.dumps(run(float(sys.argv[1]), Path(sys.argv[2]))))
