import os

import pytest

from cosegnet_jax import config as configs
from cosegnet_jax.cli import command_line
from cosegnet_jax.inference import collection
from cosegnet_jax.inference.photo_reading import read
from cosegnet_jax.runtime.errors import UserError
from cosegnet_jax.runtime.places import local_path

ADDRESSES = (
    'gs://bucket/run',
    's3://bucket/run',
    'gs:/bucket/run',
    r'C:\photos',
    'C:/photos',
    r'\\nas\photos',
)


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv('HOME', str(tmp_path / 'home'))
    (tmp_path / 'home').mkdir()
    (tmp_path / 'elsewhere').mkdir()
    monkeypatch.chdir(tmp_path / 'elsewhere')
    return tmp_path / 'home'


def test_a_tilde_is_the_home_folder(home):
    assert local_path('~/run') == home / 'run'
    assert local_path('~') == home
    assert local_path('a~/b') == local_path('./a~/b')
    with pytest.raises(UserError, match='--out=~nobody-of-this-name/x: no such user'):
        local_path('~nobody-of-this-name/x', '--out=')


@pytest.mark.parametrize('address', ADDRESSES)
def test_an_address_is_refused_in_one_line_and_no_folder_of_that_name_is_made(home, address):
    for use in (
        lambda: command_line.writable('out', address),
        lambda: collection.find([address]),
        lambda: read(address),
        lambda: configs.resolve({'data': {'root': address}}),
        lambda: configs.resolve({'data': {'prepared_dir': address}}),
        lambda: configs.resolve({'data': {'split_file': address}}),
        lambda: configs.resolve({'model': {'weights': address}}),
    ):
        with pytest.raises(
            UserError, match='an address, and only files and folders of this machine'
        ) as raised:
            use()
        assert '\n' not in str(raised.value)
        assert address in str(raised.value)
    assert os.listdir() == []


def test_folders_are_made_and_read_in_the_home_folder(home):
    assert command_line.writable('out', '~/out') == home / 'out'
    assert (home / 'out').is_dir()
    assert configs.resolve({'data': {'root': '~/photos', 'prepared_dir': ''}}).data.root == f'{home}/photos'
    assert configs.resolve({}).model.weights == 'imagenet'
    assert configs.resolve({}).data.prepared_dir == ''
    assert os.listdir() == []


def test_photos_are_found_in_the_home_folder(home):
    from pictures_of_discs import save

    save(home / 'photos', 'a.png', 'b.png')
    assert [photo.path for photo in collection.find(['~/photos']).photos] == [
        home / 'photos' / 'a.png',
        home / 'photos' / 'b.png',
    ]
    assert [photo.name for photo in collection.find(['~/photos/a.png', '~/photos/b.png']).photos] == [
        'a.png',
        'b.png',
    ]
    assert read('~/photos/a.png').size == (60, 40)


def test_a_name_with_a_colon_is_no_address(home):
    for name in ('12:30', 'a:b/c', 'photos 2024: summer/x', './gs:/x'):
        assert local_path(name).parts[-1] == name.split('/')[-1]
