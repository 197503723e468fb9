import dataclasses
import json
from xml.etree import ElementTree

import numpy as np
import pytest
from pictures_of_discs import disc
from PIL import Image, ImageOps
from predicting import gray_levels, predict

from cosegnet_jax.inference import prediction, results_folder


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
