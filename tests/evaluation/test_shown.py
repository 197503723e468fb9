import numpy as np
from from_arrays import counted, deciding
from scoring_by_hand import pixel_counts, truth_in_pair

from cosegnet_jax.evaluation import samples, shown
from cosegnet_jax.evaluation.protocol import Protocol


def test_shown_pairs_hold_the_pixels_of_their_images_alone(crowd, masks, decisions):
    asked = []

    def predict(few):
        asked.extend(few.filenames)
        return np.stack([masks[crowd.filenames.index(name)] for name in few.filenames])

    decide = deciding(decisions)
    chosen = samples.choose(crowd, counted(crowd, masks), decide, Protocol(16), seed=0)
    pairs = shown.load(crowd, chosen, predict, decide, threshold=0.5)
    assert sorted(asked) == sorted({crowd.filenames[image] for pair in chosen.all for image in pair})

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
            np.testing.assert_array_equal(image.mask, masks[k])
            assert image.truth.ravel().tolist() == truth
            _, _, both, either = pixel_counts(masks[k].ravel().tolist(), truth)
            assert image.jaccard == (both / either if either else 1)
    assert all(pair.shares_object for pair in [*pairs.positive, *pairs.ranked.values()])
    assert not any(pair.shares_object for pair in pairs.negative)
