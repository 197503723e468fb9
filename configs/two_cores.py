"""PASCAL-VOC co-segmentation as far as one CPU core gets in some 40 minutes a run: CoSegNet and its baseline.

128×128, and the first three blocks of VGG16 kept as ImageNet made them, so that nothing is computed of their
gradients. `cosegnet sweep` trains both networks on the same splits.
"""

from ml_collections import ConfigDict

from cosegnet_jax.config import default

VARIANTS = {
    'cosegnet': {},
    'base': {
        'model.name': 'base',
        'data.sampler': 'triplets',
        'optimizer.heads_rate': 1.0,
        'train.batch_classes': 4,
        'train.batch_images_per_class': 4,
        'train.batch_triplets': 2,
        'train.heads_steps': 0,
        'train.eval_every_steps': 450,  # it has to look at every pair of the validation part
    },
}


def get_config() -> ConfigDict:
    """AdamW with a cosine to zero, twelve images a step, and a decoder that begins as the identity."""
    config = default()
    config.image_size = 128
    config.data.name = 'pascal_coseg'
    config.data.sampler = 'balanced'
    config.data.scale_crop = 0.3
    config.data.color = 0.3
    config.model.feature_scale = 0.03
    config.model.decoder_start = 'identity'
    config.loss.w1_positive = 5.0  # of a mean over pixels; at 0.33 the metric losses would drown the masks
    config.optimizer.name = 'adamw'
    config.optimizer.learning_rate = 1e-4
    config.optimizer.schedule = 'cosine'
    config.optimizer.warmup_steps = 20
    config.optimizer.clip_norm = 1.0
    config.optimizer.heads_rate = 10.0
    config.optimizer.frozen_blocks = 3
    config.train.batch_classes = 4
    config.train.batch_images_per_class = 3
    config.train.steps = 450
    config.train.heads_steps = 3000
    config.train.eval_every_steps = 150
    config.train.save_every_steps = 50
    return config
