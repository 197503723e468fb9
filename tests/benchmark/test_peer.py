import sys

import pytest

from cosegnet_jax.benchmark import peer
from cosegnet_jax.runtime.errors import UserError


def counting_script(tmp_path, name: str, rates: list[float], key: str = 'triplets_per_s'):
    """A program that answers with one rate after another, and writes down that it was run."""
    path = tmp_path / f'{name}.py'
    path.write_text(f"""
import json, pathlib
log = pathlib.Path({str(tmp_path / 'log')!r})
runs = log.read_text().count({name!r}) if log.exists() else 0
with log.open('a') as file:
    file.write({name!r} + ' ')
print('warming up')
print(json.dumps({{{key!r}: {rates}[runs], 'name': {name!r}}}))
""")
    return [sys.executable, str(path)]


def test_runs_alternate_and_ratios_are_of_neighbors(tmp_path):
    ours = counting_script(tmp_path, 'ours', [2.0, 9.0, 6.0])
    theirs = counting_script(tmp_path, 'theirs', [1.0, 3.0, 3.0])
    row = peer.alternate(ours, theirs, 'train', 3)
    assert (tmp_path / 'log').read_text().split() == ['ours', 'theirs'] * 3
    assert row['peer_ratios'] == [2.0, 3.0, 2.0]
    assert row['peer_ratio'] == 2.0
    assert (row['triplets_per_s'], row['peer_triplets_per_s']) == (6.0, 3.0)
    assert row['peer']['name'] == 'theirs'


def test_a_peer_that_counts_images_is_compared_by_images(tmp_path):
    both = 'import json; print(json.dumps({"pairs_per_s": 9.0, "images_per_s": 4.0}))'
    theirs = counting_script(tmp_path, 'theirs', [2.0], 'images_per_s')
    row = peer.alternate([sys.executable, '-c', both], theirs, 'eval', 1)
    assert (row['peer_ratio'], row['images_per_s'], row['peer_images_per_s']) == (2.0, 4.0, 2.0)


def test_a_peer_that_counts_something_else_is_refused(tmp_path):
    ours = counting_script(tmp_path, 'ours', [1.0], 'pairs_per_s')
    theirs = counting_script(tmp_path, 'theirs', [1.0], 'images_per_s')
    with pytest.raises(UserError, match='prints no rate that is measured here too, of pairs_per_s and'):
        peer.alternate(ours, theirs, 'eval', 1)


def test_a_peer_that_fails_is_named_with_its_last_words(tmp_path):
    ours = counting_script(tmp_path, 'ours', [1.0])
    with pytest.raises(
        UserError, match=r"no JSON line with triplets_per_s or images_per_s \(status 1: .*'no_torch'"
    ):
        peer.alternate(ours, [sys.executable, '-c', 'import no_torch'], 'train', 1)


def test_a_mode_without_a_rate_to_compare_is_refused():
    with pytest.raises(UserError, match='--mode=input: with --peer it must be one of train, eval'):
        peer.alternate([], [], 'input', 1)
