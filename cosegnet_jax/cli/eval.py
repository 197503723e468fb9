"""Score a network, or set many runs beside the paper.

cosegnet eval --workdir=runs/shapes [--config.evaluation.part=validation ...] [--checkpoint_step=N]

Reads the config of the run from its folder; --config.key=value scores it otherwise, such as on another data
set. Refuses another network, image size or split than the run has. Prints the figures beside the paper's, and
writes WORKDIR/eval/results.json, WORKDIR/eval/pairs.png and WORKDIR/report.html.

cosegnet eval --model=NAME --workdir=DIR --config.data.name=SET [--config.data.root=FOLDER ...]

Scores another network than that of a run in DIR, such as `shipped` or an exported one, and writes to DIR.

cosegnet eval --tables --runs=DIR,DIR [--out=tables]

Writes OUT/tables.md and OUT/tables.html: the paper's tables and figures from all evaluated runs at or below
some folders; and OUT/runs.jsonl, a line for every run there is, also those that failed.
"""

from pathlib import Path

from absl import flags

from cosegnet_jax.cli import command_line
from cosegnet_jax.cli.segmenter import model_flag
from cosegnet_jax.export import pretrained
from cosegnet_jax.reports.pages.comparison import write_pages
from cosegnet_jax.reports.run_evaluation import evaluate, evaluate_run
from cosegnet_jax.runtime import mesh as meshes
from cosegnet_jax.runtime.errors import UserError
from cosegnet_jax.runtime.places import local_path
from cosegnet_jax.training import checkpoints, run_identity

_STEP = flags.DEFINE_integer(
    'checkpoint_step', None, 'Checkpoint to read; without it, the best by validation.'
)
_TABLES = flags.DEFINE_bool('tables', False, 'Make the tables of the paper from --runs.')
_RUNS = flags.DEFINE_list('runs', [], 'Folders that hold evaluated runs, for --tables.')
_OUT = flags.DEFINE_string('out', 'tables', 'Folder for what --tables makes.')


def main() -> None:
    """Score one checkpoint of a run, or make tables of finished runs."""
    if _TABLES.value != bool(_RUNS.value):
        raise UserError('--tables and --runs=DIR,DIR go together: tables are made from folders of runs')
    if _TABLES.value:
        command_line.refuse_config()
        runs = [local_path(folder, '--runs=') for folder in _RUNS.value]
        print(write_pages(runs, command_line.writable('out', _OUT.value)))
    else:
        print(_evaluate())


def _evaluate() -> str:
    """Scores the run in --workdir, or the network that --model names."""
    config, name = command_line.config(), model_flag()
    if name is None:
        return evaluate_run(config, command_line.workdir(), _STEP.value)
    if config.data.root and not command_line.is_given('data.name'):
        raise UserError(f'config.data.root={config.data.root}: name that set, with --config.data.name=NAME')
    workdir, run = command_line.workdir(), pretrained.run_folder(name)
    if pretrained.run_folder(str(workdir)):
        raise UserError(f'--workdir={workdir}: holds a run of its own; name another folder for the results')
    network = pretrained.load(name, meshes.data_mesh(), _STEP.value)
    run_identity.check_same_network(network.config, config, Path(name))
    trained_on = checkpoints.load_trained_on(run, network.step) if run else None
    return evaluate(config, network, workdir, trained_on)
