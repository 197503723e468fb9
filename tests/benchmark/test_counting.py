import pytest

from cosegnet_jax.benchmark import counting
from cosegnet_jax.config import Model


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
    assert counting.train_step(macs, 1) == 2 * (3 * (2 * 1 + 3 * 10) + 2 * 3 * 100)
    assert counting.evaluation(macs, 5) == 2 * 5 * 111


def test_the_tap_divides_the_decoder_and_the_width_scales_it():
    whole = sum(counting.per_image(Model(), 224))
    assert counting.per_image(Model(tap='cT6'), 224).from_tap > counting.per_image(Model(), 224).from_tap
    assert sum(counting.per_image(Model(tap='f'), 224)) == whole
    assert sum(counting.per_image(Model(width=0.5), 224)) == pytest.approx(whole / 4, rel=0.01)
