"""Which images meet in a training step."""
