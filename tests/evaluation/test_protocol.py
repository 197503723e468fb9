import dataclasses

import numpy as np
import pytest
from from_arrays import evaluate
from scoring_by_hand import (
    FIGURES,
    as_dict,
    assert_equal_figures,
    beside_any,
    mask_scores_by_hand,
    mean,
    score_by_hand,
)

from cosegnet_jax.evaluation import pairs
from cosegnet_jax.evaluation.protocol import Protocol
from cosegnet_jax.runtime.errors import UserError


@pytest.mark.parametrize('name', ['cosegnet', 'docs', 'ssnm'])
@pytest.mark.parametrize(('empty_truth', 'threshold'), [('one', 0.5), ('zero', 0.8), ('skip', 0.5)])
def test_figures_equal_the_definition_pair_by_pair(
    any_examples, probabilities, decisions, empty_truth, threshold, name, monkeypatch
):
    monkeypatch.setattr(pairs, 'BLOCK', 5)
    protocol = Protocol(16, name, decision_threshold=threshold, empty_truth=empty_truth)
    masks = protocol.preset.masks(probabilities, 0.5)
    measured = as_dict(evaluate(any_examples, masks, decisions, protocol))
    expected = score_by_hand(any_examples, probabilities, decisions, threshold, empty_truth, name)
    gated, ungated = expected['jaccard'], expected['jaccard_ungated']
    assert 0 < gated < 1  # masks are imperfect,
    assert 0 < ungated < 1
    assert gated != ungated  # and gates close
    assert_equal_figures(measured, expected)


@pytest.mark.parametrize('name', ['cosegnet', 'docs', 'ssnm'])
def test_both_readings_of_pairs_with_an_outlier_are_reported(any_examples, probabilities, decisions, name):
    protocol = Protocol(16, name, outlier_truth='object')
    masks = protocol.preset.masks(probabilities, 0.5)
    results = evaluate(any_examples, masks, decisions, protocol)
    assert results.overall == results.by_outlier_truth['object']
    mask_of = beside_any([mask.ravel().tolist() for mask in masks])
    for reading, scores in results.by_outlier_truth.items():
        by_hand = mask_scores_by_hand(
            any_examples, mask_of, lambda i, j: decisions[i, j] >= 0.5, 'one', name, reading
        )
        for figure in FIGURES:
            assert getattr(scores, figure) == pytest.approx(mean([s[figure] for s in by_hand.values()]))
    assert len({scores.jaccard for scores in results.by_outlier_truth.values()}) == 2


def test_a_set_without_outliers_has_one_reading(examples, masks, decisions):
    rows = np.flatnonzero(examples.visible[:, 0])
    results = evaluate(examples.subset(rows), masks[rows], decisions[np.ix_(rows, rows)], Protocol(16))
    assert results.by_outlier_truth == {}


def test_figures_of_one_class_an_image_stay_what_they_were(examples, masks, decisions):
    """As the first release measured them, with every pair in memory."""
    results = evaluate(examples, masks, decisions, Protocol(16, outlier_truth='object'))
    assert dataclasses.astuple(results.overall) == pytest.approx(
        (48, 0.8359809027777777, 0.552195666809041, 0.8776041666666666, 0.626260553794516)
    )
    decision = results.decision
    assert (decision.accuracy, decision.auc) == pytest.approx((0.6140350877192983, 0.8170506912442397))
    assert (decision.balanced_accuracy, decision.null_mask_rate) == pytest.approx(
        (0.6889400921658986, 0.5857142857142857)
    )


@pytest.mark.parametrize(('name', 'different'), [('cosegnet', 3), ('ssnm', 3), ('docs', 1)])
def test_options_for_empty_truths_differ_where_they_are_read(examples, masks, decisions, name, different):
    protocols = [Protocol(16, name, empty_truth=option) for option in ('one', 'zero', 'skip')]
    jaccards = {evaluate(examples, masks, decisions, protocol).overall.jaccard for protocol in protocols}
    assert len(jaccards) == different
    stated = {protocol.as_dict()['empty_truth'] for protocol in protocols}
    assert stated == ({None} if different == 1 else {'one', 'zero', 'skip'})


