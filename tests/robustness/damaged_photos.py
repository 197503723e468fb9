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


def _upright(data: bytes) -> np.ndarray | None:
    """The pixels of a plain photo by Pillow alone; None where it cannot be read or is of another kind."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter('ignore')
            image = Image.open(io.BytesIO(data))
            image.load()
            if image.mode != 'RGB' or image.has_transparency_data:
                return None
            return np.asarray(ImageOps.exif_transpose(image))
    except Exception:
        return None


def run(scale: float, folder: Path) -> dict:
    """Predicts, and compares with the sound photos that the damaged ones are made of."""
    rng = np.random.default_rng(20)
    count = max(24, round(PHOTOS * scale))
    photos, out = folder / 'photos', folder / 'out'
    photos.mkdir(parents=True)
    contents, origins = {}, {}
    for number in range(count):
        suffix, data = inputs.encoded(number % 96)
        sound = number % 8 == 0
        name = f'{number:04d}{suffix}'
        contents[name] = data if sound else inputs.damaged(data, rng)
        origins[name] = (number % 96, sound)
        (photos / name).write_bytes(contents[name])
    model = inputs.model_file(inputs.run_folder(folder / 'run'), folder / 'exported')
    with Zygote(folder / 'zygote') as zygote:
        done = zygote.run(
            'predict', f'--model={model}', f'--images={photos}', f'--out={out}', '--threshold=0'
        )
    figures = {'inputs': count, 'status': done.status, 'tracebacks': done.stderr.count('Traceback')}
    if done.status:
        return {**figures, 'stderr': done.stderr[-500:]}
    document = json.loads((out / 'pairs.json').read_text())
    skipped = {one['name']: one['reason'] for one in document['skipped']}
    read = dict(zip(document['names'], document['masks'], strict=True))
    wrong, checked, by_content = [], 0, {}
    for name, mask_name in read.items():
        mask = np.asarray(Image.open(out / mask_name))
        pixels = _upright(contents[name])
        if pixels is None:
            continue
        checked += 1
        # The same pixels have the same mask, and every mask has the size of what is seen.
        first, other = by_content.setdefault((pixels.shape, pixels.tobytes()), (name, mask))
        if mask.shape != pixels.shape[:2] or not np.array_equal(mask, other):
            wrong.append([name, first])
    lost = sorted(name for name, (_, sound) in origins.items() if sound and name in skipped)
    return {
        **figures,
        'read': len(read),
        'skipped': len(skipped),
        'compared': checked,
        'wrong_values': len(wrong),
        'silent_drops': len(contents.keys() - read.keys() - skipped.keys()),
        'sound_photos_skipped': len(lost),
        'reasons_of_more_than_a_line': sum('\n' in reason for reason in skipped.values()),
        **({'wrong': wrong[:5]} if wrong else {}),
        **({'lost': lost[:5]} if lost else {}),
    }
