import itertools

import numpy as np
import pytest

from cosegnet_jax.evaluation import samples
from cosegnet_jax.evaluation.protocol import Protocol, score_class_pairs


def shares(examples, i, j):
    return bool(
        examples.labels[i] == examples.labels[j] and examples.masks[i].any() and examples.masks[j].any()
    )


def test_positive_pairs_share_an_object_and_come_from_different_classes(examples):
    pairs = samples.draw_positive(examples, count=10, seed=0)
    assert all(i < j and shares(examples, i, j) for i, j in pairs)
    assert sorted(examples.labels[i] for i, _ in pairs) == [0, 1, 2]
    assert len(samples.draw_positive(examples, count=2, seed=0)) == 2


def test_negative_pairs_share_nothing_and_differ(examples):
    pairs = samples.draw_negative(examples, count=30, seed=0)
    assert len(set(pairs)) == 30
    assert all(i < j and not shares(examples, i, j) for i, j in pairs)


@pytest.mark.parametrize('draw', [samples.draw_positive, samples.draw_negative])
def test_lots_depend_on_the_seed_alone(examples, draw):
    assert draw(examples, 3, seed=1) == draw(examples, 3, seed=1)
    assert len({tuple(draw(examples, 3, seed=seed)) for seed in range(5)}) > 1


@pytest.mark.parametrize('threshold', [0.0, 0.5], ids=['all-open', 'some-closed'])
def test_best_median_and_worst_are_ranked_by_gated_jaccard(examples, masks, decisions, threshold):
    scored = score_class_pairs(examples, masks, decisions, Protocol(16, decision_threshold=threshold))
    jaccard = {
        (int(i), int(j)): value
        for i, j, value in zip(scored.first, scored.second, scored.jaccard, strict=True)
    }
    shared = [pair for pair in itertools.combinations(range(len(examples)), 2) if shares(examples, *pair)]
    rising = sorted(jaccard[pair] for pair in shared)
    picked = samples.best_median_worst(examples, scored)
    assert set(picked.values()) <= set(shared)
    assert [jaccard[picked[rank]] for rank in ('Worst', 'Median', 'Best')] == [
        rising[0], rising[(len(rising) - 1) // 2], rising[-1],
    ]  # fmt: skip


def test_nothing_to_rank_without_a_common_object(examples, masks, decisions):
    outliers = np.array([0, 1])
    scored = score_class_pairs(examples.subset(outliers), masks[:2], decisions[:2, :2], Protocol(16))
    assert samples.best_median_worst(examples.subset(outliers), scored) == {}
