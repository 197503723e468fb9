"""Which pairs the partner head learns from."""

import collections

import numpy as np

from cosegnet_jax.training import partner_phase


def test_every_class_has_the_same_chance_whatever_its_photos():
    labels = np.array([[0, -1]] * 18 + [[1, 2]] * 2 + [[2, 3]])
    photos = np.arange(21)
    pairs = partner_phase.draw_pairs(labels, photos, 3000, np.random.default_rng(0))
    assert (photos[pairs[:, 0]] != photos[pairs[:, 1]]).all()
    kinds = collections.Counter(map(int, labels[pairs[:, 0], 0]))
    assert 900 < kinds[0] < 1100  # a third: of class 0, and not of class 3, which has one photo


def test_views_of_one_photo_are_no_pair():
    labels, photos = np.array([[0], [0], [0]]), np.array([0, 1, 0])
    pairs = partner_phase.draw_pairs(labels, photos, 50, np.random.default_rng(0))
    assert {tuple(sorted(pair)) for pair in pairs.tolist()} == {(0, 1), (1, 2)}


def test_the_truth_is_what_the_partner_shows_too():
    masks = np.array([[[0, 1], [2, 2]], [[1, 1], [0, 0]]], np.uint8)
    labels, of_partners = np.array([[4, 7], [4, -1]]), np.array([[7, -1], [5, -1]])
    shared = partner_phase.shared_objects(masks, labels, of_partners)
    np.testing.assert_array_equal(shared, [[[0, 0], [1, 1]], [[0, 0], [0, 0]]])
