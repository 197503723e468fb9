import dataclasses
import json

import numpy as np
import pytest

from cosegnet_jax.data import splits
from cosegnet_jax.runtime.errors import UserError

LABELS = np.random.default_rng(0).permutation(np.repeat([0, 1, 2], [50, 100, 15]))


def stratified(labels, seed, **choices):
    """One class an image."""
    return splits.stratified(labels[:, None], seed, **choices)


def parts(split):
    return split.train, split.validation, split.test


def of_class(labels, split, label):
    return [part[labels[part] == label] for part in parts(split)]


def test_parts_are_disjoint_and_cover_everything():
    together = np.concatenate(parts(stratified(LABELS, seed=0)))
    np.testing.assert_array_equal(np.sort(together), np.arange(len(LABELS)))


@pytest.mark.parametrize(('label', 'sizes'), [(0, (30, 10, 10)), (1, (60, 20, 20)), (2, (9, 3, 3))])
def test_each_class_is_divided_three_to_one_to_one(label, sizes):
    members = of_class(LABELS, stratified(LABELS, seed=0), label)
    assert tuple(map(len, members)) == sizes


@pytest.mark.parametrize(
    ('count', 'sizes'),
    [
        (2, (2, 0, 0)),
        (3, (3, 0, 0)),
        (4, (2, 0, 2)),
        (5, (3, 0, 2)),
        (6, (2, 2, 2)),
        (7, (3, 2, 2)),
        (8, (4, 2, 2)),
        (9, (5, 2, 2)),
    ],
)
def test_part_of_a_small_class_has_no_image_or_a_pair(count, sizes):
    labels = np.repeat([0, 1], [count, 50])
    members = of_class(labels, stratified(labels, seed=0), 0)
    assert tuple(map(len, members)) == sizes


def test_other_ratios():
    split = stratified(LABELS, seed=0, ratios=(4, 0, 1))
    assert tuple(map(len, of_class(LABELS, split, 1))) == (80, 0, 20)


def test_split_is_a_function_of_seed_and_index():
    reference = stratified(LABELS, seed=4, index=2)
    np.testing.assert_array_equal(stratified(LABELS, seed=4, index=2).test, reference.test)
    assert not np.array_equal(stratified(LABELS, seed=4, index=3).test, reference.test)
    assert not np.array_equal(stratified(LABELS, seed=5, index=2).test, reference.test)


def test_split_is_random_within_a_class():
    times_in_test = np.zeros(len(LABELS))
    for index in range(200):
        times_in_test[stratified(LABELS, seed=0, index=index).test] += 1
    np.testing.assert_allclose(times_in_test / 200, 0.2, atol=0.12)


def test_class_is_split_the_same_whatever_the_others_hold():
    alone, beside = np.zeros(20, int), np.repeat([0, 1, 7], [20, 6, 30])
    for part, same in zip(
        parts(stratified(alone, seed=1)), of_class(beside, stratified(beside, seed=1), 0), strict=True
    ):
        np.testing.assert_array_equal(part, same)


def test_class_with_one_image_is_an_error():
    with pytest.raises(UserError, match='class number 1 has one image'):
        stratified(np.array([0, 0, 1]), seed=0)


def test_an_image_of_several_classes_counts_for_the_rarest():
    labels = np.stack([np.zeros(40, int), np.where(np.arange(40) < 10, 1, -1)], 1)
    split = splits.stratified(labels, seed=0)
    of_both = [int((labels[part, 1] == 1).sum()) for part in parts(split)]
    assert of_both == [6, 2, 2]
    assert list(map(len, parts(split))) == [24, 8, 8]


NAMES = tuple(f'x/{i}' for i in range(len(LABELS)))


def test_classes_that_are_left_out_are_tested_on_and_in_no_other_part():
    none = -1
    labels = np.array([[0, none], [1, none], [2, none], [0, 1], [0, 2], [1, 3], [2, none], [3, none]])
    drawn = splits.Split(np.array([0, 1, 2, 3, 4]), np.array([5, 6]), np.array([7]))
    first, second = splits.leave_out_classes(drawn, labels, 2)
    # Classes 0 and 2: image 3 shows a known class too, so it is in no part.
    assert [list(part) for part in dataclasses.astuple(first)] == [[1, 7], [5], [0, 2, 4, 6]]
    assert [list(part) for part in dataclasses.astuple(second)] == [[0, 2, 4], [6], [1, 5, 7]]


@pytest.fixture
def pinned(tmp_path):
    """Two splits of LABELS in a file."""
    listed = [splits.listing(stratified(LABELS, seed=0, index=index), NAMES) for index in (0, 1)]
    path = tmp_path / 'splits.json'
    path.write_text(json.dumps(listed))
    return path


def test_a_pinned_split_is_the_one_that_was_listed_wherever_the_images_are_now(pinned):
    order = np.random.default_rng(1).permutation(len(NAMES))
    moved = ('y/new', *(NAMES[i] for i in order))
    split, now = stratified(LABELS, seed=0, index=1), splits.pinned(pinned, moved, 1)
    for before, after in zip(parts(split), parts(now), strict=True):
        assert {NAMES[i] for i in before} == {moved[i] for i in after}


@pytest.mark.parametrize(
    ('text', 'index', 'message'),
    [
        (None, 2, 'holds no split number 2'),
        ('[', 0, 'no list of splits; make one with'),
        ('{}', 0, 'no list of splits'),
        ('[{"train": []}]', 0, 'no list of splits'),
        ('[{"train": ["x/0"], "validation": ["z/1"], "test": []}]', 0, 'z/1 is not in the data set'),
        ('[{"train": ["x/0"], "validation": ["x/0"], "test": []}]', 0, 'x/0 is named twice'),
    ],
)
def test_a_file_that_does_not_fit_is_an_error(pinned, text, index, message):
    if text is not None:
        pinned.write_text(text)
    with pytest.raises(UserError, match=message) as caught:
        splits.pinned(pinned, NAMES, index)
    assert str(pinned) in str(caught.value)


def test_a_missing_file_is_an_error(tmp_path):
    with pytest.raises(UserError, match='No such file'):
        splits.pinned(tmp_path / 'none.json', NAMES, 0)


@pytest.mark.parametrize('encoding', ['utf-8', 'utf-8-sig', 'utf-16', 'utf-16-le', 'utf-32'])
def test_a_file_of_splits_may_have_any_encoding_of_unicode(tmp_path, encoding):
    names = ('k\u00fche/a', 'k\u00fche/b')
    path = tmp_path / 'splits.json'
    listed = [{'train': ['ku\u0308he/a'], 'validation': ['k\u00fche/b'], 'test': []}]
    path.write_bytes(json.dumps(listed, ensure_ascii=False).encode(encoding))
    split = splits.pinned(path, names, 0)
    assert [part.tolist() for part in parts(split)] == [[0], [1], []]
