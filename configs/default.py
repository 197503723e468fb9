"""Every key at its default (cosegnet_jax/config/keys.py): what flags on the command line start from."""

from cosegnet_jax.config import default as get_config  # noqa: F401 - what a config file is asked for
