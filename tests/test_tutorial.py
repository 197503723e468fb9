"""docs/tutorial.ipynb is code that runs, and holds what it printed when it ran:

jupyter execute --inplace docs/tutorial.ipynb
"""

import os

import pytest
from programs import ROOT

nbformat = pytest.importorskip('nbformat', reason='nbformat, which reads notebooks, is not installed')
nbclient = pytest.importorskip('nbclient', reason='nbclient, which runs notebooks, is not installed')

FILE = ROOT / 'docs' / 'tutorial.ipynb'
SMALL = {'STEPS': 2, 'PICTURES_PER_CLASS': 10, 'SIDE': 32, 'WIDTH': 0.02}


@pytest.fixture
def notebook():
    return nbformat.read(FILE, as_version=4)


def test_it_runs_from_top_to_bottom(notebook):
    (settings,) = [cell for cell in notebook.cells if 'parameters' in cell.metadata.get('tags', [])]
    assert [line.split(' = ')[0] for line in settings.source.splitlines()] == [*SMALL]
    settings.source = '\n'.join(f'{name} = {value}' for name, value in SMALL.items())
    env = {key: value for key, value in os.environ.items() if key != 'JAX_NUM_CPU_DEVICES'}
    nbclient.NotebookClient(notebook, timeout=300).execute(env=env | {'PYTHONPATH': str(ROOT)})


def test_it_is_committed_as_it_ran(notebook):
    code = [cell for cell in notebook.cells if cell.cell_type == 'code']
    assert [cell.execution_count for cell in code] == [*range(1, len(code) + 1)]
    for cell in code:
        assert not {'error', 'stderr'} & {output.get('name', output.output_type) for output in cell.outputs}
        has_picture = any('image/jpeg' in output.get('data', {}) for output in cell.outputs)
        assert has_picture == ('figure.tight_layout()' in cell.source or 'show(' in cell.source)
    assert FILE.stat().st_size < 400_000
