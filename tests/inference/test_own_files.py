"""What a results folder keeps, moves and removes, as a person and the photos change."""

import dataclasses
import json
import os
import shutil

import numpy as np
import pytest
from pictures_of_discs import disc, save
from PIL import Image

from cosegnet_jax.inference import collection, own_files, prediction, settings
from cosegnet_jax.inference.settings import Settings
from cosegnet_jax.runtime.errors import UserError


def predict(segmenter, images, out, threshold=0.0, **others):
    listed = collection.find([str(images)])[0]
    prediction.check(listed, segmenter, out)
    out.mkdir(exist_ok=True)
    return prediction.predict(listed, segmenter, out, Settings(threshold=threshold, **others))


def pixels(path):
    with Image.open(path) as image:
        return np.asarray(image)


def files(out):
    return sorted(
        path.relative_to(out).as_posix()
        for path in out.rglob('*')
        if path.is_file() and not path.is_symlink() and '.described' not in path.parts
    )


@pytest.fixture
def photos(tmp_path):
    return save(tmp_path / 'photos', 'a.png', 'b.png', 'c.png')


@pytest.fixture
def right(tmp_path, segmenter):
    """The mask of a disc, whatever its file is called and whatever was looked at before."""

    def mask(seed):
        found = segmenter.cosegment([disc(seed), disc(seed)], threshold=0.0)
        return found.masks[0] * np.uint8(255)

    return mask


def same_state(*paths):
    """Has files agree in size and times, as those of a camera or an archive may."""
    size = max(path.stat().st_size for path in paths)
    for path in paths:
        with path.open('ab') as file:
            file.write(b'\0' * (size - path.stat().st_size))
        os.utime(path, ns=(10**18, 10**18))


@pytest.mark.parametrize('swap', ['rename', 'copy'])
def test_photos_of_equal_size_and_time_that_change_names_get_their_own_masks(
    tmp_path, segmenter, photos, right, swap
):
    out, (a, b) = tmp_path / 'out', (photos / 'a.png', photos / 'b.png')
    same_state(a, b)
    predict(segmenter, photos, out)
    np.testing.assert_array_equal(pixels(out / 'masks' / 'a.png'), right(0))
    if swap == 'rename':
        a.rename(photos / 'x')
        b.rename(a)
        (photos / 'x').rename(b)
    else:  # into the same inodes, and with the same times
        content = a.read_bytes(), b.read_bytes()
        a.write_bytes(content[1])
        b.write_bytes(content[0])
        same_state(a, b)
    predict(segmenter, photos, out)
    np.testing.assert_array_equal(pixels(out / 'masks' / 'a.png'), right(1))
    np.testing.assert_array_equal(pixels(out / 'masks' / 'b.png'), right(0))


def test_what_is_of_a_photo_that_is_gone_is_removed(tmp_path, segmenter, photos):
    pytest.importorskip('cv2', reason='needs OpenCV, of the extra annotations')
    out = tmp_path / 'out'
    (photos / 'd').mkdir()
    disc(7).save(photos / 'd' / 'e.png')
    predict(segmenter, photos, out, annotations=('labelme',))
    (photos / 'a.png').unlink()
    shutil.rmtree(photos / 'd')
    outcome = predict(segmenter, photos, out, annotations=('labelme',))
    kinds = {'masks': 'png', 'cutouts': 'png', 'annotations/labelme': 'json'}
    names = [f'{folder}/{stem}.{end}' for folder, end in kinds.items() for stem in ('b', 'c')]
    assert files(out) == sorted([*names, 'groups.csv', 'pairs.json', 'report.html'])
    assert not (out / 'masks' / 'd').exists()
    assert any(line.startswith('6 file(s) removed, as their photos are gone: ') for line in outcome.said)


def test_a_photo_with_the_stem_of_another_does_not_get_its_mask(tmp_path, segmenter, photos, right):
    out = tmp_path / 'out'
    predict(segmenter, photos, out)
    (photos / 'a.png').unlink()
    disc(9).save(photos / 'a.bmp')
    predict(segmenter, photos, out)
    np.testing.assert_array_equal(pixels(out / 'masks' / 'a.png'), right(9))


def test_a_mask_that_a_person_changed_stays_at_every_threshold(tmp_path, segmenter, photos, right):
    out = tmp_path / 'out'
    predict(segmenter, photos, out)
    drawn = out / 'masks' / 'a.png'
    Image.fromarray(np.eye(40, 60, dtype=np.uint8) * 255).save(drawn)
    before = drawn.read_bytes()
    for threshold in (0.0, 1.0, 0.0):
        outcome = predict(segmenter, photos, out, threshold)
        assert drawn.read_bytes() == before
        assert json.loads((out / 'pairs.json').read_text())['changed'] == ['masks/a.png']
        assert '1 file(s) left as a person has changed them: masks/a.png' in outcome.said
        assert pixels(out / 'masks' / 'b.png').any() == (threshold == 0)
    drawn.unlink()  # and a deleted one is made again
    assert predict(segmenter, photos, out).document['changed'] == []
    np.testing.assert_array_equal(pixels(drawn), right(0))


