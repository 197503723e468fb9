import fcntl
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from small_pictures import quarters, save

from cosegnet_jax.cli import prepare
from cosegnet_jax.data import prepared_set
from cosegnet_jax.runtime.errors import UserError

COMMAND = [sys.executable, '-m', 'cosegnet_jax', 'prepare']


@pytest.fixture
def root(tmp_path):
    for name in ('cat/a.png', 'cat/b.jpg', 'dog/a.jpg', 'dog/b.jpg'):
        save(tmp_path / 'pets', name)
    return tmp_path / 'pets'


@pytest.fixture
def flags(root, tmp_path):
    return [str(root), str(tmp_path / 'tfds')]


def assert_error(arguments, *parts):
    with pytest.raises(UserError) as caught:
        prepare.run(*arguments)
    message = str(caught.value)
    assert '\n' not in message
    for part in parts:
        assert str(part) in message


def test_the_summary_is_all_that_is_printed(root, flags, tmp_path, capfd):
    (root / 'images/dog/c.jpg').write_bytes(b'')
    save(root, 'dog/d.jpg')
    prepare.run('folder/mine', *flags)
    out = capfd.readouterr().out.splitlines()
    assert out[0].split() == ['class', 'images', 'outliers', 'object']
    assert out[-2].startswith(f'rejected: {root / "masks/dog/c.png"}: missing mask')
    assert out[-1].endswith(f' in {tmp_path / "tfds/folder/mine/1.0.0"}')
    assert len(out) == 4 + 1 + 2


def test_a_prepared_set_is_not_prepared_again(root, flags, tmp_path, capsys):
    prepare.run('folder/mine', *flags)
    first = capsys.readouterr().out
    files = {path: path.stat().st_mtime_ns for path in (tmp_path / 'tfds').rglob('*')}
    prepare.run('folder/mine', '', flags[1])
    second = capsys.readouterr().out
    assert second.startswith(first)
    assert 'was prepared before. Remove' in second.removeprefix(first)
    assert files == {path: path.stat().st_mtime_ns for path in (tmp_path / 'tfds').rglob('*')}


def test_a_preview_of_a_set_that_was_there(root, flags, tmp_path):
    prepare.run('folder/mine', *flags)
    prepare.run('folder/mine', *flags, str(tmp_path / 'sheet.png'))
    with Image.open(tmp_path / 'sheet.png') as sheet:
        assert sheet.width > sheet.height > 144 * 2


def test_what_cannot_be_prepared_is_refused(flags, tmp_path):
    assert_error(['pascal_cosge', *flags], 'pascal_cosge', 'did you mean pascal_coseg?')
    assert_error(['icoseg', *flags, 'x.gif'], 'x.gif', '.png')
    assert_error(['icoseg', *flags, f'{tmp_path}/no/x.png'], f'{tmp_path}/no/x.png', 'no such folder')
    assert not (tmp_path / 'tfds').exists()


def test_a_missing_manual_dir_says_where_the_set_is_published(flags, tmp_path):
    assert_error(
        ['icoseg', '', flags[1]],
        '--manual_dir=DIR is missing',
        'chenlab.ece.cornell.edu',
        'ground_truth/<group>',
    )
    assert_error(['icoseg', f'{tmp_path}/no', flags[1]], f'{tmp_path}/no: nothing there')


def test_a_folder_that_cannot_be_written(root, tmp_path):
    (tmp_path / 'file').write_text('')
    assert_error(
        ['folder/mine', str(root), f'{tmp_path}/file'],
        f'{tmp_path}/file',
        '--data_dir',
    )


def test_another_process_that_prepares_the_same_set(flags, tmp_path):
    folder = tmp_path / 'tfds/folder/mine'
    folder.mkdir(parents=True)
    handle = os.open(folder, os.O_RDONLY)
    fcntl.flock(handle, fcntl.LOCK_EX)
    assert_error(['folder/mine', *flags], folder, 'another process')
    os.close(handle)
    prepare.run('folder/mine', *flags)


def unfinished(data_dir):
    return sorted(data_dir.rglob('incomplete*'))


@pytest.mark.slow
def test_a_killed_preparation_starts_anew(root, flags, tmp_path):
    for number in range(1000):
        for path in (root / 'images/dog/a.jpg', root / 'masks/dog/a.png'):
            path.with_name(f'{number}{path.suffix}').hardlink_to(path)
    data_dir = tmp_path / 'tfds'
    with subprocess.Popen(
        [*COMMAND, 'folder/mine', f'--manual_dir={flags[0]}', f'--data_dir={flags[1]}'],
        stdout=subprocess.DEVNULL,
    ) as process:
        while not unfinished(data_dir):
            assert process.poll() is None
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
    assert unfinished(data_dir)
    with pytest.raises(UserError, match='not prepared'):
        prepared_set.load('folder/mine', data_dir, 8)

    (data_dir / 'folder/other/incomplete.ABCDEF_1.0.0').mkdir(parents=True)  # maybe of a process at work
    prepare.run('folder/mine', *flags)
    assert unfinished(data_dir) == [data_dir / 'folder/other/incomplete.ABCDEF_1.0.0']
    assert len(prepared_set.load('folder/mine', data_dir, 8)) == 1004


