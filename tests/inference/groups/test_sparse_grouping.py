import numpy as np
import pytest
from scipy import sparse

from cosegnet_jax.inference.groups.grouping import group
from cosegnet_jax.inference.groups.sparse_grouping import group_near


class Collection:
    """Photos whose embeddings say which they are, and a table of what is decided of them."""

    def __init__(self, table):
        self.table = (table + table.T).astype(np.float32) / 2
        np.fill_diagonal(self.table, 1)
        self.embeddings = np.zeros((len(table), 64), np.float32)
        self.embeddings[:, 0] = np.arange(len(table))
        self.tables = []  # sizes of those that were decided

    def decide(self, rows, columns=None, symmetric=True):
        assert symmetric
        if columns is None:
            self.tables.append(len(rows))
        first, second = (some[:, 0].astype(int) for some in (rows, rows if columns is None else columns))
        return self.table[first][:, second]

    def decide_pairs(self, embeddings, pairs):
        return self.table[*embeddings[pairs, 0].astype(int).T]

    def group(self, threshold, known=None, **options):
        """`known` says which pairs are decided to begin with."""
        stored = sparse.csr_array(self.table if known is None else np.where(known, self.table, 0))
        return group_near(self.embeddings, stored, self, self.decide, threshold, **options)


def kinds(rng, count, of):
    """Mostly likely inside kinds, and unlikely between them."""
    kind = rng.integers(of, size=count)
    return np.where(kind == kind[:, None], rng.beta(4, 2, (count, count)), rng.beta(1, 9, (count, count)))


@pytest.mark.parametrize('threshold', [0.0, 0.3, 0.5, 0.62, 0.7, 0.9, 1.0])
def test_with_all_pairs_the_groups_are_those_of_the_table(threshold):
    rng = np.random.default_rng(0)
    for table in (kinds(rng, 60, 5), kinds(rng, 60, 30), rng.random((60, 60)), rng.random((2, 2))):
        photos = Collection(table)
        assert photos.group(threshold) == group(photos.table, threshold)


def test_pairs_inside_a_component_that_were_not_decided_are_then():
    table = np.full((6, 6), 0.1)
    table[:3, :3] = table[3:, 3:] = 0.8
    table[2, 3] = table[3, 2] = 0.7  # one wrong decision; on average the two are apart
    chain = np.abs(np.subtract.outer(range(6), range(6))) == 1
    photos = Collection(table)
    assert photos.group(0.5, chain) == ([[0, 1, 2], [3, 4, 5]], [])
    assert photos.tables == [6]


def test_pairs_that_were_not_decided_tie_nothing_together():
    table = np.full((4, 4), 0.9)
    photos = Collection(table)
    known = np.zeros((4, 4), bool)
    known[0, 2] = known[2, 0] = True
    assert photos.group(0.5, known) == ([[0, 2]], [1, 3])


def test_small_components_are_decided_together():
    pairs = np.kron(np.eye(400), np.ones((2, 2)))  # each photo belongs to one other
    photos = Collection(pairs)
    assert photos.group(0.5) == ([[2 * i, 2 * i + 1] for i in range(400)], [])
    assert photos.tables == [256, 256, 256, 32]
