"""The embedded data set, drawn from a seed alone."""

from cosegnet_jax.data.shapes.scene import CLASSES as CLASSES
from cosegnet_jax.data.shapes.scene import make as make
