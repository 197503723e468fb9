from small_sets import class_folders, object_discovery, seven_classes

from cosegnet_jax.data.builders.preparation import prepare
from cosegnet_jax.data.builders.summary import summary


def test_summary_counts_classes_outliers_and_object_pixels(root):
    class_folders(root)
    (root / 'masks/cat/a.png').unlink()
    builder, _ = prepare('pascal_coseg', str(root), str(root.parent / 'tfds'))
    lines = summary(builder).splitlines()
    assert [line.split() for line in lines[:4]] == [
        ['class', 'images', 'outliers', 'object'],
        ['cat', '2', '0', '25.0%'],
        ['dog', '3', '1', '16.7%'],
        ['all', '5', '1', '20.0%'],
    ]
    assert lines[5:7] == [
        'differs from the publication: 2 classes instead of 20',
        'differs from the publication: 5 images instead of 1,037',
    ]
    assert lines[7].startswith(f'rejected: {root / "masks/cat/a.png"}: missing mask')
    assert lines[8].startswith('pascal_coseg/1.0.0: ')
    assert lines[8].endswith(str(root.parent / 'tfds/pascal_coseg/1.0.0'))


def test_summary_compares_outliers(root):
    object_discovery(root)
    builder, _ = prepare('internet', str(root), str(root.parent / 'tfds'))
    assert 'differs from the publication: 1 outliers of airplane instead of 18' in summary(builder)


def test_summary_says_that_counts_are_as_published(root):
    seven_classes(root)
    builder, _ = prepare('msrc', str(root), str(root.parent / 'tfds'))
    assert 'as published: 7 classes, 70 images' in summary(builder)
