import dataclasses

import numpy as np
import pytest

from cosegnet_jax.data.examples import Examples
from cosegnet_jax.data.masks.object_shares import describe_shares
from cosegnet_jax.data.stored_images import Stored


def disc():
    y, x = np.mgrid[:20, :20]
    return (x - 9) ** 2 + (y - 10) ** 2 < 36  # 27 %


def examples(*masks, labels=None):
    count = len(masks)
    images = np.zeros((count, 20, 20, 3), np.uint8)
    labels = np.zeros(count, int) if labels is None else np.array(labels)
    names = tuple(f'x/{number}' for number in range(count))
    return Examples.in_memory('x', ('cow', 'car'), names, labels, images, np.array(masks, np.uint8))


def test_shares_are_means_of_the_photos_that_show_the_class():
    full, none = np.ones((20, 20)), np.zeros((20, 20))
    lines = describe_shares(examples(disc(), none, full * 0.0, disc(), labels=[0, 0, 1, 1]))
    assert lines == ['objects cover, on average, this much of a photo: cow 27%, car 27%']


@pytest.mark.parametrize(
    ('mask', 'what'),
    [
        (~disc(), 'mark the rim of the photo more than the rest, as an inverted mask does'),
        (np.ones((20, 20), bool), 'mark nearly the whole photo'),
        (np.zeros((20, 20), bool), 'mark nothing or nearly nothing'),
    ],
)
def test_improbable_masks_are_warned_of_where_there_are_many(mask, what):
    few = examples(*[disc()] * 9, mask, labels=[0] * 10)
    assert len(describe_shares(few)) == 1
    _, warning = describe_shares(examples(disc(), mask, mask, mask, labels=[0] * 4))
    assert warning.startswith(f'warning: cow: 3 of 4 masks {what}')


def test_an_object_that_reaches_the_rim_is_no_inverted_mask():
    cut_off = np.zeros((20, 20), bool)
    cut_off[5:, 3:17] = True
    assert len(describe_shares(examples(cut_off, cut_off))) == 1


def test_of_many_masks_some_are_read():
    asked = []

    def read(row):
        asked.append(row)
        return disc().astype(np.uint8)

    many = examples(*[disc()] * 500)
    describe_shares(dataclasses.replace(many, masks=Stored(read, np.arange(500), (20, 20))))
    assert len(asked) == len(set(asked)) == 100
    assert (asked[0], asked[-1]) == (0, 499)
