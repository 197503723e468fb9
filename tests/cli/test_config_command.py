import pytest

from cosegnet_jax import config as configs
from cosegnet_jax.cli import command_line, config
from cosegnet_jax.config import meanings
from cosegnet_jax.runtime.errors import UserError


@pytest.fixture
def listed(monkeypatch, capsys):
    """The names of the keys that the command prints for a pattern."""

    def listed(*words):
        monkeypatch.setattr(command_line, 'words', lambda: list(words))
        config.main()
        lines = capsys.readouterr().out.splitlines()
        return [line.split('=')[0] for line in lines if line.startswith('config.')]

    return listed


def test_every_key_has_a_default_and_a_meaning():
    keys = list(meanings.described())
    assert [key.name for key in keys] == list(configs.all_keys())
    assert [key.name for key in keys if not key.meaning] == []


def test_a_comment_of_several_lines_is_read():
    found = {key.name: key.meaning for key in meanings.described()}
    assert found['config.optimizer.warmup_steps'] == 'steps of a linear rise from zero'
    assert 'training/heads_phase.py' in found['config.train.heads_steps']


def test_a_pattern_is_part_of_a_name_or_a_meaning(listed):
    assert listed() == list(configs.all_keys())
    assert listed('warmup') == ['config.optimizer.warmup_steps']
    assert listed('linear', 'rise') == ['config.optimizer.warmup_steps']
    assert listed('lr') == ['config.optimizer.learning_rate']
    with pytest.raises(UserError, match='frobnicate: no key fits; `cosegnet config` lists all'):
        listed('frobnicate')


def test_choices_are_listed(monkeypatch, capsys):
    monkeypatch.setattr(command_line, 'words', lambda: ['cosine'])
    config.main()
    first = capsys.readouterr().out.splitlines()[0]
    assert first.startswith('config.optimizer.schedule=constant  (constant | cosine')


@pytest.mark.parametrize(
    ('name', 'key'),
    [
        ('lr', 'config.optimizer.learning_rate'),
        ('wd', 'config.optimizer.weight_decay'),
        ('learning-rate', 'config.optimizer.learning_rate'),
        ('epochs', 'config.train.steps'),
        ('batch_size', 'config.train.batch_triplets'),
        ('config.train.stpes', 'config.train.steps'),
        ('seed', 'config.seed'),
        ('frobnicate', None),
    ],
)
def test_a_usual_name_leads_to_the_key(name, key):
    assert configs.nearest_key(name) == key
