"""Pausing Python's collector of cyclic garbage while a function is made.

Instructions and values refer to each other, and nearly all that is made lives on. Looking through it for
garbage again and again takes more time than making it.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def uncollected() -> Iterator[None]:
    """No collection within this `with`, in no thread; nothing where it is off already."""
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
