import dataclasses
import importlib.util
import sys

import jax
import numpy as np
import pytest

from cosegnet_jax.export import onnx_file
from cosegnet_jax.export.exported_functions import functions, merged
from cosegnet_jax.runtime.errors import UserError

pytestmark = pytest.mark.slow

MISSING = [name for name in ('jax2onnx', 'onnxruntime') if importlib.util.find_spec(name) is None]


@pytest.fixture(scope='module')
def to_onnx():
    if MISSING:
        pytest.skip(f"{' and '.join(MISSING)} not installed: pip install 'cosegnet-jax[onnx]'")
    return onnx_file.converter()


def test_without_the_extra_it_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, 'jax2onnx', None)
    with pytest.raises(UserError, match=r"jax2onnx is not installed; pip install 'cosegnet-jax\[onnx\]'"):
        onnx_file.converter()


@pytest.mark.parametrize('dtype', ['float32', 'bfloat16'])  # ONNX holds the network in float32 either way
@pytest.mark.filterwarnings('ignore')  # of libraries that only the converter uses
def test_onnxruntime_finds_what_the_network_finds(tmp_path, network, to_onnx, dtype):
    import onnxruntime

    network = at_64_pixels(network, 'float32')
    rng = np.random.default_rng(0)
    given, rows = rng.integers(0, 256, (3, 64, 64, 3), np.uint8), rng.standard_normal((3, 64), np.float32)
    describe, decide = functions(merged(network), 64)
    masks, embeddings = jax.jit(describe.call)(given)
    table = jax.jit(decide.call)(rows, rows[:2])
    assert np.ptp(masks) > 0.5  # else one network would look like another

    onnx_file.write(tmp_path, at_64_pixels(network, dtype), to_onnx)
    looking, deciding = (
        onnxruntime.InferenceSession(tmp_path / f'{name}.onnx', providers=['CPUExecutionProvider'])
        for name in ('describe', 'decide')
    )
    found = looking.run(['masks', 'embeddings'], {'images': given})
    # The logits of this network go to hundreds, so that rounding shows in its masks.
    np.testing.assert_allclose(found[0], masks, atol=5e-4)
    np.testing.assert_allclose(found[1], embeddings, rtol=1e-4, atol=1e-4)
    (first,) = looking.run(['masks'], {'images': given[:1]})
    np.testing.assert_allclose(first, found[0][:1], atol=5e-4)
    (decided,) = deciding.run(['probabilities'], {'rows': rows, 'columns': rows[:2]})
    np.testing.assert_allclose(decided, table, atol=1e-6)
    # What was converted still computes: the converter puts layers of its own in place of JAX's for a while.
    np.testing.assert_array_equal(jax.jit(describe.call)(given)[0], masks)


def at_64_pixels(network, dtype):
    model = dataclasses.replace(network.config.model, dtype=dtype)
    return dataclasses.replace(
        network, config=dataclasses.replace(network.config, model=model, image_size=64)
    )
