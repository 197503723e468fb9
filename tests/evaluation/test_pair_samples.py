import itertools

import numpy as np
import pytest
from from_arrays import predicted
from scoring_by_hand import mean, pixel_counts, truth_in_pair, visible

from cosegnet_jax.evaluation import pair_samples
from cosegnet_jax.evaluation.protocol import Protocol


def shares(examples, i, j):
    return bool(visible(examples, i) & visible(examples, j))


def test_pool_of_a_small_set_is_all_of_it_and_of_a_large_one_some_images(monkeypatch):
    assert pair_samples.draw_pool(19, seed=0).tolist() == list(range(19))
    monkeypatch.setattr(pair_samples, 'POOL', 7)
    drawn = pair_samples.draw_pool(19, seed=0).tolist()
    assert len(drawn) == 7
    assert drawn == sorted(set(drawn))
    assert drawn != pair_samples.draw_pool(19, seed=1).tolist()


def test_pairs_among_some_images_are_all_of_them_as_decided(examples, masks, decisions):
    images = np.array([2, 3, 7, 11, 18])
    found = predicted(examples, masks, decisions).among(images)
    assert list(zip(found.first, found.second, strict=True)) == list(itertools.combinations(images, 2))
    np.testing.assert_array_equal(found.probability, decisions[found.first, found.second])


def test_positive_pairs_share_an_object_and_come_from_different_classes(examples):
    pairs = pair_samples.draw_positive(examples, count=10, seed=0)
    assert all(i < j and shares(examples, i, j) for i, j in pairs)
    assert sorted(examples.labels[i, 0] for i, _ in pairs) == [0, 1, 2]
    assert len(pair_samples.draw_positive(examples, count=2, seed=0)) == 2


def test_positive_pairs_of_images_with_several_classes_show_one_both(crowd):
    pairs = pair_samples.draw_positive(crowd, count=10, seed=0)
    assert len(pairs) == 4
    assert all(i < j and shares(crowd, i, j) for i, j in pairs)


def test_negative_pairs_share_nothing_and_differ(examples):
    pool = np.arange(1, 19)
    pairs = pair_samples.draw_negative(examples, pool, count=30, seed=0)
    assert len(set(pairs)) == 30
    assert all(1 <= i < j and not shares(examples, i, j) for i, j in pairs)
    everything = pair_samples.draw_negative(examples, pool, count=1000, seed=0)
    assert sorted(everything) == [
        pair for pair in itertools.combinations(pool, 2) if not shares(examples, *pair)
    ]


def test_lots_depend_on_the_seed_alone(examples):
    for draw in (
        lambda seed: pair_samples.draw_positive(examples, 3, seed),
        lambda seed: pair_samples.draw_negative(examples, np.arange(19), 3, seed),
    ):
        assert draw(1) == draw(1)
        assert len({tuple(draw(seed)) for seed in range(5)}) > 1


@pytest.mark.parametrize('threshold', [0.0, 0.5], ids=['all-open', 'some-closed'])
@pytest.mark.parametrize('kind', ['examples', 'crowd'])
@pytest.mark.parametrize('left_out', [0, 3])
def test_best_median_and_worst_are_ranked_by_gated_jaccard(
    kind, left_out, threshold, masks, decisions, request
):
    examples = request.getfixturevalue(kind).subset(np.arange(left_out, 19))
    masks, decisions = masks[left_out:], decisions[left_out:, left_out:]

    def jaccard(i, j):
        counts = [
            pixel_counts(masks[k].ravel().tolist(), truth_in_pair(examples, k, partner))
            for k, partner in ((i, j), (j, i))
        ]
        return mean([both / either for _, _, both, either in counts]) * bool(decisions[i, j] >= threshold)

    protocol = Protocol(16, decision_threshold=threshold)
    everything = np.arange(len(examples))
    picked = pair_samples.best_median_worst(
        examples, predicted(examples, masks, decisions), everything, protocol
    )
    shared = [pair for pair in itertools.combinations(range(len(examples)), 2) if shares(examples, *pair)]
    if kind == 'examples':
        assert len(shared) == (26 if left_out else 31)  # with and without a pair in the middle
    rising = sorted(jaccard(*pair) for pair in shared)
    assert set(picked.values()) <= set(shared)
    assert [jaccard(*picked[rank]) for rank in ('Worst', 'Median', 'Best')] == pytest.approx(
        [rising[0], rising[(len(rising) - 1) // 2], rising[-1]]
    )


def test_nothing_to_rank_without_a_common_object(examples, masks, decisions):
    outliers = examples.subset(np.array([0, 1]))
    predictions = predicted(outliers, masks[:2], decisions[:2, :2])
    chosen = pair_samples.choose(outliers, predictions, Protocol(16), seed=0)
    assert chosen.ranked == {}
    assert chosen.all == chosen.negative == [(0, 1)]


def test_drawn_pairs_are_the_same_whatever_the_model(crowd, masks, decisions):
    predictions = [predicted(crowd, *model) for model in ((masks, decisions), (~masks, 1 - decisions))]
    one, other = (pair_samples.choose(crowd, model, Protocol(16), seed=0) for model in predictions)
    assert (one.positive, one.negative) == (other.positive, other.negative)
    assert one.ranked != other.ranked
