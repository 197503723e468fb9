import importlib.util
from pathlib import Path
from typing import get_args, get_type_hints

import pytest

from cosegnet_jax import config as configs
from cosegnet_jax.config import Model
from cosegnet_jax.reports.sweep import plan, variants_of

FILE = Path(__file__).parents[1] / 'configs' / 'ablation.py'


@pytest.fixture(scope='module')
def runs():
    spec = importlib.util.spec_from_file_location(FILE.stem, FILE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return plan(configs.resolve(module.get_config()), variants_of(FILE), 1)


def test_every_network_of_the_paper_and_every_tap_has_its_one_variant(runs):
    hints = get_type_hints(Model)
    cosegnets = [run.config.model.tap for run in runs if run.config.model.name == 'cosegnet']
    others = [run.config.model.name for run in runs if run.config.model.name != 'cosegnet']
    assert sorted(cosegnets) == sorted(get_args(hints['tap']))
    assert sorted([*others, 'cosegnet', 'pyramid']) == sorted(get_args(hints['name']))


def test_variants_differ_in_the_network_alone(runs):
    def rest(config):
        """What is left once the network is the default one."""
        return plan(config, {'': {'model.name': 'cosegnet', 'model.tap': 'cT9'}}, 1)[0].config

    assert len({run.config for run in runs}) == len(runs)
    assert len({rest(run.config) for run in runs}) == 1


def test_the_networks_that_look_at_pairs_can_learn_from_its_batches(runs):
    """A triplet holds a pair that shares an object and one that does not; balanced batches have no pairs."""
    assert {run.config.data.sampler for run in runs} == {'triplets'}
