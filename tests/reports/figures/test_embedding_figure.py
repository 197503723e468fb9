import numpy as np
import pytest

from cosegnet_jax.data.examples import NO_CLASS
from cosegnet_jax.reports.figures import charts
from cosegnet_jax.reports.figures.embedding_figure import embedding_chart, project


def distances(points):
    return np.linalg.norm(points[:, None] - points, axis=-1)


def test_points_of_a_plane_keep_their_distances():
    rng = np.random.default_rng(0)
    plane, _ = np.linalg.qr(rng.normal(size=(64, 2)))
    flat = rng.normal(size=(30, 2)) * (5, 1)
    points, shares = project(flat @ plane.T + 7)
    np.testing.assert_allclose(distances(points), distances(flat), atol=1e-9)
    assert np.ptp(points[:, 0]) > np.ptp(points[:, 1])
    assert shares.sum() == pytest.approx(1)


def test_shares_are_those_of_the_variance():
    axes = np.zeros((4, 3))
    axes[0, 0], axes[1, 0] = 4, -4
    axes[2, 1], axes[3, 1] = 2, -2
    axes[:, 2] = (1, 1, -1, -1)  # uncorrelated with both
    _, shares = project(axes)
    np.testing.assert_allclose(shares, np.array([32, 8]) / 44)


def test_embeddings_that_collapsed_have_no_variance_to_share():
    points, shares = project(np.ones((5, 64), np.float32))
    assert not points.any()
    assert not shares.any()


def test_every_class_has_its_own_look_and_images_without_one_are_gray():
    rng = np.random.default_rng(1)
    classes = [f'class {c}' for c in range(21)]
    first = np.append(np.repeat(np.arange(20), 3), NO_CLASS)  # class 20 is in no image
    labels = np.stack([first, np.where(first % 2 == 0, 20, NO_CLASS)], axis=1)
    chart = embedding_chart(rng.normal(size=(len(first), 64)), labels, classes)
    (axes,) = chart.axes
    names = [text.get_text() for text in chart.legends[0].get_texts()]
    assert names == ['no class', *classes[:20]]
    assert [len(cloud.get_offsets()) for cloud in axes.collections] == [1] + [3] * 20
    looks = {
        (tuple(cloud.get_facecolor()[0]), cloud.get_paths()[0].vertices.tobytes())
        for cloud in axes.collections
    }
    assert len(looks) == 21
    assert '% of the variance' in axes.get_xlabel()
    picture_width = chart.get_size_inches()[0] * chart.dpi
    charts.png(chart)  # lays it out
    box = chart.legends[0].get_window_extent()
    assert axes.get_window_extent().x1 <= box.x0
    assert box.x1 <= picture_width * charts.PIXELS_PER_INCH / chart.dpi
