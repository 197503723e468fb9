import dataclasses
import json

import pytest
import yaml
from untrained_runs import SMALL

from cosegnet_jax.export import model_card
from cosegnet_jax.reports.finished_runs import Evaluated


def evaluated(tmp_path, dataset='spots', part='test', seen=0, **figures):
    """An evaluation of a run on the set 'spots'."""
    scores = {'jaccard': 0.25, 'precision': 0.8125, 'jaccard_ungated': 0.375, 'precision_ungated': 0.875}
    document = {
        'dataset': dataset,
        'split': part,
        'step': 0,
        'images': 40,
        'decision': {'auc': figures.pop('auc', 0.625)},
        'protocol': {'name': 'cosegnet'},
        'training': {
            'dataset': 'spots',
            'scored_photos_seen': seen,
            'config': dataclasses.asdict(SMALL),
        },
        **(scores | figures),
    }
    return Evaluated(tmp_path, tmp_path / 'eval' / 'x.json', document)


def header(text):
    return yaml.safe_load(text.split('---\n')[1])


def named(network, weights):
    model = dataclasses.replace(network.config.model, weights=weights)
    return dataclasses.replace(network, config=dataclasses.replace(network.config, model=model))


def test_the_card_says_what_is_known_and_that_the_rest_is_not(network):
    text = model_card.text(network, 'float32', [], None)
    head = header(text)
    assert (head['license'], head['library_name']) == ('apache-2.0', 'cosegnet_jax')
    assert head['datasets'] == ['spots']
    assert not head.keys() & {'metrics', 'model-index'}
    assert 'Step 0 has not been evaluated' in text
    assert 'while training: not known' in text
    assert '| trained on | 1 images of spots |' in text
    assert '| encoder began with | random numbers |' in text
    assert 'squashed to 32 × 32 pixels' in text
    assert 'rounded' not in text
    assert '$' not in text
    (config,) = [part for part in text.split('```') if part.startswith('json\n')]
    assert json.loads(config.removeprefix('json\n')) == dataclasses.asdict(network.config)


def test_steps_of_the_heads_alone_are_told(network):
    ended = dataclasses.replace(network, step=network.config.train.steps + 5)
    assert '5 of the metric and the decision network alone' in model_card.text(ended, 'float32', [], None)


def test_figures_are_those_of_the_evaluations(tmp_path, network):
    evaluations = [evaluated(tmp_path), evaluated(tmp_path, 'other', 'all', auc=None)]
    validation = {'step': 0, 'validation_jaccard': 0.5, 'validation_jaccard_ungated': None}
    text = model_card.text(network, 'float16', evaluations, validation)
    assert '| spots, test, 40 images, protocol cosegnet | 0.250 | 81.2 | 0.375 | 87.5 | 0.625 |' in text
    assert '| other, all, 40 images, protocol cosegnet | 0.250 | 81.2 | 0.375 | 87.5 | - |' in text
    assert 'before they were rounded to float16' in text
    assert 'while training: J 0.500, ungated -' in text
    (index,) = header(text)['model-index']
    first, second = index['results']
    assert first['dataset'] == {'name': 'spots', 'type': 'spots', 'split': 'test'}
    assert [metric['value'] for metric in first['metrics']] == [0.25, 0.8125, 0.375, 0.875, 0.625]
    assert [metric['type'] for metric in second['metrics']] == ['jaccard', 'accuracy'] * 2


def test_figures_on_images_that_chose_the_checkpoint_are_no_result(tmp_path, network):
    text = model_card.text(network, 'float32', [evaluated(tmp_path, part='validation', seen=40)], None)
    assert 'spots, validation, 40 images, protocol cosegnet (**seen in training**) | 0.250' in text
    assert 'model-index' not in header(text)


@pytest.mark.parametrize(
    ('weights', 'known', 'terms'),
    [
        ('imagenet', 'the ImageNet weights of vgg16', 'Visual Geometry Group'),
        ('vgg.npz', 'weights of vgg16 from a file, vgg.npz', 'began with, vgg.npz, are not known'),
    ],
)
def test_the_origin_of_the_weights_is_told(network, weights, known, terms):
    text = model_card.text(named(network, weights), 'float32', [], None)
    assert f'| encoder began with | {known} |' in text
    assert terms in text.replace('\n', ' ')


def test_the_hub_understands_the_header(tmp_path, network):
    hub = pytest.importorskip('huggingface_hub', reason='huggingface_hub, which reads it, is not installed')
    evaluations = [evaluated(tmp_path), evaluated(tmp_path, 'other', 'all')]
    found = hub.ModelCard(model_card.text(network, 'float32', evaluations, None)).data
    assert (found.license, found.library_name, found.model_name) == (
        'apache-2.0', 'cosegnet_jax', 'cosegnet-spots',
    )  # fmt: skip
    assert len(found.eval_results) == 10
    assert found.eval_results[0].metric_value == 0.25
    assert found.eval_results[0].dataset_split == 'test'
