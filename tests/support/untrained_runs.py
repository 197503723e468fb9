import jax
import numpy as np

from cosegnet_jax import config as configs
from cosegnet_jax.training import checkpoints, state
from cosegnet_jax.training.training_images import TrainedOn

SMALL = configs.Config(image_size=32, model=configs.Model(width=1 / 64, weights='none'))


def random_params(config):
    """Untrained weights, large enough that masks differ from pixel to pixel and from photo to photo."""
    shapes = jax.eval_shape(lambda: state.random_params(config.model, 0))
    rng = np.random.default_rng(0)

    def draw(path, leaf):
        gain = 1.3 if path[0].key in ('encoder', 'decoder') else 1
        scale = gain * np.sqrt(2 / np.prod(leaf.shape[:-1])) if leaf.ndim > 1 else 0
        return (scale * rng.standard_normal(leaf.shape)).astype(np.float32)

    return jax.tree_util.tree_map_with_path(draw, shapes)


def save_run(folder, config, params):
    """A run of no steps."""
    with checkpoints.manager(folder) as manager:
        current = state.State(
            np.int32(0), params, {'momentum': np.zeros(1)}
        )  # Orbax saves nothing that is empty
        checkpoints.save(manager, current, config, TrainedOn('spots', ['a/1'], [], []), score=0.5)
    return folder
