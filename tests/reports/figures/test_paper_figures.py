import json

import numpy as np
import pytest
from finished_runs import document, write
from PIL import Image

from cosegnet_jax.reports.figures import figure_data, pair_pictures
from cosegnet_jax.reports.figures.pair_views import ImageView, PairView, PairViews
from cosegnet_jax.reports.figures.paper_figures import write_figures
from cosegnet_jax.reports.finished_runs import find
from cosegnet_jax.runtime.errors import UserError

SIDE = 160  # pixels of a tile
RED, GREEN = (200, 40, 40), (40, 200, 40)


def pair(first='a', second='b', *, is_open, color=RED):
    """Two plain photos; the masks are the squares in their middle."""
    mask = np.zeros((8, 8), bool)
    mask[2:6, 2:6] = True
    photo = np.full((8, 8, 3), color, np.uint8)
    images = tuple(ImageView(name, 'cat', photo, mask, mask & False) for name in (first, second))
    return PairView(images, 0.9 if is_open else 0.1, is_open, shares_object=False)


POSITIVE = (pair(is_open=True),)


@pytest.fixture
def draw(tmp_path):
    """Figures of the evaluations left by `leave`, by the name of their file."""

    def draw():
        made = write_figures(find([tmp_path / 'runs']), tmp_path / 'out')
        assert sorted(figure.file for figure in made) == sorted((tmp_path / 'out').iterdir())
        return {figure.file.name: figure for figure in made}

    return draw


@pytest.fixture
def leave(tmp_path):
    """Leaves an evaluation of the run called `name`, and what figures are drawn from."""

    def leave(name='run', positive=POSITIVE, negative=(), **choices):
        file = write(tmp_path / 'runs' / name, document(**choices))
        has_embedding = choices.get('model', 'cosegnet') == 'cosegnet'
        embedding = np.random.default_rng(0).normal(size=(4, 64)) if has_embedding else None
        views = PairViews(list(positive), {}, list(negative))
        figure_data.save(file.with_suffix('.npz'), views, embedding, np.zeros((4, 1), int), ('cat',))
        return file

    return leave


def pixels(figure):
    with Image.open(figure.file) as picture:
        assert picture.format == 'PNG'
        return np.asarray(picture)


def has(color, pixels):
    return (pixels == color).all(axis=-1).any()


def tile(figure, row, column):
    """One tile of Figure 6."""
    top = (
        pair_pictures.CAPTION
        + row * (pair_pictures.CAPTION + SIDE + 3 * pair_pictures.GAP)
        + pair_pictures.CAPTION
    )
    left = column * (SIDE + pair_pictures.GAP) + column // 2 * (pair_pictures.BETWEEN - pair_pictures.GAP)
    return pixels(figure)[top : top + SIDE, left : left + SIDE]


def test_figures_3_to_5_are_of_the_data_sets_of_the_paper(leave, draw):
    leave()
    leave(dataset='Internet', part='all', protocol='cosegnet')
    leave(dataset='msrc7', part='all', positive=[pair(is_open=True)] * 2)
    leave(dataset='mine', part='all')
    made = draw()
    assert [made[f'figure{number}.png'].title for number in (3, 4, 5)] == [
        'Figure 3: pairs of PASCAL-VOC',
        'Figure 4: pairs of Internet',
        'Figure 5: pairs of MSRC',
    ]
    assert made['figure3.png'].caption.startswith('1 pair with a common object')
    assert 'on the test part of pascal_voc10.' in made['figure3.png'].caption
    assert made['figure5.png'].caption.startswith('2 pairs with a common object')
    assert 'on all images of msrc7.' in made['figure5.png'].caption
    assert 'cat + cat, common object, probability 0.90' in made['figure5.png'].alt


def test_pairs_are_of_a_run_with_the_paper_s_tap_and_protocol_on_unseen_images(leave, draw):
    leave('1', model='base', positive=[pair(is_open=True, color=GREEN)])
    leave('2', tap='cT6', positive=[pair(is_open=True, color=GREEN)])
    leave('3', protocol='ssnm', positive=[pair(is_open=True, color=GREEN)])
    leave('4', part='all', positive=[pair(is_open=True, color=GREEN)])
    leave('5', part='validation', positive=[pair(is_open=True, color=GREEN)])
    leave('6', dataset='pascal_coseg', positive=[pair(is_open=True, color=GREEN)])  # may hold the same photos
    assert draw() == {}
    leave('7', split=3)
    leave('8', split=4, positive=[pair(is_open=True, color=GREEN)])
    figure = draw()['figure3.png']
    assert has(RED, pixels(figure))
    assert not has(GREEN, pixels(figure))
    assert 'split 3 of seed 0, at step 100' in figure.caption


