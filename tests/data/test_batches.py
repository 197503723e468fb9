import numpy as np

from cosegnet_jax.data.batches import gather
from cosegnet_jax.data.examples import Examples
from cosegnet_jax.data.stored_images import Stored

INDICES = np.array([[4, 0, 2], [1, 1, 3]])


def numbered(count, height=3, width=4):
    """Examples in which no two pixels have the same bytes, and masks that follow the images."""
    images = np.arange(count * height * width * 3).reshape(count, height, width, 3).astype(np.uint8)
    return Examples.in_memory(
        name='numbered',
        classes=('a', 'b'),
        filenames=tuple(f'a/{i}' for i in range(count)),
        labels=np.stack([np.zeros(count, int), np.arange(count) % 2 * 2 - 1], 1),
        images=images,
        masks=images[..., 0] // 3 % 3,
    )


def test_gather_takes_the_pixels_and_classes_of_each_index():
    examples = numbered(5)
    batch = gather(examples, INDICES)
    np.testing.assert_array_equal(batch.images, examples.images[INDICES])
    np.testing.assert_array_equal(batch.masks, examples.masks[INDICES])
    np.testing.assert_array_equal(batch.labels, examples.labels[INDICES])
    np.testing.assert_array_equal(batch.numbers, INDICES)
    assert [part.dtype for part in batch] == [np.uint8, np.uint8, np.int32, np.int32]


def test_what_is_stored_is_decoded_for_these_images_only():
    examples, asked = numbered(5), []

    def read(record):
        asked.append(record)
        return examples.images[record]

    stored = Stored(read, np.arange(5), examples.images.shape[1:])
    part = Examples(
        name='stored',
        classes=examples.classes,
        filenames=examples.filenames,
        labels=examples.labels,
        visible=examples.visible,
        images=stored,
        masks=examples.masks,
    ).subset(np.array([4, 2, 1]))
    assert part.images.shape == (3, 3, 4, 3)
    assert part.nbytes == 3 * 3 * 4 * 4
    assert asked == []
    batch = gather(part, np.array([[0, 2, 0]]))
    assert asked == [4, 1, 4]
    np.testing.assert_array_equal(batch.images[0], examples.images[[4, 1, 4]])
    np.testing.assert_array_equal(np.asarray(part.images), examples.images[[4, 2, 1]])


def test_a_class_is_shown_where_the_mask_has_its_number():
    examples = numbered(2)
    assert examples.visible.all()
    masks = np.where(examples.masks == 2, 0, examples.masks)
    without = Examples.in_memory('x', ('a', 'b'), ('a/0', 'a/1'), examples.labels, examples.images, masks)
    np.testing.assert_array_equal(without.visible, [[True, False]] * 2)
