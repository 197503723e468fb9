"""The `cosegnet` command, from a wheel and far from the repository."""

import importlib.util
import json
import shutil
import subprocess

import pytest
from PIL import Image
from programs import ROOT, run

from cosegnet_jax import __version__
from cosegnet_jax.cli import COMMANDS

SMALL = [
    '--config=shapes',
    '--config.image_size=32',
    '--config.data.images_per_class=10',
    '--config.model.width=0.02',
    '--config.train.steps=1',
    '--config.optimizer.warmup_steps=0',
]
PEER = 'import json; print(json.dumps({"pairs_per_s": 1.0}))'


@pytest.fixture(scope='module')
def installed(tmp_path_factory):
    """Runs the installed command in an empty folder."""
    if importlib.util.find_spec('setuptools') is None:
        pytest.skip('setuptools, which builds the wheel, is not installed')
    folder = tmp_path_factory.mktemp('installed')
    source, site, empty = folder / 'source', folder / 'site', folder / 'empty'
    empty.mkdir()
    source.mkdir()  # building leaves files where it happens
    for name in ('setup.py', 'setup.cfg', 'pyproject.toml', 'README.md', 'LICENSE'):
        shutil.copy(ROOT / name, source)
    for name in ('cosegnet_jax', 'configs'):
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns('__pycache__'))
    install = ['-m', 'pip', 'install', '--no-deps', '--no-build-isolation', '--no-index', f'--target={site}']
    made = run(*install, str(source))
    assert made.returncode == 0, made.stderr
    shutil.rmtree(source)

    def cosegnet(*arguments: str) -> subprocess.CompletedProcess:
        return run(str(site / 'bin' / 'cosegnet'), *arguments, cwd=empty, PYTHONPATH=str(site))

    return cosegnet


@pytest.mark.slow
def test_it_trains_as_from_the_repository_and_finds_what_photos_share(installed, tmp_path):
    done = installed('sweep', *SMALL, f'--workdir={tmp_path}')
    assert done.returncode == 0, done.stderr
    assert 'shapes/split0 (1 of 1)' in done.stdout
    workdir = f'--workdir={tmp_path}/shapes/split0'
    scored = run('eval.py', '--config=configs/shapes.py', *SMALL[1:], workdir)
    assert scored.returncode == 0, scored.stderr
    assert scored.stdout in done.stdout

    for color in ('red', 'blue'):
        Image.new('RGB', (60, 40), color).save(tmp_path / f'{color}.png')
    photos, out = [f'{tmp_path}/red.png', f'{tmp_path}/blue.png'], tmp_path / 'out'
    found = installed('predict', *photos, workdir.replace('workdir', 'model'), f'--out={out}')
    assert found.returncode == 0, found.stderr
    assert '2 photos at threshold 0.5' in found.stdout
    assert '<script' in (out / 'report.html').read_text()


@pytest.mark.slow
@pytest.mark.parametrize('program', ['installed', 'repository'])
def test_a_measurement_beside_a_peer_starts_itself_again(program, installed, tmp_path):
    (tmp_path / 'peer.py').write_text(PEER)
    arguments = [*SMALL, '--mode=eval', '--blocks=1', f'--peer={tmp_path}/peer.py', '--peer_runs=1']
    done = (
        installed('benchmark', *arguments)
        if program == 'installed'
        else run('-m', 'cosegnet_jax', 'benchmark', *arguments)
    )
    assert done.returncode == 0, done.stderr
    row = json.loads(done.stdout)
    assert row['peer_ratio'] == row['pairs_per_s'] > 0


@pytest.mark.parametrize('arguments', [[], ['--help'], ['-h'], ['help']])
def test_without_a_name_it_lists_the_commands(arguments):
    done = run('-m', 'cosegnet_jax', *arguments)
    assert (done.returncode, done.stderr) == (0, '')
    assert [line.split()[0] for line in done.stdout.splitlines() if line.startswith('  ')] == [*COMMANDS]


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (['tarin'], 'tarin: no such command; did you mean train?'),
        (['frobnicate'], f'frobnicate: no such command; there are {", ".join(COMMANDS)}'),
        (['train', '--images=photos'], '--images: no such flag; --help lists the flags'),
        (['train', '--lr=1'], '--lr: no such flag; did you mean --config.optimizer.learning_rate?'),
        (
            ['train', '--batch_size', '4'],
            '--batch_size: no such flag; did you mean --config.train.batch_triplets?',
        ),
        (['predict', '--workdir=run'], '--workdir: not read by cosegnet predict; name the run by --model'),
        (['export', '--config=shapes'], '--config: not read by cosegnet export; leave it out'),
        (['predict'], 'PHOTOS is missing; name a folder of photos: cosegnet predict PHOTOS'),
        (['train', '--config=shaeps'], '--config=shaeps: no such config'),
    ],
    ids=[
        'near',
        'far',
        "another command's flag",
        'initials',
        'usual name',
        'run',
        'unread',
        'no photos',
        'config',
    ],
)
def test_what_the_user_can_put_right_is_one_line_and_status_2(arguments, message):
    done = run('-m', 'cosegnet_jax', *arguments)
    assert (done.returncode, done.stdout) == (2, '')
    (line,) = done.stderr.splitlines()
    assert line.startswith(f'error: {message}')


@pytest.mark.slow
@pytest.mark.parametrize('name', COMMANDS)
def test_help_of_a_command_is_its_usage_and_the_flags_that_it_reads(name):
    texts = [run('-m', 'cosegnet_jax', *arguments) for arguments in ([name, '-h'], ['help', name])]
    assert [(done.returncode, done.stderr) for done in texts] == [(0, '')] * 2
    assert texts[0].stdout == texts[1].stdout
    command, text = COMMANDS[name], texts[0].stdout
    assert text.startswith(f'Usage: cosegnet {name} {command.words}'.strip())
    assert f'\ncosegnet {name}' in text
    assert all(f'  --{flag}=' in text for flag in command.shared)
    assert ('  --config=' in text) == ('config' in command.shared)
    assert ('  --out=' in text) == (name in ('predict', 'eval', 'export'))


@pytest.mark.parametrize('arguments', [['--version'], ['train', '--version']])
def test_version(arguments):
    done = run('-m', 'cosegnet_jax', *arguments)
    assert (done.returncode, done.stdout) == (0, f'cosegnet {__version__}\n')
