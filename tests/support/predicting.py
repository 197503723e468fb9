"""`cosegnet predict` without its command line."""

import numpy as np
from PIL import Image

from cosegnet_jax.inference import collection, prediction
from cosegnet_jax.inference.settings import Settings


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
