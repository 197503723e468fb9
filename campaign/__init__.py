"""Measuring and training on a machine without network, TensorFlow and ml_collections (docs/campaign.md)."""
