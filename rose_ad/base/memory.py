"""How much memory a compiled function may use."""

from __future__ import annotations

import os

_DEFAULT_LIMIT = 4 << 30  # bytes of scratch


def memory_limit() -> int:
    """The most scratch memory a function may use, in bytes: ROSE_AD_MEMORY, or 4 GiB."""
    return int(os.environ.get("ROSE_AD_MEMORY", _DEFAULT_LIMIT))
