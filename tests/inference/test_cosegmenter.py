import dataclasses
import math
import os

import numpy as np
import pytest
from pictures_of_discs import disc
from PIL import Image
from untrained_runs import SMALL, random_params, save_run

import cosegnet_jax
from cosegnet_jax import config as configs
from cosegnet_jax.inference import cosegmenter
from cosegnet_jax.networks import image_network
from cosegnet_jax.runtime.errors import UserError


def test_the_class_is_to_be_had_from_the_package():
    assert cosegnet_jax.CoSegmenter is cosegmenter.CoSegmenter
    with pytest.raises(AttributeError, match='CoSegmenters'):
        _ = cosegnet_jax.CoSegmenters


def test_a_run_says_itself_what_network_it_holds(segmenter):
    network = segmenter.network
    assert (network.config.image_size, network.config.model.width, network.step) == (32, 1 / 64, 0)


def test_loading_says_nothing(run_folder, caplog):
    cosegmenter.CoSegmenter.from_pretrained(run_folder)
    assert not caplog.records


def test_networks_of_pairs_and_missing_checkpoints_are_refused(tmp_path, run_folder):
    base = dataclasses.replace(SMALL, model=configs.Model(name='base', width=1 / 64, weights='none'))
    with pytest.raises(UserError, match=r'config\.model\.name=base, whose masks depend on the pair'):
        cosegmenter.CoSegmenter.from_pretrained(save_run(tmp_path / 'base', base, random_params(base)))
    with pytest.raises(UserError, match='nowhere: no such file or folder'):
        cosegmenter.CoSegmenter.from_pretrained(tmp_path / 'nowhere')
    with pytest.raises(UserError, match='no checkpoint of step 7; there are 0'):
        cosegmenter.CoSegmenter.from_pretrained(run_folder, step=7)
    assert not (tmp_path / 'nowhere').exists()


def test_photos_of_any_kind_and_size_get_masks_of_their_own_size(tmp_path, segmenter):
    disc(1, (30, 50)).save(tmp_path / 'tall.png')
    with Image.open(tmp_path / 'tall.png') as opened:
        images = [tmp_path / 'tall.png', disc(2, (90, 33)), np.asarray(disc(3, (31, 7))), opened]
        found = segmenter.cosegment(images, threshold=0.0)
        assert found.names == (str(tmp_path / 'tall.png'), 'photo 1', 'photo 2', str(tmp_path / 'tall.png'))
        assert [mask.shape for mask in found.masks] == [(50, 30), (33, 90), (7, 31), (50, 30)]
        assert [mask.shape for mask in found.soft_masks] == [(50, 30), (33, 90), (7, 31), (50, 30)]
        np.testing.assert_array_equal(found.masks[0], found.soft_masks[0] >= 0.5)
        assert found.groups == [[0, 1, 2, 3]]
        np.testing.assert_allclose(found.embeddings[0], found.embeddings[3], rtol=1e-5)
    np.testing.assert_array_equal(found.probabilities, found.probabilities.T)
    np.testing.assert_array_equal(np.diag(found.probabilities), 1)


def test_masks_and_decisions_are_those_of_the_network(segmenter):
    photos = np.stack([np.asarray(disc(seed, (32, 32))) for seed in range(3)])
    [(masks, embeddings, _)] = segmenter.network.describe([photos], 4)
    found = segmenter.cosegment(list(photos), threshold=0.0)
    np.testing.assert_array_equal(np.stack(list(found.masks)), masks >= 0.5)
    np.testing.assert_allclose(np.stack(list(found.soft_masks)), masks, atol=0.5 / 255 + 1e-6)
    np.testing.assert_allclose(found.embeddings, embeddings, rtol=1e-5)


def test_an_outlier_has_a_null_mask_and_keeps_its_soft_mask(segmenter):
    found = segmenter.cosegment([disc(1), disc(2)], threshold=1.0)
    assert (found.groups, found.outliers) == ([], [0, 1])
    assert not any(mask.any() for mask in found.masks)
    assert all(mask.max() > 0 for mask in found.soft_masks)


def test_where_all_are_neighbors_nothing_differs(segmenter):
    photos = [disc(seed) for seed in range(5)]
    every, near = segmenter.cosegment(photos, 0.4), segmenter.cosegment(photos, 0.4, neighbors=4)
    np.testing.assert_array_equal(near.probabilities, every.probabilities)
    assert (near.groups, near.outliers) == (every.groups, every.outliers)


def test_of_neighbors_alone_the_decisions_are_the_same(segmenter):
    photos = [disc(seed) for seed in range(40)]
    threshold = 0.5
    near = segmenter.cosegment(photos, threshold, neighbors=3)
    table = segmenter.decide(near.embeddings)
    decided = near.probabilities.tocoo()
    assert 40 * 4 < decided.nnz < 40 * 40
    np.testing.assert_allclose(decided.data, table[decided.row, decided.col], rtol=1e-5)
    np.testing.assert_array_equal(near.probabilities.diagonal(), 1)
    assert (near.probabilities - near.probabilities.T).nnz == 0
    every = segmenter.cosegment(photos, threshold)
    assert (near.groups, near.outliers) == (every.groups, every.outliers)
    assert [mask.any() for mask in near.masks] == [mask.any() for mask in every.masks]


