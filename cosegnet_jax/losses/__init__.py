"""Losses: the paper's equations, the triplets of a batch, and the objective of each kind of network."""
