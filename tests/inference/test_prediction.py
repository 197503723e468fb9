import dataclasses
import json
import os
from xml.etree import ElementTree

import jax
import numpy as np
import pytest
from pictures_of_discs import disc, save
from PIL import Image, ImageOps

from cosegnet_jax.inference import collection, prediction, results_folder
from cosegnet_jax.inference.cosegmenter import CoSegmenter
from cosegnet_jax.inference.settings import Settings
from cosegnet_jax.runtime.errors import UserError


def predict(segmenter, images, out, threshold=0.0, annotations=(), neighbors=None):
    listed = collection.find([str(images)]).photos
    prediction.check(listed, segmenter, out)
    out.mkdir(exist_ok=True)
    settings = Settings(
        threshold,
        segmenter.mask_threshold,
        neighbors or 0,
        annotations,
        segmenter.keep_outliers,
        segmenter.refine,
    )
    return prediction.predict(listed, segmenter, out, settings)[:2]


def gray_levels(path):
    with Image.open(path) as image:
        assert image.mode == 'L'
        return np.asarray(image)


@pytest.fixture
def photos(tmp_path):
    return save(tmp_path / 'photos', 'a/one.png', 'a/two 😀.jpg', 'b/one.png')


@pytest.fixture
def looked_at(monkeypatch):
    """How many photos were looked at."""
    seen = []
    describe = CoSegmenter.describe

    def counting(self, *args):
        for one in describe(self, *args):
            seen.append(one)
            yield one

    monkeypatch.setattr(CoSegmenter, 'describe', counting)
    return seen


def test_masks_probabilities_groups_and_report_are_written(tmp_path, segmenter, photos):
    found, document = predict(segmenter, photos, tmp_path / 'out')
    written = json.loads((tmp_path / 'out' / 'pairs.json').read_text())
    assert written == document
    assert written['names'] == ['a/one.png', 'a/two 😀.jpg', 'b/one.png']
    assert (written['groups'], written['outliers'], written['skipped']) == ([[0, 1, 2]], [], [])
    assert written['threshold'] == 0
    np.testing.assert_allclose(written['probabilities'], found.probabilities, atol=1e-6)
    for mask, expected in zip(written['masks'], found.masks, strict=True):
        np.testing.assert_array_equal(gray_levels(tmp_path / 'out' / mask), expected * 255)
    assert 'two 😀.jpg' in (tmp_path / 'out' / 'report.html').read_text()


def test_groups_are_folders_of_links_and_a_table(tmp_path, segmenter, photos):
    out = tmp_path / 'out'
    predict(segmenter, photos, out)
    for name in ('a/one.png', 'a/two 😀.jpg', 'b/one.png'):
        assert (out / 'groups' / 'group 1' / name).samefile(photos / name)
    header, first, *_ = (out / 'groups.csv').read_text().splitlines()
    assert header == 'photo,group,likeness,mask,cutout'
    assert first.startswith('a/one.png,1,')
    assert first.endswith(',masks/a/one.png,cutouts/a/one.png')
    (out / 'groups' / 'mine.txt').write_text('notes')
    predict(segmenter, photos, out, threshold=1.0)
    assert [path.name for path in (out / 'groups').iterdir()] == ['mine.txt']
    assert (out / 'groups.csv').read_text().splitlines()[1] == 'a/one.png,,,masks/a/one.png,'
    assert not list((out / 'cutouts').rglob('*.png'))


def test_cut_outs_are_photos_with_soft_edges(tmp_path, segmenter, photos):
    found, _ = predict(segmenter, photos, tmp_path / 'out')
    with Image.open(tmp_path / 'out' / 'cutouts' / 'a' / 'one.png') as image:
        pixels = np.asarray(image)
    alpha, mask = pixels[..., 3], found.masks[0]
    np.testing.assert_array_equal(alpha >= 128, mask)
    assert np.any((alpha > 0) & (alpha < 255))
    np.testing.assert_array_equal(pixels[alpha > 0][:, :3], np.asarray(found.photos[0])[alpha > 0])
    assert not pixels[alpha == 0].any()


def test_outliers_keep_their_masks_on_request(tmp_path, segmenter, photos):
    chosen = dataclasses.replace(segmenter, keep_outliers=True)
    found, document = predict(chosen, photos, tmp_path / 'out', threshold=1.0)
    assert document['outliers'] == [0, 1, 2]
    for mask, soft in zip(document['masks'], found.soft_masks, strict=True):
        np.testing.assert_array_equal(gray_levels(tmp_path / 'out' / mask) == 255, soft >= 0.5)
    assert len(list((tmp_path / 'out' / 'cutouts').rglob('*.png'))) == 3


def test_annotations_lead_to_the_photos_and_follow_the_groups(tmp_path, segmenter, photos):
    pytest.importorskip('cv2', reason='needs OpenCV, of the extra annotations')
    out = tmp_path / 'out'
    for threshold, groups in ((0.0, {'group 1'}), (1.0, set())):
        predict(segmenter, photos, out, threshold, ('cvat', 'labelme'))
        labels = {mask.get('label') for mask in ElementTree.parse(out / 'annotations/cvat.xml').iter('mask')}
        assert labels == groups
        for name in ('a/one.png', 'a/two 😀.jpg', 'b/one.png'):
            path = (out / 'annotations' / 'labelme' / name).with_suffix('.json')
            document = json.loads(path.read_text())
            assert {shape['label'] for shape in document['shapes']} == groups
            assert (path.parent / document['imagePath']).resolve() == photos / name


