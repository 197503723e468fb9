import subprocess
import sys

import jax
import numpy as np
import pytest

from cosegnet_jax.export import stablehlo
from cosegnet_jax.export.exported_functions import functions, merged

pytestmark = pytest.mark.slow

LOAD = """
import sys
from pathlib import Path
import numpy as np
from jax import export

folder = Path(sys.argv[1])
files = folder / 'describe.stablehlo', folder / 'decide.stablehlo'
describe, decide = (export.deserialize(bytearray(file.read_bytes())) for file in files)
given, rows = np.load(folder / 'given.npy'), np.load(folder / 'rows.npy')
masks, embeddings = describe.call(given)
first, _ = describe.call(given[:1])
table = decide.call(rows, rows[:2])
np.savez(folder / 'found.npz', masks=masks, embeddings=embeddings, first=first, table=table)
print(*describe.platforms, any(name.startswith('cosegnet') for name in sys.modules))
"""


@pytest.fixture(scope='module')
def given():
    return np.random.default_rng(0).integers(0, 256, (3, 32, 32, 3), np.uint8)


def test_jax_alone_finds_what_the_network_finds(tmp_path, network, given):
    stablehlo.write(tmp_path, network)
    rows = np.random.default_rng(1).standard_normal((3, 64), np.float32)
    np.save(tmp_path / 'given.npy', given)
    np.save(tmp_path / 'rows.npy', rows)
    done = subprocess.run(
        [sys.executable, '-c', LOAD, str(tmp_path)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ['cpu', 'cuda', 'tpu', 'False']

    describe, decide = functions(merged(network), network.config.image_size)
    masks, embeddings = jax.jit(describe.call)(given)
    assert np.ptp(masks) > 0.5  # else one network would look like another
    with np.load(tmp_path / 'found.npz') as found:
        np.testing.assert_allclose(found['masks'], masks, atol=1e-6)
        np.testing.assert_allclose(found['first'], masks[:1], atol=1e-5)  # a batch of one rounds otherwise
        np.testing.assert_allclose(found['embeddings'], embeddings, rtol=1e-5, atol=1e-5)
        table = jax.jit(decide.call)(rows, rows[:2])
        np.testing.assert_allclose(found['table'], table, atol=1e-6)
        assert np.ptp(table) > 0.1


def test_the_functions_are_what_prediction_computes(segmenter, network, given):
    describe, decide = functions(merged(network), network.config.image_size)
    masks, embeddings = jax.jit(describe.call)(given)
    found = segmenter.cosegment(list(given), threshold=0.0)
    np.testing.assert_allclose(np.stack(list(found.soft_masks)), masks, atol=0.5 / 255 + 1e-6)
    np.testing.assert_allclose(found.embeddings, embeddings, rtol=1e-5, atol=1e-5)  # batches of 3 and of 4
    pairs = ~np.eye(3, dtype=bool)  # a photo and itself are not decided
    table = np.asarray(decide.call(embeddings, embeddings))
    np.testing.assert_allclose(found.probabilities[pairs], table[pairs], atol=1e-6)
