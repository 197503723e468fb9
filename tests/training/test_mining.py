import jax
import jax.numpy as jnp
import numpy as np
import pytest

from cosegnet_jax.data.examples import NO_CLASS
from cosegnet_jax.training import mining


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


def mined(distances, share):
    """The same from the devices."""
    share = jnp.asarray(share)
    found = mining.semi_hard(jnp.asarray(distances), share)
    triplets = mining.with_negatives(mining.all_pairs(share), share, found)
    rows = zip(*(np.asarray(part).tolist() for part in triplets), strict=True)
    return {(a, p): n for a, p, n, counts, opposed in rows if counts and opposed}


def same_class(labels):
    return labels[:, None] == labels[None]


@pytest.mark.parametrize('seed', range(4))
@pytest.mark.parametrize('images', [2, 4, 12])
def test_semi_hard_negatives_are_those_of_plain_loops(seed, images):
    rng = np.random.default_rng(seed)
    points = rng.normal(size=(images, 3)).astype(np.float32)
    distances = np.linalg.norm(points[:, None] - points, axis=-1)
    share = same_class(rng.integers(0, max(2, images // 3), images))
    outliers = rng.random(images) < 0.2
    share &= ~outliers[:, None] & ~outliers
    assert mined(distances, share) == semi_hard_by_hand(distances, share)


def on_a_line(*places):
    line = np.array(places, np.float32)
    return np.abs(line[:, None] - line)


PAIR_AND_TWO = same_class(np.array([0, 0, 1, 2]))


def test_the_nearest_of_the_farther_negatives_is_semi_hard():
    assert mined(on_a_line(0, 2, 3, 5), PAIR_AND_TWO)[0, 1] == 2


def test_a_negative_nearer_than_the_positive_is_not_semi_hard():
    assert mined(on_a_line(0, 2, 1, 5), PAIR_AND_TWO)[0, 1] == 3


def test_without_any_semi_hard_negative_it_is_the_farthest():
    assert mined(on_a_line(0, 9, 1, 5), PAIR_AND_TWO)[0, 1] == 3


def test_every_ordered_pair_that_shares_counts_once():
    labels = np.array([0, 0, 0, 1, 1, 2])
    assert set(mined(np.ones((6, 6), np.float32), same_class(labels))) == {
        (a, p) for a in range(6) for p in range(6) if a != p and labels[a] == labels[p]
    }


def test_an_anchor_without_negatives_has_none():
    share = jnp.ones((3, 3), bool)
    found = mining.semi_hard(jnp.ones((3, 3)), share)
    triplets = mining.with_negatives(mining.all_pairs(share), share, found)
    assert triplets.counts.sum() == 6
    assert not triplets.opposed.any()


def test_an_outlier_is_no_anchor_and_no_negative_of_itself():
    share = np.array([[True, True, False], [True, True, False], [False, False, False]])
    assert mined(on_a_line(0, 1, 5), share) == {(0, 1): 2, (1, 0): 2}


def test_random_negatives_are_any_that_share_nothing():
    share = jnp.asarray(same_class(np.array([0, 0, 1, 1, 2])))
    draw = jax.jit(mining.random)
    drawn = np.stack([draw(jax.random.key(i), share) for i in range(300)])
    of_first = np.bincount(drawn[:, 0, 1], minlength=5) / 300
    np.testing.assert_allclose(of_first, [0, 0, 1 / 3, 1 / 3, 1 / 3], atol=0.1)


def test_drawn_triplets_are_the_groups_in_order():
    anchor, positive, negative, counts, opposed = mining.drawn(2)
    assert (anchor.tolist(), positive.tolist(), negative.tolist()) == ([0, 3], [1, 4], [2, 5])
    assert counts.all()
    assert opposed.all()


def test_a_drawn_pair_may_get_a_semi_hard_negative_of_another_triplet():
    share = jnp.asarray(same_class(np.array([0, 0, 1, 2, 2, 3])))
    found = mining.semi_hard(jnp.asarray(on_a_line(0, 1, 9, 2, 8, 7)), share)
    triplets = mining.with_negatives(mining.drawn(2), share, found)
    rows = zip(*(part.tolist() for part in triplets[:3]), strict=True)
    assert list(rows) == [(0, 1, 3), (3, 4, 2)]


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
