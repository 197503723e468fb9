"""The small network on the PASCAL-VOC co-segmentation set, trained on two cores.

The encoder's first three blocks stay as ImageNet made them, so eight views of each photo pass them once. The
decoder and the heads learn first, then the encoder's other blocks learn too, and last the partner head alone.
Chosen on validation photos of split 0.

    python train.py --config=configs/pyramid.py --workdir=runs/pyramid
"""

from ml_collections import ConfigDict

from cosegnet_jax.config import default


def get_config() -> ConfigDict:
    """EfficientNet-Lite2 at 256×256, AdamW with a cosine to zero, and the average of the weights."""
    config = default()
    config.image_size = 256
    config.data.name = 'pascal_coseg'
    config.data.sampler = 'balanced'
    config.data.scale_crop = 0.4
    config.data.color = 0.3
    config.data.composite = 0.33
    config.model.name = 'pyramid'
    config.model.encoder = 'efficientnet_lite2'
    config.loss.w1_positive = 2.5
    config.loss.soft_jaccard = 1.0
    config.loss.w3_positive = 0.2
    config.loss.w3_negative = 0.3
    config.loss.contrast = 0.2
    config.optimizer.name = 'adamw'
    config.optimizer.learning_rate = 1.5e-3
    config.optimizer.weight_decay = 0.05
    config.optimizer.schedule = 'cosine'
    config.optimizer.warmup_steps = 30
    config.optimizer.clip_norm = 5.0
    config.optimizer.encoder_rate = 0.5
    config.optimizer.frozen_blocks = 3
    config.optimizer.frozen_steps = 500
    config.optimizer.average = 0.985
    config.train.batch_classes = 8
    config.train.batch_images_per_class = 3
    config.train.views = 8
    config.train.steps = 750
    config.train.calibrate = True
    config.train.partner_steps = 400
    config.train.eval_every_steps = 750
    config.train.save_every_steps = 100
    config.evaluation.image_size = 320  # +0.011 J on validation photos, +0.029 gated
    return config
