"""How much memory a compiled function may use."""

from __future__ import annotations

import os

from .errors import RoseError

_DEFAULT_LIMIT = 4 << 30  # bytes of scratch


def memory_limit() -> int:
    """The most scratch memory a function may use, in bytes: ROSE_AD_MEMORY, or 4 GiB.

    RoseError where that is no number of bytes.
    """
    given = os.environ.get("ROSE_AD_MEMORY") or str(_DEFAULT_LIMIT)
    if not given.isdecimal():
        raise RoseError(
            f"ROSE_AD_MEMORY is {given!r}", instead="a number of bytes, 4294967296 for 4 GiB"
        )
    return int(given)
