import dataclasses
import json
import re
import runpy

import pytest
from programs import run as run_program

from cosegnet_jax import config as configs
from cosegnet_jax.evaluation.scoring import protocol_of
from cosegnet_jax.reports.sweep import plan, sweep, variants_of
from cosegnet_jax.runtime.errors import Stopped, UserError

CONFIG = configs.Config(model=configs.Model(weights='none'), train=configs.Train(steps=7))
VARIANTS = {'wide': {'model.width': 2}, 'low': {'model.tap': 'f', 'loss.margin': 2.0}}


class Programs:
    """Stands for training and evaluation: notes what is asked for, and leaves what a sweep reads."""

    def __init__(self, fail: dict[str, Exception] | None = None):
        self.fail = fail or {}
        self.trained, self.scored = [], []

    def train(self, config, folder, validate):
        name = '/'.join(folder.parts[-2:])
        if name in self.fail:
            raise self.fail[name]
        self.trained.append(name)
        (folder / 'trained.json').write_text(json.dumps(dataclasses.asdict(config)))

    def evaluate(self, config, folder, step):
        assert step is None
        self.scored.append((*folder.parts[-2:], config.data.name))
        figures = ('precision', 'jaccard', 'precision_ungated', 'jaccard_ungated')
        decision = dict.fromkeys(('balanced_accuracy', 'auc', 'null_mask_rate'), 0.5)
        document = {
            'dataset': config.data.name,
            'split': config.evaluation.part,
            'step': config.train.steps,
            **dict.fromkeys(figures, 0.5),
            'per_class': {},
            'decision': decision,
            'protocol': {**protocol_of(config).as_dict(), 'decided_by': 'a coin'},
            'training': {
                'dataset': config.data.name,
                'scored_photos_seen': 0,
                'config': json.loads((folder / 'trained.json').read_text()),
            },
        }
        settings = config.evaluation
        file = folder / 'eval' / f'{config.data.name}-{settings.part}-{settings.protocol}.json'
        file.parent.mkdir(exist_ok=True)
        file.write_text(json.dumps(document))
        return f'table of {config.data.name}'


def run(workdir, *, also=(), variants=VARIANTS, splits=2, fail=None, config=CONFIG):
    programs = Programs(fail)
    sweep(plan(config, variants, splits), workdir, also, programs.train, programs.evaluate)
    return programs


def test_a_plan_compares_all_variants_on_a_split_before_the_next():
    at_three = dataclasses.replace(CONFIG, data=configs.Data(split=3))
    runs = plan(at_three, VARIANTS, 2)
    assert [run.name for run in runs] == ['wide/split3', 'low/split3', 'wide/split4', 'low/split4']
    low = runs[3].config
    assert (low.model.tap, low.loss.margin, low.data.split) == ('f', 2.0, 4)
    assert (low.model.width, low.train.steps) == (1.0, 7)
    assert runs[2].config == dataclasses.replace(
        CONFIG, data=configs.Data(split=4), model=configs.Model(width=2.0, weights='none')
    )


@pytest.mark.parametrize(
    ('changes', 'message'),
    [
        ({'model.tpa': 'f'}, 'config.model.tpa: no such key; did you mean config.model.tap?'),
        ({'modle.tap': 'f'}, 'config.modle.tap: no such key; did you mean config.model.tap?'),
        ({'seed.tap': 'f'}, 'config.seed.tap: no such key; did you mean config.seed?'),
        ({'model': 'deep_object_coseg'}, 'config.model: no such key'),
        ({'model.tap': 'cT5'}, 'config.model.tap=cT5: must be one of'),
    ],
)
def test_a_variant_with_a_wrong_key_or_value_is_refused(changes, message):
    with pytest.raises(UserError, match=re.escape(message)):
        plan(CONFIG, {'odd': changes}, 1)


def test_a_config_file_without_variants_is_the_only_one(tmp_path):
    plain, varied = tmp_path / 'plain.py', tmp_path / 'varied.py'
    plain.write_text('')
    varied.write_text(f'VARIANTS = {VARIANTS}')
    assert variants_of(plain) == {'plain': {}}
    assert variants_of(varied) == VARIANTS


def test_every_run_is_trained_and_scored_in_a_folder_of_its_own(tmp_path, capsys):
    done = run(tmp_path, also=['msrc', 'icoseg'], splits=1)
    assert done.trained == ['wide/split0', 'low/split0']
    assert done.scored == [
        (name, 'split0', data) for name in ('wide', 'low') for data in ('shapes', 'msrc', 'icoseg')
    ]
    trained = json.loads((tmp_path / 'low' / 'split0' / 'trained.json').read_text())
    assert configs.resolve(trained) == plan(CONFIG, VARIANTS, 1)[1].config
    printed = capsys.readouterr().out
    assert 'low/split0 (2 of 2)' in printed
    assert 'table of icoseg' in printed


