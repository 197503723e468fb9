"""Eight CPU devices, quick compilation, and shapes written in the signatures checked, in every test."""

import atexit
import os
import shutil
import tempfile

# Read when JAX starts; subprocesses of the tests inherit them. Eight devices on one processor test what is
# sharded; small networks need no optimized code; and many tests compile the same step.
os.environ['JAX_NUM_CPU_DEVICES'] = '8'
os.environ['JAX_DISABLE_MOST_OPTIMIZATIONS'] = '1'
os.environ['JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS'] = '0'
if 'JAX_COMPILATION_CACHE_DIR' not in os.environ:  # the first process makes it, and clears it away
    os.environ['JAX_COMPILATION_CACHE_DIR'] = tempfile.mkdtemp(prefix='jax-cache-')
    atexit.register(shutil.rmtree, os.environ['JAX_COMPILATION_CACHE_DIR'], ignore_errors=True)

from jaxtyping import install_import_hook

# Before anything of the package is imported: jaxtyping annotations become run-time checks.
install_import_hook('cosegnet_jax', 'beartype.beartype')
