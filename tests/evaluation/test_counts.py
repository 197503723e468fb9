import numpy as np

from cosegnet_jax.evaluation import counts


def assert_equal_counts(measured, expected):
    assert measured.pixels == expected.pixels
    for field in ('predicted', 'true', 'hits'):
        np.testing.assert_array_equal(getattr(measured, field), getattr(expected, field))


def test_objects_of_an_image_are_counted_apart():
    truth = np.array([[[0, 1, 1, 3]], [[0, 0, 0, 0]]], np.uint8)
    masks = np.array([[[1, 1, 0, 1]], [[0, 1, 0, 0]]], bool)
    found = counts.count(masks, truth, 3)
    assert found.pixels == 4
    assert found.predicted.tolist() == [3, 1]
    assert found.true.tolist() == [[2, 0, 1], [0, 0, 0]]
    assert found.hits.tolist() == [[1, 0, 1], [0, 0, 0]]


def test_counts_do_not_depend_on_the_batch(examples, masks):
    whole = counts.count(masks, examples.masks, 1)
    parts = [counts.count(masks[rows], examples.masks[rows], 1) for rows in (slice(0, 16), slice(16, 19))]
    assert_equal_counts(counts.concatenate(parts), whole)


def test_baselines_mark_everything_and_the_box_in_the_middle(examples):
    box = np.zeros(examples.masks.shape, bool)
    box[:, 3:9, 4:12] = True  # half of 12 by half of 16
    found = counts.count_baselines(examples, 7)
    assert found.keys() == {'all_foreground', 'center_box'}
    assert_equal_counts(found['all_foreground'], counts.count(np.ones_like(box), examples.masks, 1))
    assert_equal_counts(found['center_box'], counts.count(box, examples.masks, 1))
