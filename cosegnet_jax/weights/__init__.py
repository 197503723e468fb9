"""ImageNet weights for the encoder, from the formats in which they are published."""

from cosegnet_jax.weights.folding import ConvWeights
from cosegnet_jax.weights.vgg16 import load_vgg16

__all__ = ['ConvWeights', 'load_vgg16']
