"""Masks and groups as annotation tools read them, so that people can correct what the network has found.

A photo of the first group is labeled 'group 1', and so on. Outliers have no annotation, nor have photos on
which no pixel was found to be object.
"""
