"""What setup.cfg cannot say: `configs/` is installed inside the package, so that `--config=NAME` finds it."""

from setuptools import find_packages, setup

setup(
    packages=[*find_packages(include=['cosegnet_jax*']), 'cosegnet_jax.configs'],
    package_dir={'cosegnet_jax.configs': 'configs'},
)
