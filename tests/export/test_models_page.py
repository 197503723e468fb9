"""The Python of docs/models.md, run as it is printed, in a folder with an exported network and photos."""

import dataclasses
import importlib.util

import numpy as np
import pytest
from pictures_of_discs import disc
from PIL import Image
from programs import ROOT
from untrained_runs import SMALL, random_params, save_run

from cosegnet_jax.export import onnx_file, stablehlo
from cosegnet_jax.export.model_folder import export
from cosegnet_jax.inference.photo_reading import read

pytestmark = pytest.mark.slow

SNIPPETS = {
    lines.split('\n', 1)[0]: lines.split('```python\n')[1].split('```')[0]
    for lines in (ROOT / 'docs' / 'models.md').read_text(encoding='utf-8').split('\n## ')
    if '```python\n' in lines
}


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp('page')
    config = dataclasses.replace(SMALL, image_size=64)
    run = save_run(folder / 'run', config, random_params(config))
    (folder / 'exported').mkdir()
    export(str(run), folder / 'exported', None, 'float32', [stablehlo.write])
    # As of a phone that was held upright, cut out, and of a camera for science.
    exif = Image.Exif()
    exif[0x0112] = 6
    disc(1).save(folder / 'beach.jpg', exif=exif)
    cut_out = disc(2)
    cut_out.putalpha(disc(2).convert('L').point(lambda level: 255 * (level > 100)))
    cut_out.save(folder / 'boat.png')
    levels = np.asarray(disc(3).convert('L')).astype(np.uint16) * 257
    Image.fromarray(levels).save(folder / 'dinner.png')
    (folder / 'dinner.png').rename(folder / 'dinner.jpg')  # a name tells nothing
    return folder


@pytest.fixture
def after(folder, monkeypatch):
    """What a section's Python leaves defined."""
    monkeypatch.chdir(folder)

    def run(section):
        names = {}
        if section in ('With JAX alone', 'With ONNX Runtime'):
            exec(SNIPPETS['Photos without this package'], names)
        exec(SNIPPETS[section], names)
        return names

    return run


def test_with_this_package_and_with_jax_alone_the_same_is_found(after):
    found = after('With this package')['found']
    alone = after('With JAX alone')
    np.testing.assert_allclose(alone['embeddings'], found.embeddings, rtol=1e-5, atol=1e-5)
    pairs = ~np.eye(3, dtype=bool)  # a photo and itself are not decided
    np.testing.assert_allclose(alone['probabilities'][pairs], found.probabilities[pairs], atol=1e-5)
    for mask, soft, photo in zip(alone['masks'], found.soft_masks, found.photos, strict=True):
        large = Image.fromarray(np.asarray(mask)).resize(photo.size, Image.Resampling.BILINEAR)
        np.testing.assert_allclose(np.asarray(large), soft, atol=1 / 255)
    assert [photo.size for photo in found.photos] == [(40, 60), (60, 40), (60, 40)]


def test_photos_are_read_as_this_package_reads_them(after, folder):
    read_photo = after('Photos without this package')['read_photo']
    for kind in ('RGB', 'L', 'P', 'RGBA', 'LA', 'CMYK', '1'):
        disc(4).convert(kind).save(folder / 'kind.tif' if kind == 'CMYK' else folder / 'kind.png')
        name = 'kind.tif' if kind == 'CMYK' else 'kind.png'
        np.testing.assert_array_equal(np.asarray(read_photo(name)), np.asarray(read(name)), err_msg=kind)
    for white in (65535, 40000):
        levels = np.asarray(disc(5).convert('L')).astype(np.int64)
        Image.fromarray((levels * white // levels.max()).astype(np.uint16)).save(folder / 'deep.png')
        np.testing.assert_array_equal(np.asarray(read_photo('deep.png')), np.asarray(read('deep.png')))


@pytest.mark.filterwarnings('ignore')  # of libraries that only the converter uses
def test_onnxruntime_finds_the_same(after, folder):
    if importlib.util.find_spec('jax2onnx') is None or importlib.util.find_spec('onnxruntime') is None:
        pytest.skip("jax2onnx and onnxruntime are not installed: pip install 'cosegnet-jax[onnx]'")
    (folder / 'onnx').mkdir()
    to_onnx = onnx_file.converter()
    export(
        str(folder / 'run'), folder / 'onnx', None, 'float32', [lambda *args: onnx_file.write(*args, to_onnx)]
    )
    for file in (folder / 'onnx').glob('*.onnx'):
        file.rename(folder / 'exported' / file.name)
    found, there = after('With this package')['found'], after('With ONNX Runtime')
    np.testing.assert_allclose(there['embeddings'], found.embeddings, rtol=1e-3, atol=1e-3)


def test_with_anything_else_the_parameters_are_found(after):
    there = after('With anything else')
    assert there['about']['format'] == 1
    assert there['kernel'].shape[:3] == (3, 3, 3)


def test_every_section_with_python_is_run():
    assert SNIPPETS.keys() == {
        'With this package', 'Photos without this package', 'With JAX alone', 'With ONNX Runtime',
        'With anything else',
    }  # fmt: skip