def test_a_mask_that_a_person_changed_is_set_aside_when_the_photo_is_another(
    tmp_path, segmenter, photos, right
):
    out = tmp_path / 'out'
    predict(segmenter, photos, out)
    for number, seed in enumerate((20, 21), 1):
        (out / 'masks' / 'a.png').write_bytes(b'drawn %d' % number)
        disc(seed).save(photos / 'a.png')
        outcome = predict(segmenter, photos, out)
        np.testing.assert_array_equal(pixels(out / 'masks' / 'a.png'), right(seed))
        assert any('moved to set_aside' in line for line in outcome.said)
    assert (out / 'set_aside' / 'masks' / 'a.png').read_bytes() == b'drawn 1'
    assert (out / 'set_aside' / 'masks' / 'a (2).png').read_bytes() == b'drawn 2'
    (out / 'masks' / 'b.png').write_bytes(b'drawn 3')
    (photos / 'b.png').unlink()
    predict(segmenter, photos, out)
    assert not (out / 'masks' / 'b.png').exists()
    assert (out / 'set_aside' / 'masks' / 'b.png').read_bytes() == b'drawn 3'


def test_a_cut_out_that_a_person_changed_stays_at_every_threshold(tmp_path, segmenter, photos):
    out = tmp_path / 'out'
    predict(segmenter, photos, out)
    (out / 'cutouts' / 'a.png').write_bytes(b'drawn')
    for threshold, others in ((0.0, ['b.png', 'c.png']), (1.0, []), (0.0, ['b.png', 'c.png'])):
        outcome = predict(segmenter, photos, out, threshold)
        assert (out / 'cutouts' / 'a.png').read_bytes() == b'drawn'
        assert outcome.document['changed'] == ['cutouts/a.png']
        assert sorted(path.name for path in (out / 'cutouts').iterdir()) == ['a.png', *others]
    (photos / 'a.png').unlink()
    predict(segmenter, photos, out)
    assert (out / 'set_aside' / 'cutouts' / 'a.png').read_bytes() == b'drawn'
    assert not (out / 'cutouts' / 'a.png').exists()


def test_links_in_groups_are_no_own_files_and_lead_to_the_photos_after_every_change(
    tmp_path, segmenter, photos
):
    out, before = tmp_path / 'out', {path.name: path.read_bytes() for path in photos.iterdir()}
    group = out / 'groups' / 'group 1'
    for kind in ('links', 'copies', 'links'):
        predict(segmenter, photos, out, groups=kind)
        assert {path.name: path.read_bytes() for path in group.iterdir()} == before
        assert {path.is_symlink() for path in group.iterdir()} == {kind == 'links'}
        assert any(name.startswith('groups/') for name in own_files.read(out).entries) == (kind == 'copies')
    assert {path.name: path.read_bytes() for path in photos.iterdir()} == before


def test_copies_follow_their_photos_and_those_that_a_person_changed_stay_or_are_set_aside(
    tmp_path, segmenter, photos
):
    out = tmp_path / 'out'
    group = out / 'groups' / 'group 1'
    predict(segmenter, photos, out, groups='copies')
    (group / 'a.png').write_bytes(b'drawn')
    (group / 'notes.txt').write_text('mine')
    disc(9).save(photos / 'b.png')
    (photos / 'c.png').unlink()
    assert predict(segmenter, photos, out, groups='copies').document['changed'] == ['groups/group 1/a.png']
    assert (group / 'a.png').read_bytes() == b'drawn'
    assert (group / 'b.png').read_bytes() == (photos / 'b.png').read_bytes()
    assert sorted(path.name for path in group.iterdir()) == ['a.png', 'b.png', 'notes.txt']
    predict(segmenter, photos, out, 1.0, groups='copies')
    assert [path.name for path in group.iterdir()] == ['notes.txt']
    assert (out / 'set_aside' / 'groups' / 'group 1' / 'a.png').read_bytes() == b'drawn'


def test_flags_and_shapes_that_a_person_set_in_labelme_stay(tmp_path, segmenter, photos):
    pytest.importorskip('cv2', reason='needs OpenCV, of the extra annotations')
    out = tmp_path / 'out'
    predict(segmenter, photos, out, annotations=('labelme',))
    folder = out / 'annotations' / 'labelme'
    flagged, shaped, untouched = (folder / f'{stem}.json' for stem in 'abc')
    for path, key, value in ((flagged, 'flags', {'blurred': True}), (shaped, 'shapes', [])):
        document = json.loads(path.read_text())
        path.write_text(json.dumps({**document, key: value}))
    before = flagged.read_text(), shaped.read_text()
    predict(segmenter, photos, out, 1.0, annotations=('labelme',))
    assert (flagged.read_text(), shaped.read_text()) == before
    assert json.loads(untouched.read_text())['shapes'] == []  # that of an outlier now


