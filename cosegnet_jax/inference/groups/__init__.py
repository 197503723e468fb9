"""Which photos belong together."""
