import io

import numpy as np
from PIL import Image

from cosegnet_jax.data import splits, thumbnails
from cosegnet_jax.data.examples import Examples


def examples(photos, labels):
    masks = np.ones(photos.shape[:3], np.uint8)
    return Examples.in_memory('spots', ('a', 'b'), tuple(map(str, labels)), np.array(labels), photos, masks)


def smooth(count, seed=0):
    """Gray photos of eight by eight soft patches."""
    small = np.random.default_rng(seed).integers(0, 256, (count, 8, 8, 1), np.uint8).repeat(3, 3)
    return np.stack([np.asarray(Image.fromarray(one).resize((64, 64))) for one in small])


def saved_again(photo):
    file = io.BytesIO()
    Image.fromarray(photo).save(file, 'JPEG', quality=90)
    return np.asarray(Image.open(file))


def test_a_photo_that_was_saved_again_looks_alike_and_no_other_does():
    photos = smooth(5)
    again = np.stack([saved_again(photo) for photo in photos])
    assert (again != photos).any()
    some, others = (thumbnails.thumbnails(examples(x, [0] * 5)) for x in (photos, again))
    np.testing.assert_array_equal(thumbnails.look_alike(some, others), np.eye(5, dtype=bool))
    np.testing.assert_array_equal(thumbnails.from_text(thumbnails.to_text(some)), some)


def test_copies_inside_a_class_end_in_one_part():
    photos = smooth(6)
    photos[3], photos[5] = saved_again(photos[1]), photos[1]  # the last one is filed under another class
    first = thumbnails.first_copies(examples(photos, [0, 0, 0, 0, 1, 1]))
    assert first.tolist() == [0, 1, 2, 1, 4, 5]
    apart = splits.Split(np.array([0, 1]), np.array([2, 4]), np.array([3, 5]))
    together = splits.keep_copies_together(apart, first)
    assert [part.tolist() for part in vars(together).values()] == [[0, 1, 3], [2, 4], [5]]
