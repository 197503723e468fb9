"""Which input the first layer of a VGG16 was made for, told from the layer itself.

The suffix does not tell: the weights that Simonyan and Zisserman trained with Caffe are handed around in
files of every kind, under torchvision's names too (as `vgg16_features` for SSD), and read as torchvision's
they would be 58 times too small.
"""

from __future__ import annotations

import numpy as np

from cosegnet_jax.weights.folding import CAFFE, TORCHVISION, ConvWeights, InputConvention

# Sums over the 3×3 places of the first 16 kernels of conv1_1, for inputs R, G and B in 0-255.
_PUBLISHED = np.array(
    [
        [
            0.03,
            -1.53,
            -0.04,
            0.02,
            0.23,
            -0.58,
            -0.11,
            0.36,
            1.66,
            -0.7,
            0.01,
            -0.49,
            -1.75,
            -1.04,
            -0.12,
            0.96,
        ],
        [
            -0.03,
            0.38,
            0.46,
            -0.1,
            -0.07,
            -1.86,
            0.13,
            -0.12,
            -2.65,
            -0.38,
            -0,
            0.81,
            3.09,
            0.33,
            -0.24,
            -1.99,
        ],
        [0.02, 1.37, 0.04, 0.07, -0.07, 2.16, -0.02, -0.46, 0.95, 1.1, 0.01, -0.47, -1.31, 0.72, -0.3, 1],
    ]
)
_ALIKE = 0.2  # relative distance; fine-tuning moves the layer by less, and other trainings are at 1 and more

CAFFE_RGB = InputConvention('RGB', CAFFE.mean, CAFFE.std)
_UNIT = (255.0, 255.0, 255.0)
_CONVENTIONS = (
    CAFFE,
    CAFFE_RGB,
    TORCHVISION,
    InputConvention('BGR', TORCHVISION.mean, TORCHVISION.std),
    InputConvention('RGB', CAFFE.mean, _UNIT),
    InputConvention('BGR', CAFFE.mean, _UNIT),
)


def recognize(first: ConvWeights) -> InputConvention | None:
    """The input that this conv1_1 was made for, if it is the published one or was fine-tuned from it.

    Returns:
        The convention under which it is nearest to the published layer; None where it is near under none.
    """

    def distance(convention: InputConvention) -> float:
        order = [convention.channels.index(channel) for channel in 'RGB']
        sums = first.kernel.sum((0, 1), np.float64)[order, : _PUBLISHED.shape[1]]
        sums /= np.array(convention.std)[:, np.newaxis]
        return float(np.linalg.norm(sums - _PUBLISHED) / np.linalg.norm(_PUBLISHED))

    nearest = min(_CONVENTIONS, key=distance)
    return nearest if distance(nearest) < _ALIKE else None
