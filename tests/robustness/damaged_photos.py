"""Hundreds of damaged photos in one `cosegnet predict`."""

from __future__ import annotations

import io
import json
import warnings
from pathlib import Path

import inputs
import numpy as np
from PIL import Image, ImageOps
from zygote import Zygote

PHOTOS = 500


def run(scale: float, folder: Path) -> dict:
    """Predicts, and compares masks with those of the pixels that Pillow alone reads."""
    rng = np.random.default_rng(20)
    count = max(24, round(PHOTOS * scale))
    photos, out = folder / 'photos', folder / 'out'
    photos.mkdir(parents=True)
    contents, sound = {}, set()
    for number in range(count):
        suffix, data = inputs.encoded(number % 96)
        name = f'{number:04d}{suffix}'
        if number % 7 == 0:
            sound.add(name)
        contents[name] = data if name in sound else inputs.damaged(data, rng)
        (photos / name).write_bytes(contents[name])
    model = inputs.model_file(inputs.run_folder(folder / 'run'), folder / 'exported')
    flags = ('--threshold=0', '--keep_outliers')
    with Zygote(folder / 'zygote') as zygote:
        done = zygote.run('predict', f'--model={model}', f'--images={photos}', f'--out={out}', *flags)
    figures = {'inputs': count, 'sound': len(sound), 'status': done.status}
    figures['tracebacks'] = done.stderr.count('Traceback')
    if done.status:
        return {**figures, 'stderr': done.stderr[-500:]}
    document = json.loads((out / 'pairs.json').read_text())
    skipped = {one['name']: one['reason'] for one in document['skipped']}
    read = dict(zip(document['names'], document['masks'], strict=True))
    pixels = {name: _upright(contents[name]) for name in read}
    known = {name: array for name, array in pixels.items() if array is not None}
    masks = _masks(model, list(known.values()))
    wrong = []
    for name, mask in zip(known, masks, strict=True):
        found = np.asarray(Image.open(out / read[name])) > 0
        if found.shape != mask.shape or not np.array_equal(found, mask):
            wrong.append(name)
    lost = sorted(sound & skipped.keys())
    return {
        **figures,
        'read': len(read),
        'skipped': len(skipped),
        'compared': len(known),
        'masks_with_an_object': sum(bool(mask.any()) for mask in masks),
        'wrong_values': len(wrong),
        'silent_drops': len(contents.keys() - read.keys() - skipped.keys()),
        'sound_photos_skipped': len(lost),
        'not_in_one_line': sum('\n' in reason for reason in skipped.values()),
        **({'wrong': wrong[:5]} if wrong else {}),
        **({'lost': lost[:5]} if lost else {}),
    }


def _upright(data: bytes) -> np.ndarray | None:
    """The pixels of a photo by Pillow alone, as RGB; None where that is not told for certain."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter('ignore')
            image = Image.open(io.BytesIO(data))
            image.load()
            image = ImageOps.exif_transpose(image)
            if image.mode.startswith('I'):  # which bits are in use is for the program to say
                return None
            if image.has_transparency_data:
                white = Image.new('RGBA', image.size, 'white')
                image = Image.alpha_composite(white, image.convert('RGBA'))
            return np.asarray(image.convert('RGB'))
    except Exception:
        return None


def _masks(model: Path, pixels: list[np.ndarray]) -> list[np.ndarray]:
    """The masks of pixels, which no file and no metadata can turn or damage."""
    from cosegnet_jax import CoSegmenter
    from cosegnet_jax.inference.cosegmenter import enlarged

    segmenter = CoSegmenter.from_pretrained(model)
    soft = (enlarged(one.soft_mask.astype(np.float32) / 255, one.size) for one in segmenter.describe(pixels))
    return [mask >= segmenter.mask_threshold for mask in soft]
