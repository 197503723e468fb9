import math
from xml.etree import ElementTree

import numpy as np
import pytest

from cosegnet_jax.evaluation import figures


def size_in_inches(svg):
    root = ElementTree.fromstring(svg)
    return tuple(float(root.get(side).removesuffix('pt')) / 72 for side in ('width', 'height'))


def test_series_skips_records_without_a_finite_value():
    records = [
        {'step': 1, 'loss': 3.0},
        {'step': 2, 'validation_jaccard': 0.5},
        {'step': 3, 'loss': math.nan},
        {'step': 4, 'loss': None},
        {'step': 5, 'loss': 1.0},
    ]
    assert figures.series(records, 'loss') == ([1, 5], [3.0, 1.0])
    assert figures.series(records, 'loss_mask') == ([], [])


def test_each_loss_has_axes_of_its_own():
    records = [{'step': s, 'loss': 9 / s, 'loss_mask': 5 / s, 'loss_decision': 4 / s} for s in range(1, 60)]
    two_rows = figures.loss_chart(records)
    assert size_in_inches(two_rows) == pytest.approx((figures.WIDTH, 5.2))
    assert (
        sum(group.get('id', '').startswith('axes_') for group in ElementTree.fromstring(two_rows).iter()) == 3
    )
    assert size_in_inches(figures.loss_chart([{'step': 1, 'loss': 2.0}])) == pytest.approx(
        (figures.WIDTH, 2.6)
    )


def test_validation_chart_draws_the_figures_there_are():
    svg = figures.validation_chart(
        [{'step': 5, 'validation_jaccard': 0.4}, {'step': 9, 'validation_jaccard': 0.6}]
    )
    assert size_in_inches(svg) == pytest.approx((figures.WIDTH, 3.2))


@pytest.mark.parametrize(
    ('negative', 'positive'), [([3, 0, 1], [0, 0, 2]), ([0] * 3, [1, 2, 3]), ([4] * 3, [0] * 3)]
)
def test_decision_chart_takes_either_kind_of_pair(negative, positive):
    svg = figures.decision_chart(np.array(negative), np.array(positive), 0.5)
    assert size_in_inches(svg) == pytest.approx((figures.WIDTH, 3.2))
    patches = [group for group in ElementTree.fromstring(svg).iter() if 'patch_' in group.get('id', '')]
    assert len(patches) == 4 + 2 * (any(negative) + any(positive))  # the frame; a histogram and its sample
