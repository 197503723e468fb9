import numpy as np
import pytest
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import squareform

from cosegnet_jax.inference.groups.linkage import cut, members_of, merge_nearest


def distances(count, decimals=None):
    table = np.random.default_rng(0).random((count, count))
    table = table + table.T if decimals is None else np.round(table + table.T, decimals)
    np.fill_diagonal(table, 0)
    return table


@pytest.mark.parametrize(('count', 'decimals'), [(2, None), (3, 0), (50, None), (80, 1)])
def test_merges_are_those_of_scipy_also_where_some_are_as_near(count, decimals):
    table = distances(count, decimals)
    expected = linkage(squareform(table), 'average')
    merges = merge_nearest(table.copy(), np.ones(count, int))
    np.testing.assert_array_equal(merges.heights, expected[:, 2])
    for height in (0.5, 0.9, 1.0):
        theirs = fcluster(expected, height, 'distance')
        together = theirs == theirs[:, None]
        ours = cut(merges, height)
        np.testing.assert_array_equal(ours == ours[:, None], together)


def test_a_cluster_counts_as_many_times_as_it_has_members():
    """Clusters of given sizes merge as their members do where these are merged first."""
    sizes = np.array([3, 1, 5, 2, 1, 4, 2])
    between = distances(len(sizes))
    member = np.arange(len(sizes)).repeat(sizes)
    singly = merge_nearest(between[member][:, member], np.ones(len(member), int))
    merges = merge_nearest(between.copy(), sizes)
    np.testing.assert_allclose(merges.heights, singly.heights[-len(merges.heights) :])
    for height in merges.heights:
        ours, theirs = cut(merges, height + 1e-9)[member], cut(singly, height + 1e-9)
        np.testing.assert_array_equal(ours == ours[:, None], theirs == theirs[:, None])


def test_a_cut_leaves_as_many_clusters_as_it_is_told():
    merges = merge_nearest(distances(20), np.ones(20, int))
    assert len(set(cut(merges, np.inf).tolist())) == 1
    assert len(set(cut(merges, np.inf, 7).tolist())) == 7
    assert len(set(cut(merges, -1.0, 7).tolist())) == 20


def test_members_are_named_by_label():
    found = members_of(np.array([1, 0, 1, 2, 0]))
    assert [some.tolist() for some in found] == [[1, 4], [0, 2], [3]]
