import io
import math
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from cosegnet_jax.reports.figures import charts

LABELS = {'loss': 'Total loss', 'validation_jaccard': 'Jaccard'}


def lines(axes):
    """Steps and values of every line that has points."""
    return [line.get_xydata().tolist() for line in axes.lines if len(line.get_xydata())]


def test_series_skips_records_without_a_finite_value():
    records = [
        {'step': 1, 'loss': 3.0},
        {'step': 2, 'validation_jaccard': 0.5},
        {'step': 3, 'loss': math.nan},
        {'step': 4, 'loss': None},
        {'step': 5, 'loss': 1.0},
    ]
    assert charts.series(records, 'loss') == ([1, 5], [3.0, 1.0])
    assert charts.series(records, 'loss_mask') == ([], [])


def test_each_loss_has_axes_of_its_own():
    records = [{'step': s, 'loss': 9 / s, 'loss_mask': 5 / s, 'loss_null': 4 / s} for s in range(1, 60)]
    three = charts.loss_chart(records)
    assert [axes.get_title('left') for axes in three.axes] == [
        charts.LOSSES[key] for key in ('loss', 'loss_mask', 'loss_null')
    ]
    one = charts.loss_chart([{'step': 1, 'loss': 2.0}])
    assert three.get_size_inches() == pytest.approx((charts.WIDTH, 2 * one.get_size_inches()[1]))
    assert one.get_size_inches()[0] == charts.WIDTH


def test_bold_line_of_a_loss_is_the_running_mean_in_the_middle_of_its_points():
    records = [{'step': 10 * s, 'loss': float(s % 3)} for s in range(60)]  # a window of 3
    (axes,) = charts.loss_chart(records).axes
    raw, bold = lines(axes)
    assert len(raw) == 60
    assert bold == [[10 * s, pytest.approx(1)] for s in range(1, 59)]


def test_validation_chart_draws_the_figures_there_are():
    (axes,) = charts.validation_chart(
        [{'step': 5, 'validation_jaccard': 0.4}, {'step': 9, 'validation_jaccard': 0.6}]
    ).axes
    assert lines(axes) == [[[5, 0.4], [9, 0.6]]]
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ['Jaccard, gated']


def test_curves_are_a_thin_line_for_each_run_and_their_mean_where_steps_coincide():
    runs = {
        'ours': [
            [{'step': 1, 'loss': 4.0}, {'step': 2, 'loss': 2.0}, {'step': 3, 'loss': 1.0}],
            [{'step': 2, 'loss': 4.0}, {'step': 3, 'loss': 3.0}],
        ],
        'other': [[{'step': 2, 'loss': 9.0}, {'step': 2, 'validation_jaccard': 0.5}]],
    }
    chart = charts.curves_chart(runs, LABELS)
    loss, jaccard = chart.axes
    first, second, mean, alone, also_alone = lines(loss)
    assert first == [[1, 4], [2, 2], [3, 1]]
    assert second == [[2, 4], [3, 3]]
    assert mean == [[2, 3], [3, 2]]
    assert alone == also_alone == [[2, 9]]
    assert loss.lines[2].get_linewidth() > 2 * loss.lines[0].get_linewidth()
    colors = [line.get_color() for line in loss.lines]
    assert colors[0] == colors[1] == colors[2] != colors[3] == colors[4]
    assert lines(jaccard) == [[[2, 0.5]]] * 2
    assert [text.get_text() for text in chart.legends[0].get_texts()] == ['ours', 'other']


def test_curves_leave_out_what_no_run_has_and_tell_more_models_than_colors_apart():
    names = [f'model {number}' for number in range(len(charts.COLORS) + 1)]
    chart = charts.curves_chart({name: [[{'step': 1, 'loss': 1.0}]] for name in names}, LABELS)
    (axes,) = chart.axes
    looks = {(line.get_color(), line.get_linestyle()) for line in axes.lines}
    assert len(looks) == len(names)


@pytest.mark.parametrize(
    ('negative', 'positive'), [([3, 0, 1], [0, 0, 2]), ([0] * 3, [1, 2, 3]), ([4] * 3, [0] * 3)]
)
def test_decision_chart_takes_either_kind_of_pair(negative, positive):
    (axes,) = charts.decision_chart(np.array(negative), np.array(positive), 0.5).axes
    drawn = [patch.get_xy()[:, 1].max() for patch in axes.patches]
    kinds = [np.array(kind) for kind in (negative, positive) if any(kind)]
    assert drawn == pytest.approx([100 * kind.max() / kind.sum() for kind in kinds])


def test_charts_become_svg_and_png():
    chart = charts.validation_chart([{'step': 5, 'validation_jaccard': 0.4}])
    root = ElementTree.fromstring(charts.svg(chart))
    assert root.tag.endswith('svg')
    assert float(root.get('width').removesuffix('pt')) / 72 == pytest.approx(charts.WIDTH)
    with Image.open(io.BytesIO(charts.png(chart))) as picture:
        assert picture.format == 'PNG'
        assert picture.width == charts.WIDTH * charts.PIXELS_PER_INCH
        assert picture.convert('RGBA').getpixel((0, 0)) == (255, 255, 255, 255)
