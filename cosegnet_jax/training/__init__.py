"""From batches to weights: the step, the loop around it, checkpoints and the log."""
