"""Masks: where the object is, decided by the content of the file."""
