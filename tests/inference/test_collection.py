import os

import pytest
from pictures_of_discs import save

from cosegnet_jax.inference import cache
from cosegnet_jax.inference.collection import find
from cosegnet_jax.runtime.errors import UserError


def names(images):
    return [photo.name for photo in find(str(images).split(';')).photos]


def test_folders_are_listed_with_all_that_is_in_them(tmp_path):
    save(tmp_path, 'b/c/two.PNG', 'a one.jpg', 'b/😀.webp', '.hidden.png', '.cache/four.png')
    (tmp_path / 'notes.txt').write_text('no photo')
    assert names(tmp_path) == ['a one.jpg', 'b/c/two.PNG', 'b/😀.webp']
    assert [photo.path for photo in find([str(tmp_path)]).photos] == [
        tmp_path / name for name in names(tmp_path)
    ]


def test_what_was_written_before_is_not_taken_for_photos(tmp_path):
    save(tmp_path, 'one.png', 'two.png', 'out/masks/one.png')
    assert len(names(tmp_path)) == 3
    cache.begin(tmp_path / 'out', 'f1')
    assert names(tmp_path) == ['one.png', 'two.png']


def test_what_cannot_be_looked_into_was_not_written(tmp_path):
    assert not cache.is_output(tmp_path / ('long' * 99))


def test_names_of_several_files_begin_at_their_common_folder_and_never_lead_out(tmp_path, monkeypatch):
    save(tmp_path, 'x/one.png', 'y/z/two.png', 'y/with, comma.png')
    monkeypatch.chdir(tmp_path / 'x')
    assert names('one.png;../y/z/two.png;one.png') == ['x/one.png', 'y/z/two.png']
    assert names('../x/../y') == ['with, comma.png', 'z/two.png']
    assert names('../y;one.png') == ['x/one.png', 'y/with, comma.png', 'y/z/two.png']


def test_links_to_files_are_followed_and_loops_are_not(tmp_path):
    save(tmp_path / 'elsewhere', 'one.png')
    save(tmp_path / 'photos', 'two.png')
    os.symlink(tmp_path / 'elsewhere' / 'one.png', tmp_path / 'photos' / 'link.png')
    os.symlink(tmp_path / 'photos', tmp_path / 'photos' / 'loop')
    assert names(tmp_path / 'photos') == ['link.png', 'two.png']


@pytest.mark.parametrize(
    ('images', 'message'),
    [
        ('nowhere', r'nowhere: no such file or folder'),
        ('few/one.png;few/none.png', r'few/none\.png: no such file'),
        ('few', r'few: only one photo in it, and a pair takes two'),
        ('few/one.png', 'only one photo'),
        ('texts', r'no photo in it, and a pair takes two; photos are files such as \.jpg'),
        ('', ': no such file or folder'),
    ],
)
def test_where_there_are_no_two_photos_one_line_says_so(tmp_path, monkeypatch, images, message):
    monkeypatch.chdir(tmp_path)
    save(tmp_path / 'few', 'one.png')
    (tmp_path / 'texts').mkdir()
    (tmp_path / 'texts' / 'a.txt').write_text('a')
    with pytest.raises(UserError, match=message):
        find(images.split(';'))


def test_folders_that_systems_make_are_left_out_and_counted(tmp_path):
    save(
        tmp_path, 'a.png', 'b/c.png', 'b/@eaDir/c.png/SYNOPHOTO_THUMB_M.jpg', '@eaDir/x.jpg', '#recycle/d.png'
    )
    save(tmp_path, '$RECYCLE.BIN/S-1/e.png', '.Trashes/501/f.png', '__MACOSX/g.jpg', '.hidden/h.png')
    photos, left_out = find([str(tmp_path)])
    assert [photo.name for photo in photos] == ['a.png', 'b/c.png']
    assert left_out == {'@eaDir': 2, '#recycle': 1, '$RECYCLE.BIN': 1, '.Trashes': 1, '__MACOSX': 1}


@pytest.mark.parametrize('unpacked', ['', 'cosegnet/', 'holiday/cosegnet/'])
def test_results_that_were_unpacked_among_the_photos_are_left_out(tmp_path, unpacked):
    save(tmp_path, 'a.png', 'holiday/b.png', f'{unpacked}masks/a.png', f'{unpacked}cutouts/holiday/b.png')
    save(tmp_path, f'{unpacked}groups/group 1/a.png')
    assert len(find([str(tmp_path)]).photos) == 5
    (tmp_path / unpacked / 'pairs.json').write_text('')
    photos, left_out = find([str(tmp_path)])
    assert [photo.name for photo in photos] == ['a.png', 'holiday/b.png']
    assert left_out == {'masks': 1, 'cutouts': 1, 'groups': 1}


def test_raw_files_are_listed_and_no_pair_by_themselves(tmp_path):
    save(tmp_path, 'a.png', 'b.png')
    (tmp_path / 'c.NEF').write_bytes(b'raw')
    assert names(tmp_path) == ['a.png', 'b.png', 'c.NEF']
    (tmp_path / 'a.png').rename(tmp_path / 'a.CR3')
    with pytest.raises(UserError, match='only one photo in it'):
        find([str(tmp_path)])
