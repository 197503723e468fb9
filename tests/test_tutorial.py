"""docs/tutorial.ipynb is code that runs, and holds what it printed when it ran:

jupyter execute --inplace docs/tutorial.ipynb
"""

import os

import pytest
from programs import ROOT

nbformat = pytest.importorskip('nbformat', reason='nbformat, which reads notebooks, is not installed')
nbclient = pytest.importorskip('nbclient', reason='nbclient, which runs notebooks, is not installed')
pytest.importorskip('ipykernel', reason='ipykernel, in which notebooks run, is not installed')
jupyter_client = pytest.importorskip('jupyter_client', reason='jupyter_client is not installed')

FILE = ROOT / 'docs' / 'tutorial.ipynb'
SMALL = {'STEPS': 2, 'PICTURES_PER_CLASS': 10, 'SIDE': 32, 'WIDTH': 0.02}


class ThisPython(jupyter_client.AsyncKernelManager):
    """Starts the Python of the tests; the kernel 'python3' that a user has installed may be another."""

    def _kernel_spec_manager_default(self):
        # Where no kernel is installed, ipykernel offers the one that it is part of.
        return jupyter_client.kernelspec.KernelSpecManager(kernel_dirs=[])


@pytest.fixture
def notebook():
    return nbformat.read(FILE, as_version=4)


@pytest.mark.slow
def test_it_runs_from_top_to_bottom(notebook):
    (settings,) = [cell for cell in notebook.cells if 'parameters' in cell.metadata.get('tags', [])]
    assert [line.split(' = ')[0] for line in settings.source.splitlines()] == [*SMALL]
    settings.source = '\n'.join(f'{name} = {value}' for name, value in SMALL.items())
    env = {key: value for key, value in os.environ.items() if key != 'JAX_NUM_CPU_DEVICES'}
    client = nbclient.NotebookClient(notebook, kernel_manager_class=ThisPython, timeout=300)
    client.execute(env=env | {'PYTHONPATH': str(ROOT)})


def test_it_is_committed_as_it_ran(notebook):
    code = [cell for cell in notebook.cells if cell.cell_type == 'code']
    assert [cell.execution_count for cell in code] == [*range(1, len(code) + 1)]
    for cell in code:
        assert not {'error', 'stderr'} & {output.get('name', output.output_type) for output in cell.outputs}
        has_picture = any('image/jpeg' in output.get('data', {}) for output in cell.outputs)
        assert has_picture == ('figure.tight_layout()' in cell.source or 'show(' in cell.source)
    assert FILE.stat().st_size < 400_000
