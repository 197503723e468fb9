"""Trained networks as files that other people and other programs load."""
