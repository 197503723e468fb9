import dataclasses

import jax
import jax.numpy as jnp
import pytest
from flax import nnx

from cosegnet_jax import networks
from cosegnet_jax.benchmark import counting
from cosegnet_jax.config import Model
from cosegnet_jax.networks.layers import Convolution
from cosegnet_jax.ops import convolution


def drawn(image_size: int, **keys) -> counting.Macs:
    return counting.count(Model(**keys), image_size, as_drawn=True)


def needed(image_size: int, **keys) -> counting.Macs:
    return counting.count(Model(**keys), image_size, as_drawn=False)


def test_the_papers_network_takes_39_billion_multiply_accumulates():
    macs = drawn(224)
    assert macs.first == 224**2 * 27 * 64
    assert sum(macs) == pytest.approx(39e9, rel=0.01)
    # cT10-cT13 by hand: 112² of 256→128 and 128→128, 224² of 128→64 and 64→1.
    assert macs.mask == 9 * (112**2 * (256 * 128 + 128 * 128) + 224**2 * (128 * 64 + 64))


@pytest.mark.parametrize(('name', 'first_layer'), [('cosegnet', 512), ('base', 1024)])
def test_an_enlarging_convolution_needs_four_ninths(name, first_layer):
    after_enlargement = 9 * (
        14**2 * first_layer * 512
        + 28**2 * 512 * 512
        + 56**2 * 512 * 256
        + 112**2 * 256 * 128
        + 224**2 * 128 * 64
    )
    assert 9 * (sum(drawn(224, name=name)) - sum(needed(224, name=name))) == 5 * after_enlargement


def test_enlarging_convolutions_of_five_taps_need_nine_twentyfifths():
    # All five cost the same: each has twice the side and half the channels on either end.
    after_enlargement = 5 * 25 * 14**2 * 512 * 256
    saved = sum(drawn(224, name='attention')) - sum(needed(224, name='attention'))
    assert 25 * saved == 16 * after_enlargement


def test_a_step_costs_each_layer_thrice_and_what_has_no_mask_nothing_beyond_its_description():
    macs = counting.Macs(first=1, image=10, mask=100)
    assert counting.train_step(macs, images=3, masks=2) == 2 * (3 * (2 * 1 + 3 * 10) + 2 * 3 * 100)
    assert counting.evaluation(macs, images=5, masks=20) == 2 * (5 * 11 + 20 * 100)


def test_the_tap_divides_the_decoder_and_the_width_scales_it():
    whole = sum(drawn(224))
    assert drawn(224, tap='cT6').mask > drawn(224).mask
    assert sum(drawn(224, tap='f')) == whole + 128 * (512 - 256)  # channels that the metric network reads
    assert sum(drawn(224, width=0.5)) == pytest.approx(whole / 4, rel=0.01)


def test_docs_needs_five_times_cosegnet_at_its_own_size_and_as_much_at_equal_size():
    cosegnet = sum(drawn(224))
    assert sum(drawn(512, name='deep_object_coseg')) == pytest.approx(202e9, rel=0.001)
    assert sum(drawn(512, name='deep_object_coseg')) / cosegnet == pytest.approx(5.2, abs=0.05)
    assert sum(drawn(224, name='deep_object_coseg')) / cosegnet == pytest.approx(1, abs=0.01)


@pytest.mark.slow
@pytest.mark.parametrize('width', [1.0, 1 / 16])
@pytest.mark.parametrize(
    ('name', 'beside'),  # what is no convolution: once an image, and once a mask
    [
        ('cosegnet', lambda width: (256 * width * 128 + 128 * 64, 0)),  # the metric network
        ('base', lambda width: (0, 0)),
        ('deep_object_coseg', lambda width: (0, 49 * 49 * 1024 * width)),  # the correlation
        ('attention', lambda width: (2 * 512 * 4096 * width**2, 0)),
    ],
)
def test_counts_are_those_of_the_layers_that_run(monkeypatch, width, name, beside):
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

    def masks(description):
        network = networks.build(config, 0)
        if networks.NETWORKS[config.name].of_pairs:
            return network.pair_masks(description, description)
        return network.masks(description)

    monkeypatch.setattr(Convolution, '__call__', counted)
    config = Model(name=name, width=width)
    photo = jax.ShapeDtypeStruct((1, 224, 224, 3), jnp.uint8)
    description = nnx.eval_shape(lambda images: networks.build(config, 0).describe(images), photo)
    described = seen.copy()
    seen.clear()
    nnx.eval_shape(masks, description)
    decoded = seen.copy()
    once, again = beside(width)
    macs = drawn(224, **dataclasses.asdict(config))
    assert macs == (described[0], sum(described[1:]) + once, sum(decoded) + again)