def test_documents_of_all_photos_are_written_anew_and_a_changed_one_is_set_aside(tmp_path, segmenter, photos):
    out = tmp_path / 'out'
    predict(segmenter, photos, out, annotations=('cvat',))
    documents = ('annotations/cvat.xml', 'groups.csv', 'pairs.json', 'report.html')
    for name in documents:
        (out / name).write_text('mine')
    predict(segmenter, photos, out, 1.0, annotations=('cvat',))
    assert json.loads((out / 'pairs.json').read_text())['outliers'] == [0, 1, 2]
    for name in documents:
        assert (out / 'set_aside' / name).read_text() == 'mine'
        assert (out / name).read_text() != 'mine'


def test_a_file_that_a_killed_program_wrote_is_its_own(tmp_path, segmenter, photos, monkeypatch):
    out = tmp_path / 'out'
    left, replace = [], type(out).replace

    def counting(path, target):
        if not left:
            raise KeyboardInterrupt
        left.pop()
        return replace(path, target)

    for count in range(9):
        left += range(count)
        with monkeypatch.context() as patch:
            patch.setattr(type(out), 'replace', counting)
            with pytest.raises(KeyboardInterrupt):
                predict(segmenter, photos, out, float(count % 2))
    outcome = predict(segmenter, photos, out)
    assert outcome.document['changed'] == []
    pictures = [f'{folder}/{stem}.png' for folder in ('cutouts', 'masks') for stem in 'abc']
    assert files(out) == sorted([*pictures, 'groups.csv', 'pairs.json', 'report.html'])
    assert not list(out.rglob('.unfinished*'))
    for mask, expected in zip(outcome.document['masks'], outcome.found.masks, strict=True):
        np.testing.assert_array_equal(pixels(out / mask), expected * 255)


def test_the_ledger_survives_a_line_that_was_broken_off(tmp_path, segmenter, photos):
    out = tmp_path / 'out'
    predict(segmenter, photos, out)
    ledger = out / '.described' / 'written.jsonl'
    ledger.write_text(ledger.read_text() + '{"path": "masks/a.p')
    assert predict(segmenter, photos, out, 1.0).document['changed'] == []
    assert own_files.read(out).entries.keys() == set(files(out))


def test_settings_are_remembered_and_what_is_given_changes_them(tmp_path):
    assert settings.remembered(tmp_path / 'new') == Settings(0.5, 0.5, 0, ())
    prediction.cache.begin(tmp_path, 16 * 'a')
    assert settings.remembered(tmp_path) == Settings(0.5, 0.5, 0, ())
    chosen = Settings(0.7, 0.3, 20, ('coco', 'cvat'))
    settings.remember(tmp_path, chosen)
    assert settings.remembered(tmp_path) == chosen
    given = {'threshold': 0.0, 'mask_threshold': None, 'neighbors': None, 'annotations': ()}
    assert settings.changed(chosen, **given) == Settings(0.0, 0.3, 20, ())
    assert str(chosen) == '--threshold=0.7 --mask_threshold=0.3 --neighbors=20 --annotations=coco,cvat'
    every = dataclasses.replace(chosen, keep_outliers=True, refine=True, groups='copies')
    settings.remember(tmp_path, every)
    assert settings.remembered(tmp_path) == every
    assert str(every) == f'{chosen} --keep_outliers --refine --groups=copies'
    assert str(Settings(0.0)) == '--threshold=0.0 --mask_threshold=0.5'


@pytest.mark.parametrize(
    'text',
    [
        '', '[]', '{}', '\udcff', '{"annotations": ""}', '{"annotations": {"coco": 1}}',
        '{"annotations": [], "threshold": 2}', '{"annotations": [], "threshold": "x"}',
    ],
)  # fmt: skip
def test_damaged_settings_are_named(tmp_path, text):
    prediction.cache.begin(tmp_path, 16 * 'a')
    (tmp_path / '.described' / 'settings.json').write_bytes(text.encode(errors='surrogateescape'))
    with pytest.raises(UserError, match=r'settings\.json: damaged; delete it to begin with the defaults'):
        settings.remembered(tmp_path)


def test_a_photo_is_read_again_only_where_its_state_differs(tmp_path, segmenter, photos, monkeypatch):
    out = tmp_path / 'out'
    monkeypatch.setattr(prediction.cache, '_SETTLED_NS', -(10**12))  # as if it had been written long ago
    predict(segmenter, photos, out)
    hashed = []
    monkeypatch.setattr(prediction.cache, '_hash', lambda path, state: hashed.append(path.name) or 32 * 'a')
    (photos / 'b.png').touch()
    prediction.plan(collection.find([str(photos)])[0], out)
    assert hashed == ['b.png']
