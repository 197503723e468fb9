import dataclasses
import os

import numpy as np
import pytest

from cosegnet_jax.data.examples import NO_CLASS
from cosegnet_jax.reports.figures import figure_data
from cosegnet_jax.reports.figures.pair_views import ImageView, PairView, PairViews
from cosegnet_jax.runtime.errors import UserError

LABELS = np.array([[0, 1], [1, NO_CLASS], [NO_CLASS, NO_CLASS]])
CLASSES = ('cat', 'long-haired dog')


def pair(seed):
    rng = np.random.default_rng(seed)
    images = tuple(
        ImageView(
            f'class{side}/photo-{"é" * seed}',
            f'class{side}',
            rng.integers(256, size=(6, 8, 3), dtype=np.uint8),
            rng.random((6, 8)) < 0.5,
            rng.random((6, 8)) < 0.5,
        )
        for side in (1, 2)
    )
    return PairView(images, probability=0.1 * seed, is_open=seed > 5, shares_object=seed % 2 == 0)


def equal(first, second):
    """Whether two dataclasses hold the same, arrays and lists of dataclasses included."""
    if dataclasses.is_dataclass(first):
        names = [field.name for field in dataclasses.fields(first)]
        return type(first) is type(second) and all(
            equal(getattr(first, name), getattr(second, name)) for name in names
        )
    if isinstance(first, np.ndarray):
        return first.dtype == second.dtype and np.array_equal(first, second)
    if isinstance(first, dict):
        return list(first) == list(second) and equal(list(first.values()), list(second.values()))
    if isinstance(first, list | tuple):
        same_kind = type(first) is type(second) and len(first) == len(second)
        return same_kind and all(map(equal, first, second))
    return first == second


EVERY_LIST = PairViews([pair(0), pair(1)], {'Best': pair(2), 'Worst': pair(3)}, [pair(6), pair(7), pair(8)])


@pytest.mark.parametrize(
    'views', [EVERY_LIST, PairViews([pair(0)], {}, []), PairViews([], {}, [pair(1)]), PairViews([], {}, [])]
)
@pytest.mark.parametrize('embedding', [None, np.ones((3, 64), np.float32)])
def test_what_is_saved_is_loaded(tmp_path, views, embedding):
    file = tmp_path / 'deep' / 'eval.npz'
    figure_data.save(file, views, embedding, LABELS, CLASSES)
    assert equal(figure_data.load(file), figure_data.FigureData(views, embedding, LABELS, CLASSES))
    assert [path.name for path in file.parent.iterdir()] == ['eval.npz']


def test_a_write_that_fails_leaves_the_old_file(tmp_path):
    file = tmp_path / 'eval.npz'
    figure_data.save(file, EVERY_LIST, None, LABELS, CLASSES)
    whole = file.read_bytes()
    (tmp_path / f'.unfinished{os.getpid()}.npz').mkdir()  # so that the next write cannot begin
    with pytest.raises(UserError, match=r'eval\.npz: cannot be written'):
        figure_data.save(file, PairViews([], {}, []), None, LABELS, CLASSES)
    assert file.read_bytes() == whole


def cut(file):
    file.write_bytes(file.read_bytes()[:-200])


def change(file):
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 0xFF
    file.write_bytes(content)


def arrays(file):
    with np.load(file) as content:
        return dict(content)


def lose_an_array(file):
    np.savez(file, **{name: array for name, array in arrays(file).items() if name != 'truth'})


def lose_pairs(file):
    np.savez(file, **arrays(file) | {'probability': np.ones(3)})


def hold_one_array(file):
    with file.open('wb') as opened:
        np.save(opened, np.ones(3))


@pytest.mark.parametrize(
    'damage',
    [
        cut, change, lose_an_array, lose_pairs, hold_one_array,
        lambda file: file.write_bytes(b''),
        lambda file: file.write_text('no archive'),
        lambda file: np.savez(file, labels=np.array([{}], object)),
    ],
)  # fmt: skip
def test_damaged_files_are_named_in_one_line(tmp_path, damage):
    file = tmp_path / 'eval.npz'
    figure_data.save(file, EVERY_LIST, None, LABELS, CLASSES)
    damage(file)
    with pytest.raises(UserError, match='evaluate this run again') as raised:
        figure_data.load(file)
    assert str(raised.value).startswith(f'{file}: damaged')
    assert '\n' not in str(raised.value)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(UserError, match=r'none\.npz: no such file; evaluate this run again'):
        figure_data.load(tmp_path / 'none.npz')
