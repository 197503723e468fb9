"""How well edges of masks fit at the photos' own size: Jaccard index and boundary F-score.

python benchmarks/edges.py --set=SET [--count=100] [--sizes=256,320,512] [--network=NAME]

Prints two lines of JSON for each size at which the network describes photos: for masks that are enlarged
bilinearly, and refined as `predict --refine` does. SET/masks has the mask of each photo in SET/images as a
PNG of the same relative name, with 255 on the object and 0 elsewhere. The boundary F-score is the harmonic
mean of two shares: of the found boundary that is near a true one, and of the true boundary that is near a
found one. Near is 0.8 % of the diagonal (Perazzi et al., A Benchmark Dataset and Evaluation Methodology for
Video Object Segmentation, CVPR 2016).
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from absl import flags
from jaxtyping import Bool, Float32
from PIL import Image
from scipy import ndimage

from cosegnet_jax.cli import command_line
from cosegnet_jax.evaluation import metrics
from cosegnet_jax.export import pretrained
from cosegnet_jax.inference import guided_filter
from cosegnet_jax.inference.cosegmenter import CoSegmenter
from cosegnet_jax.inference.photo_reading import read
from cosegnet_jax.runtime import mesh as meshes
from cosegnet_jax.runtime.errors import UserError

NEAR = 0.008  # of the diagonal
OBJECT = 128  # lowest level of object pixels

_SET = flags.DEFINE_string('set', None, 'Folder with images/ and masks/.')
_COUNT = flags.DEFINE_integer('count', 100, 'Number of photos, drawn at random.', lower_bound=1)
_SIZES = flags.DEFINE_list('sizes', ['256', '320', '512'], 'Sides at which the network describes photos.')
_NETWORK = flags.DEFINE_string('network', None, 'As --model of predict.')


def main() -> None:
    """Prints a line of JSON for each size and kind of edges."""
    command_line.refuse_config()
    if not _SET.value:
        raise UserError('--set=FOLDER is missing: name a folder with images/ and masks/')
    pairs = list(_photos_with_masks(Path(_SET.value, 'images'), Path(_SET.value, 'masks')))
    chosen = np.random.default_rng(0).permutation(len(pairs))[: _COUNT.value]
    network = pretrained.load(_NETWORK.value, meshes.data_mesh())
    for size in map(int, _SIZES.value):
        evaluation = dataclasses.replace(network.config.evaluation, image_size=size)
        config = dataclasses.replace(network.config, evaluation=evaluation)
        segmenter = CoSegmenter(dataclasses.replace(network, config=config))
        photos = [pairs[index] for index in chosen]
        scores = {'bilinear': [], 'refined': []}
        for (photo, mask), seen in zip(photos, segmenter.describe(p for p, _ in photos), strict=True):
            image, truth = read(photo), np.asarray(Image.open(mask).convert('L')) >= OBJECT
            soft = seen.soft_mask.astype(np.float32) / 255
            for name, enlarge in (('bilinear', _enlarge), ('refined', guided_filter.refine)):
                scores[name].append(score(enlarge(soft, image) >= segmenter.mask_threshold, truth))
        for name, values in scores.items():
            jaccard, boundary = np.mean(values, 0).round(4).tolist()
            row = {'size': size, 'edges': name, 'photos': len(photos)}
            print(json.dumps(row | {'jaccard': jaccard, 'boundary_f': boundary}), flush=True)


def _photos_with_masks(images: Path, masks: Path) -> Iterator[tuple[Path, Path]]:
    for photo in sorted(path for path in images.rglob('*') if path.is_file()):
        mask = masks / photo.relative_to(images).with_suffix('.png')
        if not mask.is_file():
            raise UserError(f'{photo}: has no mask {mask}; add it, or remove the photo')
        yield photo, mask


def _enlarge(mask: Float32[np.ndarray, 'h w'], photo: Image.Image) -> Float32[np.ndarray, 'height width']:
    return np.asarray(Image.fromarray(mask).resize(photo.size, Image.Resampling.BILINEAR))


def score(found: Bool[np.ndarray, 'h w'], truth: Bool[np.ndarray, 'h w']) -> tuple[float, float]:
    """Jaccard index and boundary F-score of a mask; both are one where both masks are empty."""
    predicted, true, hits = (np.asarray(mask.sum()) for mask in (found, truth, found & truth))
    return float(metrics.jaccard(predicted, true, hits)), boundary_f(found, truth)


def boundary_f(found: Bool[np.ndarray, 'h w'], truth: Bool[np.ndarray, 'h w']) -> float:
    """Harmonic mean of precision and recall of the boundary; one where neither mask has one."""
    one, other = _boundary(found), _boundary(truth)
    if not one.any() or not other.any():
        return float(one.any() == other.any())
    reach = np.ceil(NEAR * np.hypot(*truth.shape))
    to_other, to_one = (np.asarray(ndimage.distance_transform_edt(~edge)) for edge in (other, one))
    precision, recall = (to_other[one] <= reach).mean(), (to_one[other] <= reach).mean()
    return float(2 * precision * recall / max(precision + recall, 1e-9))


def _boundary(mask: Bool[np.ndarray, 'h w']) -> Bool[np.ndarray, 'h w']:
    return mask & ~ndimage.binary_erosion(mask, border_value=1)


if __name__ == '__main__':
    command_line.start(main)