def test_what_killed_downloads_left_is_removed(root, flags, tmp_path):
    downloads = tmp_path / 'tfds/downloads'
    for path in ('folder/x.tar.tmp.0123', 'folder/extracted/incomplete.0123_x', 'voc2012/y.tar.tmp.4567'):
        (downloads / path).mkdir(parents=True)
    prepare.run('folder/mine', *flags)
    assert sorted(path.name for path in downloads.rglob('*.*')) == ['y.tar.tmp.4567']


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (['mscr'], 'mscr: no such data set; did you mean msrc?'),
        (['msrc', '--manualdir=x'], '--manualdir: no such flag; did you mean --manual_dir?'),
        ([], 'SET is missing; name one of '),
        (['msrc', 'icoseg'], 'msrc icoseg: more than one set; '),
        (['folder/a', '--mask_values=one'], 'mask_values=one: one is no number; give numbers such as 1'),
        (['folder/a', '--mask_orientation=up'], 'flag --mask_orientation=up: value should be one of <auto|'),
        (['msrc', '--data_dir=gs://bucket/a'], '--data_dir=gs://bucket/a: an address, and only files'),
        (['msrc', '--manual_dir=gs://bucket/a'], '--manual_dir=gs://bucket/a: an address, and only files'),
    ],
    ids=['set', 'flag', 'none', 'two', 'numbers', 'orientation', 'address to write', 'address to read'],
)
def test_the_command_prints_errors_in_one_line(arguments, message):
    done = subprocess.run([*COMMAND, *arguments], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (2, '')
    (line,) = done.stderr.splitlines()
    assert line.startswith(f'error: {message}')


def test_the_command_is_quiet(root, flags):
    done = subprocess.run(
        [*COMMAND, 'folder/mine', f'--manual_dir={flags[0]}', f'--data_dir={flags[1]}'],
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (0, '')
    assert Path(done.stdout.split()[-1]).is_dir()


def numbered(number, left):
    """A class map as gray levels: one number on the left or right half, 9 on a strip of both, 0 elsewhere."""
    levels = np.zeros((20, 40), np.uint8)
    levels[5:15, slice(0, 20) if left else slice(20, 40)] = number
    levels[15:] = 9
    return Image.fromarray(levels)


def prepared_pets(folder, *flags):
    """`cosegnet prepare` of the folder pets."""
    places = [f'--manual_dir={folder / "pets"}', f'--data_dir={folder / "tfds"}']
    return subprocess.run([*COMMAND, 'folder/mine', *places, *flags], capture_output=True, text=True)


def test_numbers_of_the_object_are_those_that_the_command_line_names(tmp_path):
    for name in ('cat/a.png', 'cat/b.png', 'dog/a.png', 'dog/b.png'):
        save(tmp_path / 'pets', name, mask=numbered(17 if 'cat' in name else 3, left='cat' in name))
    unsaid = prepared_pets(tmp_path)
    assert unsaid.returncode == 2
    assert 'has the levels 0, 9, 17, which look like numbers of classes' in unsaid.stderr
    assert 'mask_values=1' in unsaid.stderr

    done = prepared_pets(tmp_path, '--mask_values=cat:17,dog:3')
    assert (done.returncode, done.stderr) == (0, '')
    found = prepared_set.load('folder/mine', tmp_path / 'tfds', 40)
    for row, (label, *_) in enumerate(found.labels):
        expected = np.zeros((40, 40), bool)
        expected[10:30, slice(0, 20) if found.classes[label] == 'cat' else slice(20, 40)] = True
        np.testing.assert_array_equal(found.masks[row] > 0, expected)


@pytest.mark.parametrize('said', ['shown', 'stored'])
def test_masks_lie_as_the_command_line_says(tmp_path, said):
    half_a_turn = Image.Exif()
    half_a_turn[0x0112] = 3
    for name in ('cat/a.png', 'cat/b.png', 'dog/a.png', 'dog/b.png'):
        photo, _ = save(tmp_path / 'pets', name)
        quarters().save(photo, exif=half_a_turn)
        with photo.open('ab') as file:  # no two photos are copies
            file.write(name.encode())
    done = prepared_pets(tmp_path, f'--mask_orientation={said}')
    assert (done.returncode, done.stderr) == (0, '')
    assert 'mask_orientation=shown or' not in done.stdout  # it is said already
    expected = np.zeros((40, 40), bool)
    expected[:20, :20] = True
    if said == 'stored':
        expected = expected[::-1, ::-1]
    found = prepared_set.load('folder/mine', tmp_path / 'tfds', 40)
    for row in range(4):
        np.testing.assert_array_equal(found.masks[row] > 0, expected)


def test_photos_of_more_megapixels_are_rejected_until_the_command_line_allows_them(tmp_path):
    large = Image.new('RGB', (300, 200), (90, 120, 30))
    for name, photo in (('cat/a.png', None), ('cat/b.png', None), ('dog/a.png', None), ('dog/b.png', large)):
        save(tmp_path / 'pets', name, photo, photo and Image.new('L', photo.size, 255))
    done = prepared_pets(tmp_path, '--max_megapixels=0.05')
    assert (done.returncode, done.stderr) == (0, '')
    assert 'dog/b.png: more than 0.05 megapixels' in done.stdout
    assert 'let --max_megapixels allow it' in done.stdout
    shutil.rmtree(tmp_path / 'tfds')
    done = prepared_pets(tmp_path, '--max_megapixels=0.06')
    assert (done.returncode, done.stderr) == (0, '')
    assert 'rejected: ' not in done.stdout


def test_a_prepared_set_is_read_whatever_the_size_of_its_photos(flags, tmp_path, monkeypatch):
    prepare.run('folder/mine', *flags)
    monkeypatch.setattr(Image, 'MAX_IMAGE_PIXELS', 100)
    found = prepared_set.load('folder/mine', tmp_path / 'tfds', 40)
    assert all(found.images[row].any() for row in range(4))
