"""Pausing Python's collector of cyclic garbage while a function is made.

Instructions and values refer to each other, and nearly all that is made lives on. Looking through it for
garbage again and again takes more time than making it.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from contextlib import contextmanager

_paused = [False]


@contextmanager
def uncollected() -> Iterator[None]:
    """No collection within this `with`, in no thread; nothing where it is off already."""
    if not gc.isenabled():
        yield
        return
    _paused[0] = True
    gc.disable()
    try:
        yield
    finally:
        _go_on()


def _go_on() -> None:
    if _paused[0]:
        gc.enable()
        _paused[0] = False


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_go_on)  # the thread that would go on may not be there
