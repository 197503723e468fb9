import pytest
from finished_runs import evaluated

from cosegnet_jax.reports.tables.other_sets import SEEN_UNKNOWN, other_sets
from cosegnet_jax.reports.tables.paper_tables import Keys


def tables(*runs):
    return {table.title: table for table in other_sets(runs, Keys.of(runs))}


def exported(**choices):
    """An evaluation of a network that does not say what it has seen."""
    one = evaluated('exported', trained_on='pascal_coseg', **choices)
    one.document['training']['scored_photos_seen'] = None
    return one


def test_each_set_has_a_table_with_all_networks_that_were_scored_on_it():
    made = tables(evaluated(dataset='mine', trained_on='mine', jaccard=0.7), exported(dataset='mine'))
    assert list(made) == ['mine']
    lines = [row.cells for row in made['mine'].rows]
    assert [line[0] for line in lines[::2]] == [
        'CoSegNet trained on mine, gated',
        'CoSegNet trained on pascal_coseg, gated',
    ]
    assert [line[2] for line in lines[::2]] == ['0.700', '0.400']
    assert SEEN_UNKNOWN in made['mine'].notes
    assert not any('paper' in line[-1] for line in lines)


def test_a_note_is_there_only_where_it_is_not_known_what_was_seen():
    assert SEEN_UNKNOWN not in tables(evaluated(dataset='mine', trained_on='mine'))['mine'].notes


@pytest.mark.parametrize('dataset', ['pascal_voc10', 'Internet', 'msrc'])
def test_sets_of_the_paper_have_its_tables_and_none_of_these(dataset):
    assert tables(evaluated(dataset=dataset)) == {}


def test_scores_on_photos_that_were_seen_are_in_no_table():
    assert tables(evaluated(dataset='mine', part='train', trained_on='mine')) == {}