def test_figure_6_sets_false_objects_beside_empty_boxes(leave, draw):
    leave('base', model='base', negative=[pair('a', 'b', is_open=True), pair('c', 'd', is_open=True)])
    leave('ours', negative=[pair('a', 'b', is_open=False), pair('c', 'd', is_open=True)])
    figure = draw()['figure6.png']
    for column in (0, 1, 2, 3):
        assert has(RED, tile(figure, 0, column))
    for column in (4, 5):
        assert (tile(figure, 0, column)[1:-1, 1:-1] == 255).all()
        assert has(RED, tile(figure, 1, column))  # left open by the gate, and shown so
    assert 'left by CoSegNet-base in 2, by CoSegNet in 1 of them' in figure.caption
    assert figure.caption.count('recipe A') == 2


def test_figure_6_has_only_the_pairs_that_both_runs_hold(leave, draw):
    both = [pair('a', 'b', is_open=True), pair('e', 'f', is_open=True)]
    leave('base', model='base', negative=[both[0], pair('c', 'd', is_open=True, color=GREEN), both[1]])
    leave('ours', negative=[pair('a', 'd', is_open=True, color=GREEN), *reversed(both)])
    figure = draw()['figure6.png']
    assert figure.caption.startswith('2 pairs without a common object')
    assert not has(GREEN, pixels(figure))


@pytest.mark.parametrize(
    'other', [{'split': 1}, {'steps': 200}, {'trained_on': 'internet'}, {'dataset': 'msrc', 'part': 'all'}]
)
def test_figure_6_needs_two_runs_that_differ_in_the_network_alone(leave, draw, other):
    negative = [pair(is_open=True)]
    leave('ours', negative=negative)
    leave('base', model='base', negative=negative, **other)
    assert 'figure6.png' not in draw()
    leave('base too', model='base', negative=negative)
    assert 'figure6.png' in draw()


def test_figure_6_goes_on_to_runs_that_share_pairs(leave, draw):
    for split, names in enumerate(['ab', 'cd']):
        leave(f'base{split}', model='base', split=split, negative=[pair(*names, is_open=True)])
    leave('ours0', split=0, negative=[pair('x', 'y', is_open=False)])
    leave('ours1', split=1, negative=[pair('c', 'd', is_open=False)])
    assert draw()['figure6.png'].caption.count('split 1 of seed 0') == 2


def test_curves_are_of_every_training_once(leave, draw, tmp_path):
    for name, choices in {
        'a': {},
        'b': {'split': 1},
        'c': {'model': 'deep_object_coseg'},
        'd': {'steps': 9},
    }.items():
        leave(name, **choices)
        (tmp_path / 'runs' / name / 'metrics.jsonl').write_text(json.dumps({'step': 1, 'loss': 2}) + '\n')
    leave('a', dataset='msrc', part='all')  # another evaluation of the same training
    counts = draw()['curves.png'].caption.split('Runs: ')[1]
    assert sorted(counts.removesuffix('.').split('; ')) == [
        'CoSegNet (cT9), recipe A: 2',
        'CoSegNet (cT9), recipe B: 1',
        'DOCS, recipe A: 1',
    ]


def test_without_logs_there_are_no_curves(leave, draw):
    leave()
    assert set(draw()) == {'figure3.png', 'embeddings.png', 'decisions.png'}


def test_embeddings_and_decisions_are_of_the_set_that_networks_are_trained_on(leave, draw):
    leave('a', dataset='msrc', part='all')
    leave('b')
    made = draw()
    for name in ('embeddings.png', 'decisions.png'):
        assert 'on the test part of pascal_voc10.' in made[name].caption
        assert pixels(made[name]).shape[1] > 1000
    assert 'of 90 pairs with one and 100 without' in made['decisions.png'].caption
    assert made['embeddings.png'].caption.startswith('Each of 4 images')


def test_figures_of_photos_go_on_to_a_run_that_has_them(leave, draw):
    negative = [pair(is_open=True)]
    for name, split in (('1', 1), ('2', 2)):
        leave(f'base{name}', model='base', split=split, negative=negative)
        file = leave(f'ours{name}', split=split, negative=negative)
        if split == 1:
            file.with_suffix('.npz').unlink()
    made = draw()
    for name in ('figure3.png', 'figure6.png', 'embeddings.png'):
        assert 'split 2 of seed 0' in made[name].caption
    assert 'split 1 of seed 0' in made['decisions.png'].caption  # which needs none


def test_a_run_whose_photos_are_damaged_is_named(leave, draw):
    file = leave().with_suffix('.npz')
    file.write_bytes(b'PK')
    with pytest.raises(UserError, match=f'{file}: damaged; evaluate this run again'):
        draw()
