"""Scoring of one part of one set: counts, pairs, protocols, metrics and the results file."""
