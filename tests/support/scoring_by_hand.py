"""The protocols as their definitions read, pair by pair and pixel by pixel, to check the fast ones by."""

import dataclasses
import itertools
import math

import numpy as np
import pytest

FIGURES = ('precision', 'jaccard', 'precision_ungated', 'jaccard_ungated')


def mean(values):
    values = [v for v in values if v is not None and not math.isnan(v)]
    return sum(values) / len(values) if values else math.nan


def filed(examples, i):
    return {int(c) for c in examples.labels[i] if c >= 0}


def visible(examples, i):
    return {int(examples.labels[i][value - 1]) for value in examples.masks[i].ravel().tolist() if value}


def truth_in_pair(examples, i, j, outlier_truth='empty'):
    """For every pixel of image i, whether it is of a class that both images show, or are filed under."""
    classes = {'empty': visible, 'object': filed}[outlier_truth]
    common = classes(examples, i) & classes(examples, j)
    values = examples.masks[i].ravel().tolist()
    return [value > 0 and int(examples.labels[i][value - 1]) in common for value in values]


def pixel_counts(mask, truth):
    """Right pixels, all pixels, intersection and union."""
    right = both = either = 0
    for m, t in zip(mask, truth, strict=True):
        right += m == t
        both += m and t
        either += m or t
    return right, len(mask), both, either


def ssnm_mask(probabilities):
    values = probabilities.ravel().tolist()
    average = sum(values) / len(values)
    deviation = math.sqrt(sum((v - average) ** 2 for v in values) / len(values))
    return [v > min(average + deviation, 0.8) for v in values]


def mask_by_hand(probabilities, protocol):
    """The pixels of a probability map that are the object's, as a flat list."""
    return ssnm_mask(probabilities) if protocol == 'ssnm' else (probabilities >= 0.5).ravel().tolist()


def beside_any(masks):
    """The masks of a model that gives an image the same one beside every partner."""
    return lambda image, partner: masks[image]


