"""Measuring and training on a machine without network, TensorFlow and TFDS (docs/campaign.md)."""
