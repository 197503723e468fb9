import json

import numpy as np
import pytest
from from_arrays import evaluate

from cosegnet_jax import config as configs
from cosegnet_jax import networks
from cosegnet_jax.evaluation.protocol import Protocol
from cosegnet_jax.evaluation.published import published_rows
from cosegnet_jax.evaluation.results import result_name, to_json, write_json
from cosegnet_jax.reports.tables.score_tables import format_tables
from cosegnet_jax.runtime import mesh as meshes


@pytest.fixture
def results(examples, masks, decisions):
    return evaluate(examples, masks, decisions, Protocol(image_size=16))


@pytest.fixture
def trained():
    config = configs.Config(seed=3, model=configs.Model(tap='cT6'))
    return networks.trained(config, {}, meshes.data_mesh(), step=300, dataset='spots')


def test_document_has_the_promised_keys(results, trained):
    document = to_json(results, split='test', network=trained, seen=0, published=published_rows('msrc'))
    assert set(document) == {
        'dataset', 'split', 'step', 'images', 'pairs', 'precision', 'jaccard', 'precision_ungated',
        'jaccard_ungated', 'decision', 'probabilities', 'per_class', 'by_outlier_truth',
        'skipped_classes', 'baselines',
        'protocol', 'training', 'published',
    }  # fmt: skip
    assert (document['dataset'], document['split'], document['step']) == ('blobs', 'test', 300)
    assert document['images'] == 19
    assert document['jaccard'] == results.overall.jaccard
    assert {'accuracy', 'auc', 'threshold', 'balanced_accuracy', 'null_mask_rate'} <= set(
        document['decision']
    )
    assert sum(document['probabilities']['positive']) == document['decision']['positive_pairs']
    assert sum(document['probabilities']['negative']) == document['decision']['negative_pairs']
    assert set(document['per_class']) == {'cat', 'dog', 'owl'}
    assert {'precision', 'jaccard', 'pairs'} <= set(document['per_class']['cat'])
    assert document['skipped_classes'] == ['fox']
    assert set(document['baselines']) == {'all_foreground', 'center_box'}
    assert document['protocol'] == {
        'image_size': 16,
        'name': 'cosegnet',
        'mask_threshold': 0.5,
        'decision_threshold': 0.5,
        'empty_truth': 'one',
        'outlier_truth': 'empty',
        'symmetric': True,
        'seed': 0,
        'split': 0,
        'split_file': '',
        'masks': 'object from mask_threshold on',
        'pairs': 'all unordered pairs inside each class, each the mean of its two images',
        'average': 'mean over classes of the mean over pairs of the class',
        'decided_by': 'the decision network, on all pairs',
    }
    assert document['training']['dataset'] == 'spots'
    assert configs.resolve(document['training']['config']) == trained.config
    assert document['published'][-2] == {
        'method': 'CoSegNet', 'precision': 0.963, 'jaccard': 0.85, 'source': 'Table 4',
    }  # fmt: skip


def test_what_a_preset_does_not_read_is_null(examples, masks, decisions, trained):
    for name, unread in (('docs', 'empty_truth'), ('ssnm', 'mask_threshold')):
        results = evaluate(examples, masks, decisions, Protocol(16, name))
        protocol = to_json(results, split='test', network=trained, seen=0, published=())['protocol']
        assert protocol['name'] == name
        assert [key for key, value in protocol.items() if value is None] == [unread]


def test_file_is_strict_json_with_null_for_undefined(examples, masks, decisions, trained, tmp_path):
    same = np.array([13, 14, 15])  # one class alone: no negative pair, no AUC
    results = evaluate(examples.subset(same), masks[same], decisions[np.ix_(same, same)], Protocol(16))
    document = to_json(results, split='all', network=trained, seen=0, published=())
    write_json(tmp_path / 'eval' / 'results.json', document)

    def refuse(constant):
        raise AssertionError(f'{constant} is no JSON')

    text = (tmp_path / 'eval' / 'results.json').read_text(encoding='utf-8')
    assert json.loads(text, parse_constant=refuse) == document
    assert document['decision']['auc'] is None


def test_evaluations_of_other_sets_parts_and_protocols_are_filed_apart():
    assert result_name('blobs', 'test', 'cosegnet') == 'blobs-test-cosegnet'
    assert result_name('photos/of 2019', 'all', 'ssnm') == 'photos-of 2019-all-ssnm'


def test_failed_write_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / 'results.json'
    write_json(path, {'jaccard': 0.5})
    with pytest.raises(ValueError, match='Out of range float'):
        write_json(path, {'jaccard': float('nan')})
    assert json.loads(path.read_text()) == {'jaccard': 0.5}
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ('names', 'precision', 'jaccard'),
    [
        (('pascal_voc10',), 0.954, 0.68),
        (('photos', 'pascal_coseg'), 0.954, 0.68),
        (('Internet',), 0.961, 0.77),
        (('msrc7',), 0.963, 0.85),
    ],
)
def test_published_rows_are_found_by_name(names, precision, jaccard):
    row = next(row for row in published_rows(*names) if row.method == 'CoSegNet')
    assert (row.precision, row.jaccard) == (precision, jaccard)


def test_data_sets_that_the_paper_does_not_have_get_no_rows():
    assert published_rows('shapes', 'holiday') == ()


def test_terminal_table_shows_our_figures_the_baselines_and_the_papers(results):
    text = format_tables(results, published_rows('pascal_voc'))
    line = next(line for line in text.splitlines() if 'This model, gated' in line)
    assert f'{100 * results.overall.precision:.1f}' in line
    assert f'{results.overall.jaccard:.3f}' in line
    assert 'protocol cosegnet' in text.splitlines()[0]
    assert f'average precision {results.decision.average_precision:.3f}' in text
    assert 'Everything is foreground' in text
    assert next(line for line in text.splitlines() if 'Hsu' in line).split()[-4:] == [
        '0.60',
        'paper,',
        'Table',
        '1',
    ]
    assert next(line for line in text.splitlines() if 'CoSegNet-base' in line).split()[1:3] == ['-', '0.47']
    assert 'left out: fox' in text
    assert max(map(len, text.splitlines())) <= 110


def test_terminal_table_without_published_rows(results):
    assert 'paper' not in format_tables(results, ())
