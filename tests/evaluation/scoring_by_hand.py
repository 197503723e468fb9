"""The protocol as the definition reads, pair by pair and pixel by pixel, to check the fast one against."""

import itertools
import math


def pixel_scores(mask, truth, empty_truth):
    """Precision and Jaccard of one mask; None for a skipped Jaccard."""
    right = both = either = pixels = 0
    for m, t in zip(mask.ravel().tolist(), truth.ravel().tolist(), strict=True):
        pixels += 1
        right += bool(m) == bool(t)
        both += bool(m) and bool(t)
        either += bool(m) or bool(t)
    nothing = {'one': 1.0, 'zero': 0.0, 'skip': None}[empty_truth]
    return right / pixels, both / either if either else nothing


def mean(values):
    values = [v for v in values if v is not None and not math.isnan(v)]
    return sum(values) / len(values) if values else math.nan


def score_by_hand(examples, masks, decisions, threshold, empty_truth):
    """All figures under the names that `results.json` gives them."""
    figures = ('precision', 'jaccard', 'precision_ungated', 'jaccard_ungated')
    of_class = {}
    right = []
    kinds = {True: [], False: []}
    null_on_negatives = []
    for i, j in itertools.combinations(range(len(examples)), 2):
        is_open = bool(decisions[i, j] >= threshold)
        same_class = examples.labels[i] == examples.labels[j]
        positive = bool(same_class and examples.masks[i].sum() > 0 and examples.masks[j].sum() > 0)
        right.append(is_open == positive)
        kinds[positive].append(float(decisions[i, j]))
        if not positive:
            shown = [masks[k] & is_open for k in (i, j)]
            null_on_negatives.append(not shown[0].any() and not shown[1].any())
        if same_class:
            pair = {}
            for suffix, gate in (('', is_open), ('_ungated', True)):
                both = [pixel_scores(masks[k] & gate, examples.masks[k], empty_truth) for k in (i, j)]
                pair['precision' + suffix] = mean([p for p, _ in both])
                pair['jaccard' + suffix] = mean([v for _, v in both])
            of_class.setdefault(examples.classes[examples.labels[i]], []).append(pair)
    per_class = {
        name: {'pairs': len(pairs), **{f: mean([p[f] for p in pairs]) for f in figures}}
        for name, pairs in of_class.items()
    }
    true_positives = mean([p >= threshold for p in kinds[True]])
    true_negatives = mean([p < threshold for p in kinds[False]])
    wins = [(p > n) + (p == n) / 2 for p in kinds[True] for n in kinds[False]]
    return {
        'pairs': sum(len(pairs) for pairs in of_class.values()),
        **{f: mean([scores[f] for scores in per_class.values()]) for f in figures},
        'per_class': per_class,
        'decision': {
            'threshold': threshold,
            'positive_pairs': len(kinds[True]),
            'negative_pairs': len(kinds[False]),
            'accuracy': mean(right),
            'balanced_accuracy': (true_positives + true_negatives) / 2,
            'true_positive_rate': true_positives,
            'true_negative_rate': true_negatives,
            'null_mask_rate': mean(null_on_negatives),
            'auc': mean(wins),
        },
    }
