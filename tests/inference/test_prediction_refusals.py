import dataclasses
import os

import jax
import pytest
from pictures_of_discs import disc, save
from PIL import Image
from predicting import predict

from cosegnet_jax.inference import collection, prediction
from cosegnet_jax.runtime.errors import UserError


def test_files_that_cannot_be_read_are_listed_and_the_rest_goes_on(tmp_path, segmenter, photos):
    (photos / 'text.jpg').write_text('no photo at all')
    (photos / 'empty.png').touch()
    whole = (photos / 'a' / 'one.png').read_bytes()
    (photos / 'half.png').write_bytes(whole[: len(whole) // 2])
    Image.new('1', (15_000, 15_000)).save(photos / 'bomb.png')
    os.symlink(photos / 'gone.png', photos / 'link.png')
    os.mkfifo(photos / 'pipe.jpg')
    disc().save(os.fsencode(photos) + b'/bad\xff.png', 'PNG')
    _, document = predict(segmenter, photos, tmp_path / 'out')
    reasons = {one['name']: one['reason'] for one in document['skipped']}
    assert document['names'] == ['a/one.png', 'a/two 😀.jpg', 'b/one.png']
    assert sorted(reasons) == [
        'bad\udcff.png', 'bomb.png', 'empty.png', 'half.png', 'link.png', 'pipe.jpg', 'text.jpg',
    ]  # fmt: skip
    assert 'an empty file' in reasons['empty.png']
    assert 'not an image that can be read' in reasons['text.jpg']
    assert 'more than 179 megapixels' in reasons['bomb.png']
    assert 'not UTF-8' in reasons['bad\udcff.png']
    assert 'No such file' in reasons['link.png']
    assert 'a pipe' in reasons['pipe.jpg']
    assert str(tmp_path) not in ''.join(reasons.values())
    assert not any('\n' in reason for reason in reasons.values())


def test_where_fewer_than_two_can_be_read_one_line_says_why(tmp_path, segmenter):
    save(tmp_path / 'photos', 'one.png')
    (tmp_path / 'photos' / 'text.jpg').write_text('no photo at all')
    with pytest.raises(UserError, match=r'1 of 2 photos can be read, .* \(text\.jpg: not an image'):
        predict(segmenter, tmp_path / 'photos', tmp_path / 'out')


def test_nothing_of_others_is_overwritten(tmp_path, segmenter, photos):
    save(tmp_path / 'data', 'images/one.png', 'masks/one.png')
    before = (tmp_path / 'data' / 'masks' / 'one.png').read_bytes()
    with pytest.raises(UserError, match='holds files that this command has not written; name a new folder'):
        predict(segmenter, photos, tmp_path / 'data')
    assert (tmp_path / 'data' / 'masks' / 'one.png').read_bytes() == before
    assert sorted(path.name for path in (tmp_path / 'data').iterdir()) == ['images', 'masks']


def test_what_another_network_has_found_is_not_mixed_with_this_ones(tmp_path, segmenter, photos):
    predict(segmenter, photos, tmp_path / 'out')
    before = (tmp_path / 'out' / 'pairs.json').read_bytes()
    params = jax.tree.map(lambda leaf: leaf + 1, segmenter.network.params)
    other = dataclasses.replace(segmenter, network=dataclasses.replace(segmenter.network, params=params))
    with pytest.raises(UserError, match=r'another network, .*; name a new folder, or delete this one'):
        predict(other, photos, tmp_path / 'out')
    assert (tmp_path / 'out' / 'pairs.json').read_bytes() == before


def test_what_was_found_in_other_photos_is_not_overwritten(tmp_path, segmenter, photos):
    out = tmp_path / 'out'
    predict(segmenter, photos, out)
    before = (out / 'pairs.json').read_bytes()
    others = tmp_path / 'others'
    for seed, name in enumerate(('three.png', 'one.png'), 10):  # one has the name of another
        (others / 'b').mkdir(parents=True, exist_ok=True)
        disc(seed).save(others / 'b' / name)
    with pytest.raises(
        UserError, match=r'--out=.*: holds what was found in other photos, .* delete this one'
    ):
        predict(segmenter, others, out)
    assert (out / 'pairs.json').read_bytes() == before
    (photos / 'a' / 'one.png').unlink()
    (photos / 'c').mkdir()
    disc(20).save(photos / 'c' / 'new.png')
    _, document = predict(segmenter, photos, out)  # some are the same
    assert document['names'] == ['a/two 😀.jpg', 'b/one.png', 'c/new.png']


def test_a_plan_writes_nothing_and_knows_what_is_done(tmp_path, segmenter, photos):
    out, listed = tmp_path / 'out', collection.find([str(photos)]).photos
    assert prediction.plan(listed, out).splitlines() == [
        f'a/one.png -> {out}/masks/a/one.png',
        f'a/two 😀.jpg -> {out}/masks/a/two 😀.png',
        f'b/one.png -> {out}/masks/b/one.png',
        '3 photos; nothing written',
    ]
    assert not out.exists()
    predict(segmenter, photos, out)
    assert prediction.plan(listed, out).count('(looked at already)') == 3


def test_a_black_photo_is_used_and_named_every_time(tmp_path, segmenter, photos):
    Image.new('RGB', (60, 40), (3, 3, 3)).save(photos / 'b' / 'night.png')
    for _ in range(2):
        _, document = predict(segmenter, photos, tmp_path / 'out')
        assert 'b/night.png' in document['names']
        assert document['doubtful'] == [{'name': 'b/night.png', 'reason': 'nearly black throughout'}]
