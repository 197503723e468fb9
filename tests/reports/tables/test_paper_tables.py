import pytest
from finished_runs import evaluated

from cosegnet_jax.reports.tables.paper_tables import Keys, paper_tables
from cosegnet_jax.runtime.errors import UserError

BY_MASKS = 'the highest probability of a pixel'


def tables(*runs):
    """The tables by their number."""
    return dict(enumerate(paper_tables(runs, Keys.of(runs)), start=1))


def rows(table, **wanted):
    """Rows as dicts by column, those of ours alone unless told."""
    ours = wanted.pop('ours', True)
    found = [dict(zip(table.columns, row.cells, strict=True)) for row in table.rows if row.ours == ours]
    return [row for row in found if all(row[column] == value for column, value in wanted.items())]


def row(table, **wanted):
    (found,) = rows(table, **wanted)
    return found


def test_two_splits_become_mean_and_deviation_with_and_without_the_gate():
    of_run = {'precision': 0.8, 'jaccard': 0.4, 'precision_ungated': 0.9, 'jaccard_ungated': 0.5}
    second = {'precision': 0.9, 'jaccard': 0.5, 'precision_ungated': 0.9, 'jaccard_ungated': 0.5, 'auc': 0.85}
    table = tables(evaluated(**of_run), evaluated(split=1, **second))[1]
    gated = row(table, Method='CoSegNet, gated')
    assert (gated['P (%)'], gated['J']) == ('85.0 ± 7.1', '0.450 ± 0.071')
    assert gated['Decision AUC'] == '0.800 ± 0.071'
    assert gated['Empty masks where nothing is shared'] == '0.600 ± 0.000'
    assert gated['From'] == 'this project: 2 splits of pascal_voc10, recipe A, protocol 1'
    ungated = row(table, Method='CoSegNet, ungated')
    assert (ungated['P (%)'], ungated['J'], ungated['Decision AUC']) == ('90.0 ± 0.0', '0.500 ± 0.000', '')


def test_one_split_has_no_deviation():
    gated = row(tables(evaluated())[1], Method='CoSegNet, gated')
    assert (gated['P (%)'], gated['J']) == ('80.0', '0.400')
    assert gated['From'].startswith('this project: 1 split of')


def test_a_figure_that_some_splits_lack_says_how_many_have_it():
    table = tables(*(evaluated(split=k, auc=auc) for k, auc in enumerate([0.6, 0.8, None])))[1]
    assert row(table, Method='CoSegNet, gated')['Decision AUC'] == '0.700 ± 0.141 (2 of 3)'


def test_published_rows_are_as_printed_and_say_where():
    made = tables(evaluated())
    assert row(made[1], ours=False, Method='CoSegNet')['From'] == 'paper, Table 1'
    hsu = row(made[2], ours=False, Method='Hsu et al., 2018')
    assert list(hsu.values())[1:9] == ['93.0', '0.82', '89.7', '0.67', '94.2', '0.61', '92.3', '0.70']
    chen = row(made[2], ours=False, Method='Chen et al., 2018')
    assert (chen['car P (%)'], chen['car J'], chen['mean P (%)'], chen['mean J']) == (
        '-',
        '0.80',
        '-',
        '0.73',
    )
    assert [len(rows(made[number], ours=False)) for number in range(1, 7)] == [6, 9, 1, 8, 3, 2]
    assert row(made[4], ours=False, Method='Wang et al., 2013')['J'] == '-'
    elsewhere = row(made[4], ours=False, Method='SSNM-HRNet, 2020')
    assert elsewhere['From'] == 'reported elsewhere, other protocol'
    base = row(made[5], ours=False, **{'Data set': 'MSRC, trained on PASCAL-VOC'})
    assert (base['CoSegNet-base'], base['CoSegNet']) == ('0.63', '0.85')
    taps = row(made[6], ours=False, **{'Data set': 'PASCAL-VOC'})
    assert [taps[tap] for tap in ('f', 'cT3', 'cT6', 'cT9', 'cT11')] == [
        '0.63',
        '0.65',
        '0.66',
        '0.68',
        '0.64',
    ]
    assert all('not a ranking' in table.notes[0] for table in made.values())


