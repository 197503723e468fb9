"""Encoders: photos to feature maps."""
