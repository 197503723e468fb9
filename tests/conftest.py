"""Eight CPU devices, quick compilation, and shapes written in the signatures checked, in every test."""

import os

# Read when JAX starts; subprocesses of the tests inherit them. Eight devices on one processor
# test what is sharded, and small networks need no optimised code.
os.environ['JAX_NUM_CPU_DEVICES'] = '8'
os.environ['JAX_DISABLE_MOST_OPTIMIZATIONS'] = '1'

from jaxtyping import install_import_hook

# Before anything of the package is imported: jaxtyping annotations become run-time checks.
install_import_hook('cosegnet_jax', 'beartype.beartype')