def test_a_dash_where_a_run_is_missing():
    made = tables(evaluated(), evaluated(tap='f', jaccard=0.3))
    for name in ('DOCS', 'Semantic-aware attention'):
        missing = row(made[1], Method=f'{name}')
        assert set(list(missing.values())[1:]) == {'-', 'this project: no run'}
    assert [set(line.cells[1:]) for line in made[3].rows if line.ours] == [{'-', 'this project: no run'}]
    taps = row(made[6], Figure='J, gated')
    assert [taps[tap] for tap in ('f', 'cT3', 'cT6', 'cT9', 'cT11')] == ['0.300', '-', '-', '0.400', '-']
    counted = row(made[6], Figure='splits')
    assert (counted['cT9'], counted['cT11']) == ('1', '-')
    networks = row(made[5], Figure='J, gated')
    assert (networks['CoSegNet-base'], networks['CoSegNet']) == ('-', '0.400')


def test_runs_under_different_protocols_or_recipes_never_share_a_row():
    runs = (evaluated(), evaluated(split=1, protocol='docs'), evaluated(split=2, steps=200))
    made = tables(*runs)
    gated = rows(made[1], Method='CoSegNet, gated')
    assert [line['From'].split(', ', 1)[1] for line in gated] == [
        'recipe A, protocol 1', 'recipe A, protocol 2', 'recipe B, protocol 1',
    ]  # fmt: skip
    assert len(rows(made[5], Figure='J, gated')) == 3
    notes = made[1].notes
    assert notes[1].startswith('Protocol 1: cosegnet, on the test part of pascal_voc10; image size: 64')
    assert notes[2].startswith('Protocol 2: docs, on the test part of pascal_voc10;')
    assert 'pixels summed over the pairs' in notes[2]
    assert 'empty truth' in notes[1]
    assert 'empty truth' not in notes[2]  # which docs does not read
    assert 'decided by' not in notes[1]


def test_networks_that_decide_in_different_ways_share_a_row_and_both_ways_are_told():
    made = tables(evaluated(), evaluated(model='base', decided_by=BY_MASKS, null_mask_rate=0.1))[5]
    line = row(made, Figure='Empty masks where nothing is shared')
    assert (line['CoSegNet-base'], line['CoSegNet']) == ('0.100', '0.600')
    assert f'Decisions of CoSegNet-base: {BY_MASKS}.' in made.notes
    assert 'Decisions of CoSegNet: the decision network.' in made.notes


def test_runs_go_to_the_table_of_their_data_sets():
    internet = {'trained_on': 'Internet', 'classes': ('Airplane100', 'Car100', 'Horse100')}
    made = tables(
        evaluated('a', dataset='Internet', **internet, jaccard=0.7),
        evaluated('b', dataset='Internet', part='all', classes=internet['classes'], jaccard=0.6),
        evaluated('c', dataset='msrc', part='all', model='deep_object_coseg', jaccard=0.5),
        evaluated('d', dataset='shapes', trained_on='shapes'),
    )
    assert [len(table.runs) for table in made.values()] == [0, 1, 1, 1, 1, 1]
    assert row(made[2], Method='CoSegNet, gated')['horse J'] == '0.700'
    assert row(made[3], Method='CoSegNet, gated')['mean J'] == '0.600'
    assert row(made[4], Method='DOCS, gated')['J'] == '0.500'
    on_internet = {'Figure': 'J, gated', 'Data set': 'Internet, trained on PASCAL-VOC'}
    assert row(made[6], **on_internet)['cT9'] == '0.600'


@pytest.mark.parametrize(
    'seen', [{'part': 'train'}, {'part': 'all'}, {'part': 'validation'}, {'dataset': 'pascal_coseg'}]
)
def test_scores_on_images_that_training_has_used_are_in_no_table(seen):
    assert not any(table.runs for table in tables(evaluated(**seen)).values())


def test_two_runs_of_one_split_are_refused():
    with pytest.raises(UserError, match=r'b/eval/results.json: the same split as a/'):
        tables(evaluated('a'), evaluated('b'))
