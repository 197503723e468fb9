"""Samplers: which images are in the batch of a training step."""
