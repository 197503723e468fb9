import re
import shlex
from pathlib import Path

import pytest

from campaign import plan
from cosegnet_jax.config import all_keys

ROOT = Path(__file__).parents[2]
PARTS = plan.parts(plan.Scale(), Path('/campaign'), plan.Peer('peer.py'))


def test_correctness_comes_before_speed_and_speed_before_training():
    kinds = [part.name.split('-')[0] for part in PARTS]
    order = ['environment', 'correctness', 'train', 'peer', 'epoch', 'run']
    assert sorted(order, key=kinds.index) == order


def test_a_trial_has_parts_of_every_kind():
    trial = plan.parts(plan.TRIAL, Path('/campaign'), plan.Peer('peer.py'))
    kinds, of_trial = ({part.name.split('-')[0] for part in parts} for parts in (PARTS, trial))
    assert of_trial == kinds
    assert len(trial) < len(PARTS)


def test_weights_are_exported_once_and_only_after_their_run_is_scored():
    exporting = [part for part in PARTS for command in part.commands if 'campaign.half' in command]
    (part,) = exporting
    assert part.resumes
    programs = [shlex.join(command) for command in part.commands]
    assert ['train.py' in programs[0], 'eval.py' in programs[1], 'campaign.half' in programs[2]] == [True] * 3


def test_every_part_has_its_own_name_and_fits_into_a_call_of_ten_minutes():
    assert len({part.name for part in PARTS}) == len(PARTS)
    assert all(60 <= part.seconds <= 480 for part in PARTS)


@pytest.mark.parametrize('part', PARTS, ids=lambda part: part.name)
def test_commands_name_programs_configs_and_keys_that_exist(part):
    for command in part.commands:
        line = shlex.join(command)
        for program in re.findall(r' (\w+\.py)\b', line.split(' --')[0]):
            assert (ROOT / program).is_file()
        for module in re.findall(r' -m ([\w.]+)', line):
            assert (ROOT / f'{module.replace(".", "/")}.py').is_file()
        for config in re.findall(r'--config=(\S+)', line):
            assert (ROOT / config).is_file()
        assert set(re.findall(r'--(config\.[\w.]+)=', line)) <= set(all_keys())


def test_without_a_peer_nothing_is_measured_in_turn():
    names = [part.name for part in plan.parts(plan.Scale(), Path('/campaign'), None)]
    assert not [name for name in names if name.startswith('peer')]
    assert len(names) > 20
