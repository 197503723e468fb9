"""A small CoSegNet, and batches of noise for it."""

import jax.numpy as jnp
import numpy as np

from cosegnet_jax import config as configs
from cosegnet_jax.data.batches import Batch

SMALL = configs.Config(
    image_size=32,
    model=configs.Model(width=1 / 32, weights='none'),
    data=configs.Data(flip=False),
    optimizer=configs.Optimizer(learning_rate=1e-2),
    train=configs.Train(batch_triplets=8, steps=10),
)


def batch(seed: int, triplets: int = 8, side: int = 32) -> Batch:
    """Noise: anchor and positive of class 0, negative of class 1."""
    rng = np.random.default_rng(seed)
    images = rng.integers(0, 256, (triplets, 3, side, side, 3), np.uint8)
    masks = rng.integers(0, 2, (triplets, 3, side, side), np.uint8)
    labels = np.broadcast_to(np.array([0, 0, 1], np.int32)[:, None], (triplets, 3, 1))
    numbers = np.arange(3 * triplets, dtype=np.int32).reshape(triplets, 3)
    return Batch(*map(jnp.asarray, (images, masks, labels, numbers)))