def test_other_sets_are_scored_whole_and_from_where_they_were_prepared(tmp_path):
    asked = []
    root = configs.Data(name='mine', root='/photos', prepared_dir='/prepared')
    config = dataclasses.replace(CONFIG, data=root)
    sweep(plan(config, {'a': {}}, 1), tmp_path, ['msrc'], lambda *_: None, lambda c, *_: asked.append(c))
    own, other = asked
    assert own == config
    assert other.evaluation.part == 'all'
    assert other.data == configs.Data(name='msrc', root='', prepared_dir='/prepared')


def test_what_is_finished_is_not_done_again(tmp_path, capsys):
    run(tmp_path, splits=1)
    capsys.readouterr()
    again = run(tmp_path)
    assert again.trained == ['wide/split1', 'low/split1']
    lines = capsys.readouterr().out.splitlines()
    assert lines[:2] == ['wide/split0 (1 of 4): finished before', 'low/split0 (2 of 4): finished before']


def test_a_set_asked_for_later_is_scored_alone(tmp_path):
    run(tmp_path, splits=1)
    assert run(tmp_path, splits=1, also=['msrc']).scored == [
        ('wide', 'split0', 'msrc'),
        ('low', 'split0', 'msrc'),
    ]


def test_a_stop_ends_the_sweep_and_the_same_command_goes_on(tmp_path):
    with pytest.raises(Stopped, match='at step 3'):
        run(tmp_path, fail={'low/split0': Stopped('stopped at step 3')})
    assert run(tmp_path).trained == ['low/split0', 'wide/split1', 'low/split1']


def test_a_run_that_fails_is_reported_and_does_not_end_the_sweep(tmp_path, capsys):
    with pytest.raises(UserError, match=r'failed: low/split0, low/split1; .*the same command') as caught:
        run(tmp_path, fail={f'low/split{k}': UserError(f'step {k} gives nan') for k in (0, 1)})
    assert not isinstance(caught.value, Stopped)
    assert 'low/split1 (4 of 4) failed: step 1 gives nan\n' in capsys.readouterr().out
    assert run(tmp_path).trained == ['low/split0', 'low/split1']


def test_a_bug_is_not_taken_for_a_run_that_fails(tmp_path):
    with pytest.raises(ZeroDivisionError):
        run(tmp_path, fail={'wide/split0': ZeroDivisionError()})


def test_a_folder_of_another_config_is_refused_before_anything_is_trained(tmp_path):
    run(tmp_path, variants={'low': VARIANTS['low']}, splits=1)
    with pytest.raises(UserError, match=r'low/split0 holds a run with config\.seed=0, not 1'):
        run(tmp_path, config=dataclasses.replace(CONFIG, seed=1))
    assert not (tmp_path / 'wide').exists()


def test_a_damaged_evaluation_is_named_before_anything_is_trained(tmp_path):
    run(tmp_path)
    (file,) = (tmp_path / 'low' / 'split1').glob('eval/*.json')
    file.write_text('{')
    with pytest.raises(UserError, match=f'{file}: not valid JSON'):
        run(tmp_path, splits=3)
    assert not (tmp_path / 'low' / 'split2').exists()


def test_another_protocol_is_scored_anew(tmp_path):
    run(tmp_path, splits=1)
    settings = configs.Evaluation(mask_threshold=0.4)
    stricter = dataclasses.replace(CONFIG, evaluation=settings)
    assert len(run(tmp_path, splits=1, config=stricter).scored) == 2
    assert not run(tmp_path, splits=1, config=stricter).scored


def test_runs_that_shall_last_longer_are_not_finished(tmp_path):
    run(tmp_path, splits=1)
    longer = dataclasses.replace(CONFIG, train=configs.Train(steps=9))
    assert run(tmp_path, splits=1, config=longer).trained == ['wide/split0', 'low/split0']
    alone = dataclasses.replace(longer, train=configs.Train(steps=9, heads_steps=3))
    assert run(tmp_path, splits=1, config=alone).trained == ['wide/split0', 'low/split0']


SMALL = """
from cosegnet_jax.config import default

VARIANTS = {'deep': {'model.tap': 'f'}}

def get_config():
    config = default()
    config.image_size = 32
    config.data.images_per_class = 10
    config.model.width = 1 / 64
    config.model.weights = 'none'
    config.train.steps = 1
    return config
"""


@pytest.mark.slow
def test_the_command_leaves_what_a_sweep_takes_for_finished(tmp_path):
    """Real training and evaluation, which name and fill the files that are looked for."""
    file = tmp_path / 'small.py'
    file.write_text(SMALL)
    done = run_program('-m', 'cosegnet_jax', 'sweep', f'--config={file}', f'--workdir={tmp_path}')
    assert done.returncode == 0, done.stderr
    assert 'deep/split0 (1 of 1)' in done.stdout
    config = configs.resolve(runpy.run_path(str(file))['get_config']())
    again = run(tmp_path, config=config, variants=variants_of(file), splits=1)
    assert (again.trained, again.scored) == ([], [])
