"""The embedded data set on a small network: what `make demo` runs, some minutes on two cores."""

from ml_collections import ConfigDict

from cosegnet_jax.config import default


def get_config() -> ConfigDict:
    """Three sixteenths of the paper's width at 64×64, from random weights."""
    config = default()
    config.image_size = 64
    config.data.name = 'shapes'
    config.data.images_per_class = 600
    config.model.width = 0.1875
    config.model.weights = 'none'
    # From random weights the metric losses would drown the masks, and the embeddings collapse to a point.
    config.loss.w1_positive = 25.0
    config.optimizer.name = 'adam'
    config.optimizer.learning_rate = 1e-3
    config.optimizer.weight_decay = 0.0
    config.optimizer.schedule = 'cosine'
    config.optimizer.warmup_steps = 50
    # Six classes at a time with all their pairs: the decisions learn sooner than from random triplets.
    config.data.sampler = 'balanced'
    config.train.batch_classes = 6
    config.train.batch_images_per_class = 4
    config.train.steps = 1600
    config.train.eval_every_steps = 400
    config.train.save_every_steps = 400
    config.evaluation.batch_images = 32
    return config
