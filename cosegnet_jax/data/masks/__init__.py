"""Masks: where the object of one is, decided by what its file says."""
