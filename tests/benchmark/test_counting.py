import jax
import jax.numpy as jnp
import pytest
from flax import nnx

from cosegnet_jax.benchmark import counting
from cosegnet_jax.config import Model
from cosegnet_jax.models import convolution
from cosegnet_jax.models.attention import SemanticAttention
from cosegnet_jax.models.baseline import CoSegNetBase
from cosegnet_jax.models.docs import Docs
from cosegnet_jax.models.layers import Convolution


def test_the_papers_network_takes_39_billion_multiply_accumulates():
    macs = counting.per_image(Model(), 224)
    assert macs.first == 224**2 * 27 * 64
    assert sum(macs) == pytest.approx(39e9, rel=0.01)
    # cT10-cT13 by hand: 112² of 256→128 and 128→128, 224² of 128→64 and 64→1.
    assert macs.from_tap == 9 * (112**2 * (256 * 128 + 128 * 128) + 224**2 * (128 * 64 + 64))


def test_an_enlarging_convolution_needs_four_ninths():
    drawn, needed = (counting.per_image(Model(), 224, cost) for cost in (1, 4 / 9))
    after_enlargement = 9 * (
        14**2 * 512 * 512 + 28**2 * 512 * 512 + 56**2 * 512 * 256 + 112**2 * 256 * 128 + 224**2 * 128 * 64
    )
    assert sum(drawn) - sum(needed) == pytest.approx(5 / 9 * after_enlargement)


def test_a_step_costs_each_layer_thrice_and_negatives_nothing_beyond_the_tap():
    macs = counting.Macs(first=1, to_tap=10, from_tap=100)
    assert counting.train_step(macs, images=3, decoded=2) == 2 * (3 * (2 * 1 + 3 * 10) + 2 * 3 * 100)
    assert counting.evaluation(macs, 5) == 2 * 5 * 111


def test_the_tap_divides_the_decoder_and_the_width_scales_it():
    whole = sum(counting.per_image(Model(), 224))
    assert counting.per_image(Model(tap='cT6'), 224).from_tap > counting.per_image(Model(), 224).from_tap
    assert sum(counting.per_image(Model(tap='f'), 224)) == whole
    assert sum(counting.per_image(Model(width=0.5), 224)) == pytest.approx(whole / 4, rel=0.01)


def test_docs_needs_five_times_cosegnet_at_its_own_size_and_as_much_at_equal_size():
    cosegnet = sum(counting.per_image(Model(), 224))
    assert sum(counting.docs_per_image(1.0, 512)) == pytest.approx(202e9, rel=0.001)
    assert sum(counting.docs_per_image(1.0, 512)) / cosegnet == pytest.approx(5.2, abs=0.05)
    assert sum(counting.docs_per_image(1.0, 224)) / cosegnet == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize('width', [1.0, 1 / 16])
@pytest.mark.parametrize(
    ('model', 'count', 'beside'),  # what is no convolution: once an image, and once a mask
    [
        (CoSegNetBase, counting.base_per_image, lambda width: (0, 0)),
        (Docs, counting.docs_per_image, lambda width: (0, 49 * 49 * 1024 * width)),  # the correlation
        (SemanticAttention, counting.attention_per_image, lambda width: (2 * 512 * 4096 * width**2, 0)),
    ],
)
def test_counts_are_those_of_the_layers_that_run(monkeypatch, width, model, count, beside):
    """Counted again from what each layer is given and gives, on abstract images."""
    seen = []
    plain = Convolution.__call__

    def counted(layer, x):
        y = plain(layer, x)
        size, _, cin, cout = layer.kernel.shape
        # A pixel of a deconvolution's output sees a quarter of the taps.
        taps = size * size // (4 if layer.form is convolution.deconv4x4 else 1)
        seen.append(y.shape[1] * y.shape[2] * taps * cin * cout)
        return y

    monkeypatch.setattr(Convolution, '__call__', counted)

    def build():
        return model(width=width, dtype=jnp.dtype('float32'), rngs=nnx.Rngs(0))

    description = nnx.eval_shape(
        lambda images: build().describe(images), jax.ShapeDtypeStruct((1, 224, 224, 3), jnp.uint8)
    )
    described = seen.copy()
    seen.clear()
    nnx.eval_shape(lambda both: build().pair_masks(both, both), description)
    once, paired = beside(width)
    macs = count(width, 224)
    assert macs == (described[0], sum(described[1:]) + once, sum(seen) + paired)


def test_enlarging_convolutions_of_five_taps_need_nine_twentyfifths():
    drawn, needed = (counting.attention_per_image(1.0, 224, cost) for cost in (1, 9 / 25))
    # All five cost the same: each has twice the side and half the channels on either end.
    after_enlargement = 5 * 25 * 14**2 * 512 * 256
    assert sum(drawn) - sum(needed) == pytest.approx(16 / 25 * after_enlargement)
