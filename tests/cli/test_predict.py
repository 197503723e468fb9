"""`cosegnet predict`, as a user runs it."""

import json

import pytest
from pictures_of_discs import save
from PIL import Image
from programs import run


def test_json_is_all_that_is_printed_and_skipped_files_are_listed(tmp_path, run_folder):
    photos = save(tmp_path / 'photos', 'one.png', 'two.png')
    (photos / 'te\nxt.jpg').write_text('no photo at all')
    out = tmp_path / 'out'
    done = run(
        '-m',
        'cosegnet_jax',
        'predict',
        str(photos),
        f'--model={run_folder}',
        f'--out={out}',
        '--threshold=0',
        '--json',
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == json.loads((out / 'pairs.json').read_text())
    assert json.loads(done.stdout)['groups'] == [[0, 1]]
    assert 'skipped te�xt.jpg: not an image that can be read' in done.stderr
    assert (out / 'masks' / 'one.png').is_file()
    assert (out / 'groups' / 'group 1' / 'one.png').samefile(photos / 'one.png')
    assert (out / 'groups.csv').read_text().splitlines()[0] == 'photo,group,likeness,mask,cutout'
    assert (out / 'report.html').is_file()

    other = run(
        '-m',
        'cosegnet_jax',
        'predict',
        str(photos),
        f'--model={run_folder}',
        f'--out={out}',
        '--threshold=1',
        '--annotations=cvat',
    )
    assert other.returncode == 0, other.stderr
    assert other.stdout.splitlines() == [
        '2 photos at threshold 1: 0 group(s)',
        'outliers: 2 photos (one.png, two.png)',
        f'Open {out}/report.html to see them.',
        f'Masks, cut-outs and a folder for each group are in {out}.',
        f'Annotations: {out}/annotations/cvat.xml',
    ]
    assert (out / 'annotations' / 'cvat.xml').is_file()
    assert 'settings: --threshold=1.0 --mask_threshold=0.5 --annotations=cvat\n' in other.stderr

    third = run(
        '-m', 'cosegnet_jax', 'predict', f'--model={run_folder}', f'--images={photos}', f'--out={out}'
    )
    assert third.stdout == other.stdout  # as it was asked for before
    assert 'settings: --threshold=1.0 --mask_threshold=0.5 --annotations=cvat\n' in third.stderr


def test_photos_of_more_megapixels_are_skipped_until_the_command_line_allows_them(tmp_path, run_folder):
    photos = save(tmp_path / 'photos', 'one.png', 'two.png')
    Image.new('L', (300, 200), 90).save(photos / 'large.png')
    command = ['-m', 'cosegnet_jax', 'predict', str(photos), f'--model={run_folder}', f'--out={tmp_path}/out']
    done = run(*command, '--max_megapixels=0.05')
    assert done.returncode == 0, done.stderr
    assert (
        'skipped large.png: more than 0.05 megapixels, so many that it may be made to exhaust the memory; '
        'make it smaller or remove it, or let --max_megapixels allow it'
    ) in done.stderr
    assert not (tmp_path / 'out' / 'masks' / 'large.png').exists()
    done = run(*command, '--max_megapixels=0.06')
    assert done.returncode == 0, done.stderr
    assert 'skipped' not in done.stderr
    with Image.open(tmp_path / 'out' / 'masks' / 'large.png') as mask:
        assert mask.size == (300, 200)


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (['--images=nowhere', '--out=out'], 'error: nowhere: no such file or folder'),
        (['--images=photos', '--out=photos/one.png/out'], '--out=photos/one.png/out: Not a directory'),
        (['--images=photos', f'--out=photos/{"long" * 99}'], 'File name too long; name another folder'),
    ],
    ids=['no photos', 'unwritable', 'impossible'],
)
def test_what_the_user_can_put_right_is_one_line_and_status_2(tmp_path, run_folder, arguments, message):
    save(tmp_path / 'photos', 'one.png', 'two.png')
    arguments = [argument.replace('=', f'={tmp_path}/') for argument in arguments]
    message = message.replace('=photos', f'={tmp_path}/photos').replace(' nowhere', f' {tmp_path}/nowhere')
    done = run('-m', 'cosegnet_jax', 'predict', f'--model={run_folder}', *arguments)
    assert done.returncode == 2, done.stderr
    assert message in done.stderr.strip().splitlines()[-1]
    assert 'Traceback' not in done.stderr