def groups_by_hand(members):
    """Lists of images in order, as even as can be, of five or more."""
    count = max(len(members) // 5, 1)
    groups = [[] for _ in range(count)]
    for rank, member in enumerate(members):
        groups[rank * count // len(members)].append(member)
    return groups


def mask_scores_by_hand(examples, mask_of, is_open, empty_truth, protocol, outlier_truth='empty'):
    """Figures of each class that has pairs; `mask_of(image, partner)` is a flat list of booleans."""
    nothing = {'one': 1.0, 'zero': 0.0, 'skip': None}[empty_truth]
    per_class = {}
    for c, name in enumerate(examples.classes):
        members = [i for i in range(len(examples)) if c in filed(examples, i)]
        sets = groups_by_hand(members) if protocol == 'ssnm' else [members]
        pairs = [pair for group in sets for pair in itertools.combinations(group, 2)]
        if not pairs:
            continue
        scores = {figure: [] for figure in FIGURES}
        sums = {suffix: [0, 0, 0, 0] for suffix in ('', '_ungated')}
        for i, j in pairs:
            for suffix, gate in (('', is_open(i, j)), ('_ungated', True)):
                of_pair = []
                for image, partner in ((i, j), (j, i)):
                    mask = [m and gate for m in mask_of(image, partner)]
                    truth = truth_in_pair(examples, image, partner, outlier_truth)
                    right, pixels, both, either = pixel_counts(mask, truth)
                    of_pair.append((right / pixels, both / either if either else nothing))
                    new = (right, pixels, both, either)
                    sums[suffix] = [a + b for a, b in zip(sums[suffix], new, strict=True)]
                scores['precision' + suffix].append(mean([p for p, _ in of_pair]))
                scores['jaccard' + suffix].append(mean([v for _, v in of_pair]))
        figures = {figure: mean(values) for figure, values in scores.items()}
        if protocol == 'docs':
            for suffix, (right, pixels, both, either) in sums.items():
                figures['precision' + suffix] = right / pixels
                figures['jaccard' + suffix] = both / either if either else math.nan
        per_class[name] = {'pairs': len(pairs), **figures}
    return per_class


def average_precision_by_hand(kinds):
    total, recall = 0.0, 0.0
    for threshold in sorted({*kinds[True], *kinds[False]}, reverse=True):
        found, wrong = (sum(p >= threshold for p in kinds[kind]) for kind in (True, False))
        total += (found / len(kinds[True]) - recall) * found / (found + wrong)
        recall = found / len(kinds[True])
    return total


def average_precision_error_by_hand(kinds):
    """How much hangs on ties: a positive may be the last of its ties, or the first below the wrong ones."""
    best, worst = [], []
    for score in kinds[True]:
        (above, at), (wrong, wrong_at) = (
            (sum(p > score for p in kinds[kind]), sum(p == score for p in kinds[kind]))
            for kind in (True, False)
        )
        best.append((above + at) / (above + at + wrong))
        worst.append((above + 1) / (above + 1 + wrong + wrong_at))
    value = average_precision_by_hand(kinds)
    return max(mean(best) - value, value - mean(worst))


def calibration_error_by_hand(kinds):
    everything = [(p, kind) for kind in kinds for p in kinds[kind]]
    error = 0.0
    for share in range(20):
        members = [(p, kind) for p, kind in everything if min(int(p * 20), 19) == share]
        if members:
            gap = mean([p for p, _ in members]) - mean([kind for _, kind in members])
            error += abs(gap) * len(members) / len(everything)
    return error


def decision_scores_by_hand(examples, mask_of, decisions, pairs, threshold):
    kinds = {True: [], False: []}
    null, null_outliers = [], []
    for i, j in pairs:
        positive = bool(visible(examples, i) & visible(examples, j))
        kinds[positive].append(float(decisions[i, j]))
        if not positive:
            is_open = bool(decisions[i, j] >= threshold)
            null.append(not any(any(mask_of(*order)) and is_open for order in ((i, j), (j, i))))
            if filed(examples, i) & filed(examples, j):
                null_outliers.append(null[-1])
    reach = {kind: [p for p in kinds[kind] if p >= decisions.dtype.type(threshold)] for kind in kinds}
    true_positives = len(reach[True]) / len(kinds[True])
    true_negatives = 1 - len(reach[False]) / len(kinds[False])
    wins = [(p > n) + (p == n) / 2 for p in kinds[True] for n in kinds[False]]
    ties = [(p == n) / 2 for p in kinds[True] for n in kinds[False]]
    count = len(kinds[True]) + len(kinds[False])
    return {
        'threshold': threshold,
        'positive_pairs': len(kinds[True]),
        'negative_pairs': len(kinds[False]),
        'outlier_pairs': len(null_outliers),
        'accuracy': (len(reach[True]) + len(kinds[False]) - len(reach[False])) / count,
        'balanced_accuracy': (true_positives + true_negatives) / 2,
        'true_positive_rate': true_positives,
        'true_negative_rate': true_negatives,
        'null_mask_rate': mean(null),
        'null_mask_rate_outliers': mean(null_outliers),
        'auc': mean(wins),
        'auc_error': mean(ties),
        'average_precision': average_precision_by_hand(kinds),
        'average_precision_error': average_precision_error_by_hand(kinds),
        'calibration_error': calibration_error_by_hand(kinds),
        'mean_probability': mean(kinds[True] + kinds[False]),
        'positive_rate': len(kinds[True]) / count,
        'mean_probability_open': mean(reach[True] + reach[False]),
        'positive_rate_open': len(reach[True]) / (len(reach[True]) + len(reach[False])),
    }


def _score(examples, mask_of, decisions, pairs, threshold, empty_truth, protocol):
    """All figures under the names that `results.json` gives them; `pairs` are the decided ones."""

    def is_open(i, j):
        return bool(decisions[i, j] >= threshold)

    per_class = mask_scores_by_hand(examples, mask_of, is_open, empty_truth, protocol)
    return {
        'pairs': sum(scores['pairs'] for scores in per_class.values()),
        **{figure: mean([scores[figure] for scores in per_class.values()]) for figure in FIGURES},
        'per_class': per_class,
        'decision': decision_scores_by_hand(examples, mask_of, decisions, pairs, threshold),
    }


def score_by_hand(examples, probabilities, decisions, threshold, empty_truth, protocol):
    """Figures of a model that makes a mask of each image, and decides all pairs."""
    mask_of = beside_any([mask_by_hand(p, protocol) for p in probabilities])
    pairs = itertools.combinations(range(len(examples)), 2)
    return _score(examples, mask_of, decisions, pairs, threshold, empty_truth, protocol)


def score_pairs_by_hand(examples, maps, pairs, threshold, empty_truth, protocol):
    """Figures of a model of pairs: maps[i, j] is the probability map of image i beside image j."""
    masks = {order: mask_by_hand(maps[order], protocol) for pair in pairs for order in (pair, pair[::-1])}
    highest = maps.max(axis=(2, 3))
    decisions = np.maximum(highest, highest.T)
    return _score(examples, lambda *order: masks[order], decisions, pairs, threshold, empty_truth, protocol)


def as_dict(results):
    """The figures of a `protocol.Results` under the same names."""
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
