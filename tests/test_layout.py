"""Short files and small folders, so that a reader finds the way."""

from pathlib import Path

from programs import ROOT

LONGEST = 300  # lines of a module
MOST = 15  # files of a folder, besides __init__.py and conftest.py
FOLDERS = ('benchmarks', 'configs', 'cosegnet_jax', 'docs', 'tests')


def everything() -> list[Path]:
    found = [path for folder in FOLDERS for path in (ROOT / folder).rglob('*')]
    return [path for path in found if '__pycache__' not in path.parts and not path.name.startswith('.')]


def test_no_module_is_long():
    modules = [path for path in everything() if path.suffix == '.py']
    lengths = {str(path.relative_to(ROOT)): len(path.read_text().splitlines()) for path in modules}
    assert {name: length for name, length in lengths.items() if length > LONGEST} == {}
    assert len(lengths) > 200  # or none was found


def test_no_folder_holds_many_files():
    files = [path for path in everything() if path.is_file()]
    counts = {}
    for path in files:
        if path.name not in ('__init__.py', 'conftest.py'):
            folder = str(path.parent.relative_to(ROOT))
            counts[folder] = counts.get(folder, 0) + 1
    assert {folder: count for folder, count in counts.items() if count > MOST} == {}
    assert len(counts) > 20
