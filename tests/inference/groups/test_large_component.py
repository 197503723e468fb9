import numpy as np
import pytest

from cosegnet_jax.inference.groups import large_component
from cosegnet_jax.inference.groups.grouping import group, ordered


class Table:
    """A network that looks up what it decides, of photos whose first number says which they are."""

    def __init__(self, table, rest=0.0):
        self.table = (table + table.T).astype(np.float32) / 2
        np.fill_diagonal(self.table, 1)
        self.embeddings = np.full((len(table), 64), rest, np.float32)
        self.embeddings[:, 0] = np.arange(len(table))
        self.blocks = []  # shapes of those that were decided whole

    def decide(self, rows, columns, symmetric):
        assert symmetric
        self.blocks.append((len(rows), len(columns)))
        first, second = (some[:, 0].astype(int) for some in (rows, columns))
        return self.table[first][:, second]

    def decide_pairs(self, embeddings, pairs):
        return self.table[*embeddings[pairs, 0].astype(int).T]

    def group(self, threshold, largest):
        found = large_component.group_large(self.embeddings, self, threshold, largest)
        return ordered([members.tolist() for members in found])


@pytest.fixture
def six_kinds():
    """Photos of six kinds; the more two differ, the less likely they are decided to be alike."""
    rng = np.random.default_rng(0)
    points = rng.normal(size=(6, 64))[rng.integers(6, size=240)] + 0.6 * rng.normal(size=(240, 64))
    distances = np.square(points[:, None] - points).sum(-1)
    return Table(np.exp(-distances / 120), 1e4 * points)


@pytest.mark.parametrize('threshold', [0.3, 0.4])
def test_groups_are_those_of_the_table_of_all_pairs(six_kinds, threshold):
    expected = group(six_kinds.table, threshold)
    assert 1 < len(expected.groups) < 60
    assert six_kinds.group(threshold, 60) == expected


@pytest.mark.parametrize('threshold', [0.48, 0.5, 0.52])
def test_the_order_of_mutual_merges_changes_nothing(monkeypatch, threshold):
    monkeypatch.setattr(large_component, 'NEAR', 100)
    monkeypatch.setattr(large_component, 'DRAWN', 100**2)
    noise = Table(np.random.default_rng(0).random((100, 100)))
    expected = group(noise.table, threshold)
    assert 1 < len(expected.groups) < 40
    assert noise.group(threshold, 40) == expected


def test_means_are_estimated_from_so_many_photos(six_kinds, monkeypatch):
    monkeypatch.setattr(large_component, 'REPRESENTATIVES', 80)
    found = six_kinds.group(0.3, 60)
    assert max(columns for _, columns in six_kinds.blocks) <= 80
    assert found == group(six_kinds.table, 0.3)


def test_blocks_of_rows_make_the_table(six_kinds, monkeypatch):
    expected = six_kinds.group(0.3, 120)
    six_kinds.blocks.clear()
    monkeypatch.setattr(large_component, '_ROWS', 50)
    assert six_kinds.group(0.3, 120) == expected
    assert len(six_kinds.blocks) == 5


def test_photos_that_are_all_alike_are_one_group():
    same = Table(np.ones((400, 400)))
    assert same.group(1.0, 12) == ([list(range(400))], [])


def test_photos_that_are_unlike_stay_alone_where_one_is_like_many():
    star = np.full((30, 30), 0.1)
    star[0] = star[:, 0] = 0.6  # a mean with one more is below the threshold
    found = Table(star).group(0.5, 8)
    assert [len(some) for some in found.groups] == [2]
    assert len(found.outliers) == 28
