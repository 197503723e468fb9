import itertools

import numpy as np
import pytest
from from_arrays import counted, deciding
from scoring_by_hand import filed, truth_in_pair, visible

from cosegnet_jax.evaluation import pairs
from cosegnet_jax.evaluation.pairs import Classes


@pytest.mark.parametrize('size', [1, 4, 19, 50])
def test_blocks_hold_every_pair_once_and_no_more_than_they_may(decisions, size, monkeypatch):
    monkeypatch.setattr(pairs, 'BLOCK', size)
    table = np.triu(decisions) - np.tril(decisions)  # the earlier image comes first
    found = {}
    for block in pairs.blocks(19, deciding(table)):
        assert len(block.first) <= size**2
        found |= dict(zip(zip(block.first, block.second, strict=True), block.probability, strict=True))
    assert sorted(found) == list(itertools.combinations(range(19), 2))
    assert all(found[pair] == table[pair] for pair in found)


def test_common_classes_are_those_that_both_have(crowd):
    first, second = np.array(list(itertools.permutations(range(19), 2))).T
    for classes, of_image in ((Classes.filed(crowd), filed), (Classes.visible(crowd), visible)):
        common = classes.common(first, second)
        for i, j, row in zip(first, second, common, strict=True):
            assert set(crowd.labels[i][row]) == of_image(crowd, i) & of_image(crowd, j)


@pytest.mark.parametrize('outlier_truth', ['empty', 'object'])
def test_truth_of_an_image_in_a_pair_is_what_the_pair_has_in_common(crowd, masks, outlier_truth):
    first, second = np.array(list(itertools.combinations(range(19), 2))).T
    block = pairs.Pairs(first, second, np.zeros(len(first)))
    is_open = np.arange(len(first)) % 2 == 0
    classes = Classes.of_truth(crowd, outlier_truth)
    found = pairs.counts_beside_any(block, counted(crowd, masks), classes, is_open)
    for row, pair in enumerate(zip(first, second, strict=True)):
        for side, (image, partner) in enumerate((pair, pair[::-1])):
            truth = np.array(truth_in_pair(crowd, image, partner, outlier_truth))
            assert found.predicted[side, row] == masks[image].sum()
            assert found.true[side, row] == truth.sum()
            assert found.hits[side, row] == (truth & masks[image].ravel()).sum()
    gated = found.gated()
    np.testing.assert_array_equal(gated.true, found.true)
    for field in ('predicted', 'hits'):
        np.testing.assert_array_equal(getattr(gated, field)[:, is_open], getattr(found, field)[:, is_open])
        assert not getattr(gated, field)[:, ~is_open].any()
