"""The protocols as their definitions read, pair by pair and pixel by pixel, to check the fast ones by."""

import itertools
import math

FIGURES = ('precision', 'jaccard', 'precision_ungated', 'jaccard_ungated')


def mean(values):
    values = [v for v in values if v is not None and not math.isnan(v)]
    return sum(values) / len(values) if values else math.nan


def filed(examples, i):
    return {int(c) for c in examples.labels[i] if c >= 0}


def shown(examples, i):
    return {int(examples.labels[i][value - 1]) for value in examples.masks[i].ravel().tolist() if value}


def truth_in_pair(examples, i, j):
    """For every pixel of image i, whether it is of a class that both images are filed under."""
    common = filed(examples, i) & filed(examples, j)
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
    return [v >= min(average + deviation, 0.8) for v in values]


def groups_by_hand(members):
    """Lists of images in order, as even as can be, of five or more."""
    count = max(len(members) // 5, 1)
    groups = [[] for _ in range(count)]
    for rank, member in enumerate(members):
        groups[rank * count // len(members)].append(member)
    return groups


def mask_scores_by_hand(examples, masks, is_open, empty_truth, protocol):
    """Figures of each class that has pairs; `masks` are lists of flat booleans."""
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
                    mask = [m and gate for m in masks[image]]
                    right, pixels, both, either = pixel_counts(mask, truth_in_pair(examples, image, partner))
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


def calibration_error_by_hand(kinds):
    everything = [(p, kind) for kind in kinds for p in kinds[kind]]
    error = 0.0
    for share in range(20):
        members = [(p, kind) for p, kind in everything if min(int(p * 20), 19) == share]
        if members:
            gap = mean([p for p, _ in members]) - mean([kind for _, kind in members])
            error += abs(gap) * len(members) / len(everything)
    return error


def decision_scores_by_hand(examples, masks, decisions, threshold):
    kinds = {True: [], False: []}
    null, null_outliers = [], []
    for i, j in itertools.combinations(range(len(examples)), 2):
        positive = bool(shown(examples, i) & shown(examples, j))
        kinds[positive].append(float(decisions[i, j]))
        if not positive:
            is_open = bool(decisions[i, j] >= threshold)
            null.append(not any(any(masks[k]) and is_open for k in (i, j)))
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
        'calibration_error': calibration_error_by_hand(kinds),
        'mean_probability': mean(kinds[True] + kinds[False]),
        'positive_rate': len(kinds[True]) / count,
        'mean_probability_open': mean(reach[True] + reach[False]),
        'positive_rate_open': len(reach[True]) / (len(reach[True]) + len(reach[False])),
    }


def score_by_hand(examples, probabilities, decisions, threshold, empty_truth, protocol='cosegnet'):
    """All figures under the names that `results.json` gives them."""
    if protocol == 'ssnm':
        masks = [ssnm_mask(p) for p in probabilities]
    else:
        masks = [(p >= 0.5).ravel().tolist() for p in probabilities]

    def is_open(i, j):
        return bool(decisions[i, j] >= threshold)

    per_class = mask_scores_by_hand(examples, masks, is_open, empty_truth, protocol)
    return {
        'pairs': sum(scores['pairs'] for scores in per_class.values()),
        **{figure: mean([scores[figure] for scores in per_class.values()]) for figure in FIGURES},
        'per_class': per_class,
        'decision': decision_scores_by_hand(examples, masks, decisions, threshold),
    }
