import dataclasses

import numpy as np
import pytest
from scoring_by_hand import score_by_hand

from cosegnet_jax.errors import UserError
from cosegnet_jax.evaluation.protocol import Protocol, baselines, evaluate


def as_dict(results):
    return {
        **dataclasses.asdict(results.overall),
        'per_class': {name: dataclasses.asdict(scores) for name, scores in results.per_class.items()},
        'decision': dataclasses.asdict(results.decision),
    }


def assert_equal_figures(measured, expected):
    assert measured.keys() == expected.keys()
    for key, value in expected.items():
        if isinstance(value, dict):
            assert_equal_figures(measured[key], value)
        else:
            assert measured[key] == pytest.approx(value, abs=1e-12, nan_ok=True), key


@pytest.mark.parametrize('empty_truth', ['one', 'zero', 'skip'])
@pytest.mark.parametrize('threshold', [0.5, 0.8])
def test_figures_equal_the_definition_pair_by_pair(examples, masks, decisions, empty_truth, threshold):
    protocol = Protocol(image_size=16, decision_threshold=threshold, empty_truth=empty_truth)
    measured = as_dict(evaluate(examples, masks, decisions, protocol))
    expected = score_by_hand(examples, masks, decisions, threshold, empty_truth)
    assert 0 < expected['jaccard'] < expected['jaccard_ungated'] < 1  # gates close, masks are imperfect
    assert_equal_figures(measured, expected)


def test_options_for_empty_truths_differ(examples, masks, decisions):
    jaccards = {
        evaluate(examples, masks, decisions, Protocol(16, empty_truth=option)).overall.jaccard
        for option in ('one', 'zero', 'skip')
    }
    assert len(jaccards) == 3


def test_order_of_images_does_not_matter(examples, masks, decisions):
    order = np.random.default_rng(0).permutation(len(examples))
    straight = evaluate(examples, masks, decisions, Protocol(16))
    shuffled = evaluate(examples.subset(order), masks[order], decisions[np.ix_(order, order)], Protocol(16))
    assert_equal_figures(as_dict(shuffled), as_dict(straight))


def test_perfect_masks_and_decisions_score_one(examples):
    truth = examples.masks > 0
    has_object = truth.any(axis=(1, 2))
    shared = (examples.labels[:, None] == examples.labels) & has_object[:, None] & has_object
    results = evaluate(examples, truth, shared.astype(np.float32), Protocol(16))
    assert results.overall.precision_ungated == results.overall.jaccard_ungated == 1
    assert results.decision.accuracy == results.decision.auc == results.decision.null_mask_rate == 1


def test_closed_gates_leave_background_right_and_objects_at_zero(examples, masks):
    objects = examples.subset(np.flatnonzero(examples.masks.any(axis=(1, 2))))
    count = len(objects)
    results = evaluate(objects, masks[:count], np.zeros((count, count), np.float32), Protocol(16))
    assert results.overall.jaccard == 0
    assert 0.5 < results.overall.precision < 0.7  # the background's share, 0.6 on average
    assert results.decision.true_positive_rate == 0
    assert results.decision.null_mask_rate == 1


def test_every_class_weighs_the_same(examples, masks, decisions):
    results = evaluate(examples, masks, decisions, Protocol(16))
    assert {name: scores.pairs for name, scores in results.per_class.items()} == {
        'cat': 28,
        'dog': 10,
        'owl': 10,
    }
    assert results.overall.pairs == 48
    mean = np.mean([scores.jaccard for scores in results.per_class.values()])
    assert results.overall.jaccard == pytest.approx(mean)


def test_class_with_one_image_is_listed_and_its_pairs_still_count_as_negative(examples, masks, decisions):
    results = evaluate(examples, masks, decisions, Protocol(16))
    assert results.skipped_classes == ('fox',)
    assert results.decision.positive_pairs + results.decision.negative_pairs == 19 * 18 // 2


def test_no_pair_at_all_is_the_users_to_solve(examples, masks, decisions):
    lone = np.array([0, 10, 18])
    with pytest.raises(UserError, match='blobs: no class has two images'):
        evaluate(examples.subset(lone), masks[lone], decisions[np.ix_(lone, lone)], Protocol(16))


def test_skipping_every_pair_of_a_class_leaves_its_jaccard_undefined(examples, masks, decisions):
    chosen = np.array([0, 1, 13, 14])  # two cats without an object, two owls
    masks[:2] = False
    results = evaluate(
        examples.subset(chosen),
        masks[chosen],
        decisions[np.ix_(chosen, chosen)],
        Protocol(16, empty_truth='skip'),
    )
    assert np.isnan(results.per_class['cat'].jaccard)
    assert results.per_class['cat'].precision == 1
    assert results.overall.jaccard == results.per_class['owl'].jaccard


def test_baselines_are_scored_by_the_same_protocol(examples):
    everything = np.ones(examples.masks.shape, dtype=bool)
    box = np.zeros(examples.masks.shape, dtype=bool)
    box[:, 3:9, 4:12] = True  # half of 12 by half of 16
    opened = np.ones((19, 19))
    for name, masks in (('all_foreground', everything), ('centre_box', box)):
        expected = score_by_hand(examples, masks, opened, 0.5, 'one')
        measured = baselines(examples, Protocol(16))[name]
        assert measured.precision == pytest.approx(expected['precision'])
        assert measured.jaccard == pytest.approx(expected['jaccard'])
    assert evaluate(examples, everything, opened, Protocol(16)).baselines == baselines(examples, Protocol(16))
