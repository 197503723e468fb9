import numpy as np
from from_arrays import predicted
from scoring_by_hand import pixel_counts, truth_in_pair

from cosegnet_jax.evaluation import pair_samples
from cosegnet_jax.evaluation.predictions import PairMasks
from cosegnet_jax.evaluation.protocol import Protocol
from cosegnet_jax.reports.figures import pair_views


def test_shown_pairs_hold_what_the_model_says_of_them(crowd, masks, decisions):
    """Of a model whose mask of an image depends on the partner: turned by as many rows as its number."""
    asked = []

    def mask(image, partner):
        return np.roll(masks[image], partner, axis=0)

    def segment(pairs):
        asked.extend(map(tuple, pairs.tolist()))
        both = np.stack([[mask(i, j), mask(j, i)] for i, j in pairs])
        return PairMasks(both, decisions[tuple(pairs.T)])

    chosen = pair_samples.choose(crowd, predicted(crowd, masks, decisions), Protocol(16), seed=0)
    pairs = pair_views.load(crowd, chosen, segment, threshold=0.5)
    assert sorted(set(asked)) == sorted(set(chosen.all))

    loaded = [*pairs.positive, *pairs.ranked.values(), *pairs.negative]
    assert list(pairs.ranked) == ['Best', 'Median', 'Worst']
    for pair, indices in zip(loaded, chosen.all, strict=True):
        assert pair.probability == decisions[indices]
        assert pair.is_open == (decisions[indices] >= 0.5)
        for image, k, partner in zip(pair.images, indices, reversed(indices), strict=True):
            truth = truth_in_pair(crowd, k, partner)
            assert image.filename == crowd.filenames[k]
            assert image.classes.split(', ') == [crowd.classes[c] for c in crowd.labels[k] if c >= 0]
            np.testing.assert_array_equal(image.photo, crowd.images[k])
            np.testing.assert_array_equal(image.mask, mask(k, partner))
            assert image.truth.ravel().tolist() == truth
            _, _, both, either = pixel_counts(image.mask.ravel().tolist(), truth)
            assert image.jaccard == (both / either if either else 1)
    assert all(pair.shares_object for pair in [*pairs.positive, *pairs.ranked.values()])
    assert not any(pair.shares_object for pair in pairs.negative)
