"""The search for NaNs: the switch, and what it means while it is on.

Functions called while it is on run as code compiled with checks, kept apart from the code without them. The
first operation that gives NaN though none of its operands was computed to be NaN is where the NaN began.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_searching: ContextVar[bool] = ContextVar(
    "rose_ad_nans", default=os.environ.get("ROSE_AD_NANS") == "1"
)


def searching() -> bool:
    """Whether functions that are called here and now look for NaNs."""
    return _searching.get()


@contextmanager
def debug_nans(on: bool = True) -> Iterator[None]:
    """Within this `with`, a call in which a NaN begins raises NanFound with the user's line and operation.

    It holds for values and for derivatives, in this thread. Setting ROSE_AD_NANS=1 before the import turns
    the search on everywhere, `debug_nans(False)` then turns it off in places. Code with checks is compiled at
    the first call and is slower; code without them is not changed.

    A NaN that comes in with an argument, or from Python called back, has no beginning here and is not reported.
    One in the side of `ra.where` that is not chosen is reported, as in JAX: both sides are computed. The side
    of an `ra.cond` that does not run gives none.
    """
    before = _searching.set(on)
    try:
        yield
    finally:
        _searching.reset(before)