def test_presets_differ_and_say_what_they_do(examples, probabilities, decisions):
    protocols = [Protocol(16, name) for name in ('cosegnet', 'docs', 'ssnm')]
    figures = {
        evaluate(examples, p.preset.masks(probabilities, 0.5), decisions, p).overall.jaccard
        for p in protocols
    }
    assert len(figures) == 3
    words = [tuple(p.as_dict()[key] for key in ('masks', 'pairs', 'average')) for p in protocols]
    assert len(set(words)) == 3


def test_order_of_images_does_not_matter(any_examples, masks, decisions):
    order = np.random.default_rng(0).permutation(len(any_examples))
    straight = evaluate(any_examples, masks, decisions, Protocol(16))
    shuffled = evaluate(
        any_examples.subset(order), masks[order], decisions[np.ix_(order, order)], Protocol(16)
    )
    assert_equal_figures(as_dict(shuffled), as_dict(straight))


def test_perfect_masks_and_decisions_of_images_score_one(examples):
    truth = examples.masks > 0
    has_object = truth.any(axis=(1, 2))
    shared = (examples.labels == examples.labels[:, 0]) & has_object[:, None] & has_object
    results = evaluate(examples, truth, shared.astype(np.float32), Protocol(16))
    assert results.overall.precision == results.overall.jaccard == 1
    assert results.by_outlier_truth['object'].jaccard < 1
    decision = results.decision
    assert decision.accuracy == decision.auc == decision.average_precision == decision.null_mask_rate == 1
    assert decision.calibration_error == 0


def test_closed_gates_leave_background_right_and_objects_at_zero(examples, masks):
    objects = examples.subset(np.flatnonzero(examples.masks.any(axis=(1, 2))))
    count = len(objects)
    results = evaluate(objects, masks[:count], np.zeros((count, count), np.float32), Protocol(16))
    assert results.overall.jaccard == 0
    assert 0.5 < results.overall.precision < 0.7  # the background's share, 0.6 on average
    assert results.decision.true_positive_rate == 0
    assert results.decision.null_mask_rate == 1
    assert np.isnan(results.decision.positive_rate_open)


def test_every_class_weighs_the_same(examples, masks, decisions):
    results = evaluate(examples, masks, decisions, Protocol(16))
    assert {name: scores.pairs for name, scores in results.per_class.items()} == {
        'cat': 28,
        'dog': 10,
        'owl': 10,
    }
    assert results.overall.pairs == 48
    mean_of_classes = np.mean([scores.jaccard for scores in results.per_class.values()])
    assert results.overall.jaccard == pytest.approx(mean_of_classes)


def test_class_with_one_image_is_listed_and_its_pairs_still_count_as_negative(examples, masks, decisions):
    results = evaluate(examples, masks, decisions, Protocol(16))
    assert results.skipped_classes == ('fox',)
    assert results.decision.positive_pairs + results.decision.negative_pairs == 19 * 18 // 2
    assert results.probabilities.sum() == 19 * 18 // 2


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


@pytest.mark.parametrize('name', ['cosegnet', 'docs', 'ssnm'])
def test_baselines_are_scored_by_the_same_protocol_with_every_gate_open(any_examples, masks, decisions, name):
    box = np.zeros(any_examples.masks.shape, dtype=bool)
    box[:, 3:9, 4:12] = True  # half of 12 by half of 16
    found = evaluate(any_examples, masks, decisions, Protocol(16, name)).baselines
    for baseline, marked in (('all_foreground', np.ones_like(box)), ('center_box', box)):
        mask_of = beside_any([mask.ravel().tolist() for mask in marked])
        expected = mask_scores_by_hand(any_examples, mask_of, lambda i, j: True, 'one', name)
        for figure in FIGURES:
            value = mean([scores[figure] for scores in expected.values()])
            assert getattr(found[baseline], figure) == pytest.approx(value)
