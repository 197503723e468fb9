"""Evaluate a run, or set many runs beside the paper.

cosegnet eval --workdir=runs/shapes [--config.evaluation.part=validation ...] [--checkpoint_step=N]

Reads the config of the run from its folder; --config.key=value scores it otherwise, such as on another data
set. Refuses another network, image size or split than the run has. Prints the figures beside the paper's, and
writes WORKDIR/eval/results.json, WORKDIR/eval/pairs.png and WORKDIR/report.html.

cosegnet eval --tables --runs=DIR,DIR [--out=tables]

Writes OUT/tables.md and OUT/tables.html: the paper's tables and figures from all evaluated runs at or below
some folders; and OUT/runs.jsonl, a line for every run there is, also those that failed.
"""

from absl import flags

from cosegnet_jax.cli import command_line
from cosegnet_jax.reports.pages.comparison import write_pages
from cosegnet_jax.reports.run_evaluation import evaluate_run
from cosegnet_jax.runtime.errors import UserError
from cosegnet_jax.runtime.places import local_path

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
        print(evaluate_run(command_line.config(), command_line.workdir(), _STEP.value))
