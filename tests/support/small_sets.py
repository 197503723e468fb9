"""A few files of each set that can be prepared, laid out as published, and how to prepare them."""

import numpy as np
from PIL import Image
from small_pictures import palette, quarters, save, top_left

from cosegnet_jax.data.builders.preparation import prepare

EMPTY = Image.new('L', (40, 20))


def class_folders(root):
    """Two classes with three photos each, of which one does not show its class."""
    for name in ('cat/a.png', 'cat/b.jpg', 'cat/c.jpg', 'dog/a.jpg', 'dog/b.jpg'):
        save(root, name)
    save(root, 'dog/c.jpg', mask=EMPTY)


def seven_classes(root):
    """Twelve photos of each of the seven classes, and of another."""
    for name in ('bird', 'boat', 'car', 'cat', 'cow', 'dog', 'plane', 'sheep'):
        for number in range(12):
            save(root, f'{name}/{number}.png')


def object_discovery(root):
    """The layout of the published archive."""
    for directory in ('Airplane100', 'Car100', 'Horse100'):
        (root / directory / 'GroundTruth').mkdir(parents=True)
        for number in range(3):
            path = root / directory / f'{number:04d}.jpg'
            quarters().save(path)
            path.write_bytes(path.read_bytes() + directory.encode())  # the classes share no photo
            mask = EMPTY if number == 2 else top_left().convert('1')
            mask.save(root / directory / 'GroundTruth' / f'{number:04d}.png')
    save(root / 'Car', '0001.png')


def groups(root):
    """The layout of the published archive, with group names as long as its own."""
    for group in ('018 Agra Taj Mahal-Inde du Nord-Chander', '025-Gymnastics-PD'):
        for number in range(2):
            save(root, f'{group}/{number}.png')
    (root / 'masks').rename(root / 'ground_truth')


def development_kit(root):
    """The layout of the archive: four images, three of them with masks, of aeroplane (1) and cat (8)."""
    kit = root / 'VOCdevkit' / 'VOC2012'
    for name in ('JPEGImages', 'SegmentationClass', 'ImageSets/Segmentation'):
        (kit / name).mkdir(parents=True)
    (kit / 'ImageSets/Segmentation/trainval.txt').write_text('2007_03\n2007_01\n2007_02\n')
    for number, (left, right) in enumerate([(1, 8), (8, 0), (8, 1)], 1):
        indices = np.zeros((20, 40), np.uint8)
        indices[:, :10], indices[:, 10:20], indices[:, 20:25] = left, right, 255
        quarters().save(kit / f'JPEGImages/2007_{number:02d}.jpg')
        palette(indices).save(kit / f'SegmentationClass/2007_{number:02d}.png')
    quarters().save(kit / 'JPEGImages/2007_04.jpg')


def prepared(name, root, make=None):
    """Metadata and records of the set in `root`, made there first."""
    if make:
        make(root)
    builder, _ = prepare(name, str(root), str(root.parent / 'tfds'))
    return builder.info.metadata, list(builder.as_data_source('train'))