def test_each_photo_is_looked_at_once_and_one_shape_is_compiled(monkeypatch, segmenter):
    shapes = []
    look = image_network._describe

    def counting(graph, params, images):
        shapes.append(images.shape)
        return look(graph, params, images)

    monkeypatch.setattr(image_network, '_describe', counting)
    described = list(segmenter.describe(disc(seed, (20 + seed, 30)) for seed in range(19)))
    assert [one.size for one in described] == [(30, 20 + seed) for seed in range(19)]
    assert shapes == [(8, 32, 32, 3)] * 5  # batches of four, and one row for each of eight devices


def test_what_is_left_of_a_collection_is_seen_to_the_bit_as_in_one_go(segmenter):
    photos = [disc(seed) for seed in range(11)]
    whole = list(segmenter.describe(photos))
    for start in (1, 6, 10):
        rest = list(segmenter.describe(photos[start:]))
        for one, other in zip(rest, whole[start:], strict=True):
            np.testing.assert_array_equal(one.soft_mask, other.soft_mask)
            np.testing.assert_array_equal(one.embedding, other.embedding)


def test_photos_are_read_as_they_are_needed(segmenter):
    taken = []

    def photos():
        for seed in range(100):
            taken.append(seed)
            yield disc(seed, (8, 8))

    next(segmenter.describe(photos()))
    assert len(taken) <= 3 * cosegmenter.BATCH
    assert list(segmenter.describe([])) == []


@pytest.mark.parametrize('size', [(64, 128), (17, 5), (640, 48)])  # height, width
def test_a_soft_mask_is_laid_over_the_whole_photo(size):
    small = np.zeros((32, 32), np.uint8)
    small[16:, :8] = 255  # the lower half of the left quarter
    full = cosegmenter.enlarged(small.astype(np.float32) / 255, size)
    assert full.shape == size
    expected = np.zeros(size)
    for row in range(size[0]):
        for column in range(size[1]):
            expected[row, column] = (row + 0.5) / size[0] >= 0.5 and (column + 0.5) / size[1] <= 0.25
    y, x = np.meshgrid(*((np.arange(side) + 0.5) / side for side in size), indexing='ij')
    clear = (np.abs(y - 0.5) > 1 / 20 + 0.5 / size[0]) & (np.abs(x - 0.25) > 1 / 20 + 0.5 / size[1])
    np.testing.assert_array_equal((full >= 0.5)[clear], expected[clear] > 0)
    assert clear.any()


def test_cutouts_are_the_photos_where_the_masks_are_and_black_where_nothing_is_seen(segmenter):
    found = segmenter.cosegment([disc(1), disc(2, (30, 70))], threshold=0.0)
    for photo, mask, cutout in zip([disc(1), disc(2, (30, 70))], found.masks, found.cutouts(), strict=True):
        assert (cutout.mode, cutout.size) == ('RGBA', photo.size)
        colors, alpha = np.asarray(cutout)[..., :3], np.asarray(cutout)[..., 3]
        np.testing.assert_array_equal(colors, np.where(alpha[..., None] > 0, np.asarray(photo), 0))
        np.testing.assert_array_equal(alpha >= 128, mask)
    assert [cutout.size for cutout in found.cutouts()[1:]] == [(30, 70)]


@pytest.mark.parametrize('value', [50, -0.1, 1.0001, math.nan, math.inf])
def test_a_threshold_is_a_probability(segmenter, value):
    message = rf'threshold={float(value)}: must be a number from 0 to 1$'
    with pytest.raises(UserError, match=message):
        segmenter.cosegment([disc(), disc(1)], float(value))
    with pytest.raises(UserError, match=f'^mask_{message}'):
        dataclasses.replace(segmenter, mask_threshold=float(value))


@pytest.mark.parametrize('neighbors', [0, -1])
def test_neighbors_are_counted_from_one_on(segmenter, neighbors):
    with pytest.raises(UserError, match=rf'^neighbors={neighbors}: must be a whole number from 1 on'):
        segmenter.cosegment([disc(), disc(1)], 0.5, neighbors)


@pytest.mark.filterwarnings('ignore')  # JAX and Python warn of the fork
def test_a_forked_process_is_refused_at_once_instead_of_hanging(segmenter):
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        try:
            list(segmenter.describe([disc()]))
        except UserError as error:
            os.write(writing, str(error).encode())
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as said:
        text = said.read()
    os.waitpid(child, 0)
    assert 'would hang in it; start processes with multiprocessing.get_context("spawn")' in text


def test_config_of_the_run_decides_the_size_of_what_is_looked_at(segmenter):
    assert segmenter.network.config.image_size != configs.Config().image_size
    assert next(segmenter.describe([disc()])).soft_mask.shape == (32, 32)
