"""Drawn pictures of boats, cars and planes, to try a network on: nobody's photos, and free to share."""

from cosegnet_jax.data.scenes.pictures import NAMES, QUALITY, draw, write

__all__ = ['NAMES', 'QUALITY', 'draw', 'write']