def test_where_not_all_pairs_are_decided_they_are_listed_and_the_report_is_an_overview(
    tmp_path, segmenter, photos
):
    pytest.importorskip('faiss', reason='needs faiss, of the extra large')
    found, document = predict(segmenter, photos, tmp_path / 'out', neighbors=1)
    assert 'probabilities' not in document
    assert json.loads((tmp_path / 'out' / 'pairs.json').read_text()) == document
    for first, second, probability in document['pairs']:
        assert first < second
        assert abs(found.probabilities[first, second] - probability) < 1e-6
    report = (tmp_path / 'out' / 'report.html').read_text()
    assert 'one.png' in report
    assert 'id="threshold"' not in report


def test_another_threshold_empties_masks_without_looking_again(tmp_path, segmenter, photos, looked_at):
    found, _ = predict(segmenter, photos, tmp_path / 'out', threshold=0.0)
    assert any(mask.any() for mask in found.masks)
    _, document = predict(segmenter, photos, tmp_path / 'out', threshold=1.0)
    assert document['outliers'] == [0, 1, 2]
    for mask in document['masks']:
        assert not gray_levels(tmp_path / 'out' / mask).any()
    assert len(looked_at) == 3


def test_another_mask_threshold_cuts_out_anew_without_looking_again(tmp_path, segmenter, photos, looked_at):
    predict(segmenter, photos, tmp_path / 'out')
    median = float(np.median(looked_at[0].soft_mask)) / 255
    shares = []
    for threshold in (0.0, median, 1.0):
        chosen = dataclasses.replace(segmenter, mask_threshold=threshold)
        found, document = predict(chosen, photos, tmp_path / 'out')
        mask = gray_levels(tmp_path / 'out' / document['masks'][0])
        np.testing.assert_array_equal(mask == 255, found.soft_masks[0] >= threshold)
        assert document['mask_threshold'] == threshold
        shares.append(f'the object covers {(mask == 255).mean():.0%}')
        assert shares[-1] in (tmp_path / 'out' / 'report.html').read_text()
    assert len(set(shares)) == 3
    assert len(looked_at) == 3


def test_what_was_killed_goes_on_and_ends_with_the_same(tmp_path, segmenter, photos, looked_at, monkeypatch):
    expected = predict(segmenter, photos, tmp_path / 'whole')[1]
    looked_at.clear()
    keep = prediction.cache.save

    def killed(out, of, described):
        if len(looked_at) == 2:
            raise KeyboardInterrupt
        keep(out, of, described)

    with monkeypatch.context() as patch:
        patch.setattr(prediction.cache, 'save', killed)
        with pytest.raises(KeyboardInterrupt):
            predict(segmenter, photos, tmp_path / 'out')
    assert not (tmp_path / 'out' / 'pairs.json').exists()
    looked_at.clear()
    assert predict(segmenter, photos, tmp_path / 'out')[1] == expected
    assert len(looked_at) == 2


def test_what_was_killed_at_its_first_photo_begins_again(tmp_path, segmenter, photos):
    (tmp_path / 'out').mkdir()
    prediction.cache.begin(tmp_path / 'out', segmenter.network.fingerprint())
    (tmp_path / 'out' / '.described' / '.unfinished1.npz').touch()
    assert len(predict(segmenter, photos, tmp_path / 'out')[1]['names']) == 3


def test_masks_that_are_there_are_not_written_again(tmp_path, segmenter, photos, monkeypatch):
    _, document = predict(segmenter, photos, tmp_path / 'out')
    missing = tmp_path / 'out' / document['masks'][1]
    missing.unlink()
    written = []
    write = results_folder.write_mask

    def counting(path, mask):
        written.append(path.parent)
        write(path, mask)

    monkeypatch.setattr(results_folder, 'write_mask', counting)
    predict(segmenter, photos, tmp_path / 'out')
    assert written == [missing.parent]
    assert missing.is_file()


def test_a_photo_that_was_changed_or_whose_description_is_damaged_is_looked_at_again(
    tmp_path, segmenter, photos, looked_at
):
    predict(segmenter, photos, tmp_path / 'out')
    disc(9, (24, 80)).save(photos / 'b' / 'one.png')
    looked_at.clear()
    _, document = predict(segmenter, photos, tmp_path / 'out')
    assert [one.size for one in looked_at] == [(80, 24)]
    assert gray_levels(tmp_path / 'out' / document['masks'][2]).shape == (80, 24)

    for kept in (tmp_path / 'out' / '.described').glob('*.npz'):
        kept.write_bytes(kept.read_bytes()[:100])
    looked_at.clear()
    predict(segmenter, photos, tmp_path / 'out')
    assert len(looked_at) == 3


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


@pytest.mark.parametrize('orientation', range(2, 9))
def test_a_photo_that_exif_turns_is_turned_once(tmp_path, segmenter, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    upright, turned = tmp_path / 'upright', tmp_path / 'turned'
    for folder in (upright, turned):
        folder.mkdir()
    for name, seed in (('a.png', 0), ('b.png', 1)):
        disc(seed, (60, 36)).save(turned / name, exif=exif)
        with Image.open(turned / name) as stored:
            ImageOps.exif_transpose(stored).save(upright / name)
    expected, _ = predict(segmenter, upright, tmp_path / 'expected')
    found, _ = predict(segmenter, turned, tmp_path / 'found')
    assert expected.masks[0].any()
    for index in range(2):
        np.testing.assert_array_equal(found.masks[index], expected.masks[index])
        np.testing.assert_array_equal(found.cutouts()[index], expected.cutouts()[index])
