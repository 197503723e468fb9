import jax
import jax.numpy as jnp
import numpy as np
import pytest

from cosegnet_jax import config as configs
from cosegnet_jax.data.examples import NO_CLASS
from cosegnet_jax.losses import mining


def semi_hard_by_hand(distances, share):
    """{(anchor, positive): negative} by loops over what FaceNet §3.2 says."""
    n, found = len(distances), {}
    for a in range(n):
        negatives = [i for i in range(n) if i != a and not share[a, i]]
        for p in range(n):
            if p == a or not share[a, p] or not negatives:
                continue
            farther = [i for i in negatives if distances[a, i] > distances[a, p]]
            if farther:
                found[a, p] = min(farther, key=lambda i: distances[a, i])
            else:
                found[a, p] = max(negatives, key=lambda i: distances[a, i])
    return found


def same_class(labels):
    return labels[:, None] == labels[None]


def config(sampler='balanced', negatives='semi_hard'):
    return configs.Config(data=configs.Data(sampler=sampler), loss=configs.Loss(negatives=negatives))


def found(points, share, sampler='balanced', negatives='semi_hard', numbers=None, seed=0):
    """{(anchor, positive): negative} from the devices, None where there is none."""
    points, share = jnp.asarray(points, jnp.float32), jnp.asarray(share)
    numbers = jnp.arange(len(points), dtype=jnp.int32) if numbers is None else jnp.asarray(numbers, jnp.int32)
    triplets = mining.find(points, share, numbers, jax.random.key(seed), config(sampler, negatives))
    rows = zip(*(np.asarray(part).tolist() for part in triplets), strict=True)
    return {(a, p): n if has_negative else None for a, p, n, valid, has_negative in rows if valid}


@pytest.mark.parametrize('seed', range(4))
@pytest.mark.parametrize('images', [2, 4, 12])
def test_semi_hard_negatives_are_those_of_plain_loops(seed, images):
    rng = np.random.default_rng(seed)
    points = rng.normal(size=(images, 3)).astype(np.float32)
    distances = np.linalg.norm(points[:, None] - points, axis=-1)
    share = same_class(rng.integers(0, max(2, images // 3), images))
    outliers = rng.random(images) < 0.2
    share &= ~outliers[:, None] & ~outliers
    with_negatives = {pair: n for pair, n in found(points, share).items() if n is not None}
    assert with_negatives == semi_hard_by_hand(distances, share)


def on_a_line(*places):
    return np.array(places, np.float32)[:, None]


PAIR_AND_TWO = same_class(np.array([0, 0, 1, 2]))


def test_the_nearest_of_the_farther_negatives_is_semi_hard():
    assert found(on_a_line(0, 2, 3, 5), PAIR_AND_TWO)[0, 1] == 2


def test_a_negative_nearer_than_the_positive_is_not_semi_hard():
    assert found(on_a_line(0, 2, 1, 5), PAIR_AND_TWO)[0, 1] == 3


def test_without_any_semi_hard_negative_it_is_the_farthest():
    assert found(on_a_line(0, 9, 1, 5), PAIR_AND_TWO)[0, 1] == 3


def test_every_ordered_pair_that_shares_counts_once():
    labels = np.array([0, 0, 0, 1, 1, 2])
    assert set(found(np.arange(6)[:, None], same_class(labels))) == {
        (a, p) for a in range(6) for p in range(6) if a != p and labels[a] == labels[p]
    }


def test_an_anchor_without_negatives_has_none():
    assert found(on_a_line(0, 1, 5), np.ones((3, 3), bool)) == dict.fromkeys(
        [(0, 1), (0, 2), (1, 0), (1, 2), (2, 0), (2, 1)]
    )


def test_an_outlier_is_no_anchor_and_no_negative_of_itself():
    share = np.array([[True, True, False], [True, True, False], [False, False, False]])
    assert found(on_a_line(0, 1, 5), share) == {(0, 1): 2, (1, 0): 2}


def test_an_image_that_was_drawn_twice_is_neither_positive_nor_negative_of_itself():
    share = same_class(np.array([0, 0, 0, 1]))
    pairs = found(on_a_line(0, 0, 3, 4), share, numbers=[7, 7, 8, 9])
    assert set(pairs) == {(0, 2), (1, 2), (2, 0), (2, 1)}
    share[0] = share[:, 0] = False  # the object was cropped away from one of the two
    assert found(on_a_line(0, 0, 3, 4), share, numbers=[7, 7, 8, 9])[1, 2] == 3


def test_random_negatives_are_any_that_share_nothing():
    share = same_class(np.array([0, 0, 1, 1, 2]))
    drawn = [found(np.zeros((5, 1)), share, negatives='random', seed=seed)[0, 1] for seed in range(200)]
    np.testing.assert_allclose(np.bincount(drawn, minlength=5) / 200, [0, 0, 1 / 3, 1 / 3, 1 / 3], atol=0.12)


def test_drawn_triplets_are_the_groups_in_order():
    share = same_class(np.array([0, 0, 1, 2, 2, 3]))
    assert found(np.zeros((6, 1)), share, 'triplets', 'random') == {(0, 1): 2, (3, 4): 5}


def test_a_drawn_pair_may_get_a_semi_hard_negative_of_another_triplet():
    share = same_class(np.array([0, 0, 1, 2, 2, 3]))
    assert found(on_a_line(0, 1, 9, 2, 8, 7), share, 'triplets') == {(0, 1): 3, (3, 4): 2}


def test_objects_are_common_where_both_masks_show_their_class():
    labels = jnp.array([[4, 7], [7, NO_CLASS], [4, NO_CLASS], [4, NO_CLASS]], jnp.int32)
    masks = np.zeros((4, 2, 2), np.uint8)
    masks[0, 0], masks[0, 1] = 1, 2  # shows 4 and 7
    masks[1, 0, 0] = masks[2, 0, 0] = 1  # show 7, and 4; the last is an outlier
    common = np.asarray(mining.common_objects(jnp.asarray(masks), labels))
    assert {tuple(row) for row in np.argwhere(common).tolist()} == {
        *((0, 0, 0), (0, 0, 1), (1, 1, 0), (2, 2, 0)),
        *((0, 1, 1), (1, 0, 0), (0, 2, 0), (2, 0, 0)),
    }
