"""A line where the compiler takes its time, so that nobody takes the wait for a failure."""

from __future__ import annotations

import sys
import threading
from typing import Any

import jax
from tqdm import tqdm

from cosegnet_jax.runtime import compilation_cache

_LOWERED = '/jax/core/compile/jaxpr_to_mlir_module_duration'
_COMPILED = '/jax/core/compile/backend_compile_duration'
_AFTER_S = 2.0


class CompilationNotice:
    """Says once that JAX compiles, where that takes more than two seconds."""

    def __init__(self) -> None:
        self._timer: threading.Timer | None = None
        self._said = False
        jax.monitoring.register_event_duration_secs_listener(self._on_event)

    def _on_event(self, event: str, duration_secs: float, **_: Any) -> None:
        if event not in (_LOWERED, _COMPILED) or self._said:
            return
        if self._timer is not None:
            self._timer.cancel()
        if event == _LOWERED:
            self._timer = threading.Timer(_AFTER_S, self._say)
            self._timer.daemon = True
            self._timer.start()

    def _say(self) -> None:
        self._said = True
        kept = compilation_cache.folder_of_jax()
        line = f'Compiling for this machine{"; later starts skip this" if kept else ""} ...'
        tqdm.write(line, file=sys.stderr)  # leaves bars whole
