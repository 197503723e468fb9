import pytest

from cosegnet_jax.inference import results_folder
from cosegnet_jax.runtime import files
from cosegnet_jax.runtime.errors import UserError


def test_masks_have_the_names_of_their_photos():
    assert results_folder.mask_names(['cow/a.b.jpg', 'my photo 😀.png']) == [
        'masks/cow/a.b.png',
        'masks/my photo 😀.png',
    ]


def test_photos_that_would_share_a_mask_keep_their_suffixes():
    photos = ['a.jpg', 'a.png', 'a.jpg.webp', 'b/a.jpg', 'C.gif', 'c.bmp']
    assert results_folder.mask_names(photos) == [
        'masks/a.jpg.png',
        'masks/a.png.png',
        'masks/a.jpg.webp.png',  # 'a.jpg.png' is that of 'a.jpg'
        'masks/b/a.png',
        'masks/C.gif.png',
        'masks/c.bmp.png',
    ]


def test_a_file_that_fails_half_way_leaves_the_old_one(tmp_path):
    path = tmp_path / 'pairs.json'
    files.write_json(path, {'a': 1})

    def fail():
        with files.write_atomically(path) as file:
            file.write_text('half')
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert path.read_text() == '{\n"a": 1\n}\n'


def test_what_cannot_be_written_is_one_line(tmp_path):
    (tmp_path / 'masks').write_text('a file where a folder should be')
    with pytest.raises(UserError, match=r'masks/a\.png: cannot be written \(.+\); fix that and start again'):
        files.write_json(tmp_path / 'masks' / 'a.png', {})


def test_names_that_are_too_long_for_a_file_are_shortened_and_stay_different():
    longest = [f'{letter * 251}.jpg' for letter in 'ab'] + [
        'x/' + 'ü' * 125 + 'a.jpg',
        'x/' + 'ü' * 125 + 'a.png',
    ]
    for suffix in ('.json', '.png'):
        found = results_folder.renamed(longest, suffix)
        assert len(set(found)) == 4
        for name, other in zip(longest, found, strict=True):
            assert all(len(part.encode()) <= 255 for part in other.split('/'))
            assert other.endswith(suffix)
            assert other[:100] == name[:100]
    assert results_folder.renamed(['a' * 250 + '.jpg'], '.json') == ['a' * 250 + '.json']


def test_accents_in_either_encoding_are_one_name_to_some_file_systems():
    assert results_folder.renamed(['b\u00e4r.jpg', 'ba\u0308r.jpg', 'c.jpg'], '.png') == [
        'b\u00e4r.jpg.png', 'ba\u0308r.jpg.png', 'c.png'
    ]  # fmt: skip
