"""Convolutions and correlations of vectors."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..base.errors import TypeMismatch
from ..base.source import here
from ..base.tree import is_traced
from ..tracing.accumulator import total
from ..tracing.arrays import flip, pad
from ..tracing.indexing import generate
from ..tracing.values import promote

_numpy: Any = np  # its overloads do not take what may be anything


def convolve(a: Any, v: Any, mode: str = "full") -> Any:
    """The sums of a[k - j] v[j] over j, of vectors, as numpy's: "full", "same" as long as the longer, or
    "valid"."""
    if not is_traced((a, v)):
        return _numpy.convolve(a, v, mode)
    x: Any
    y: Any
    x, y = promote(a, v)
    if x.ndim != 1 or y.ndim != 1 or 0 in (*x.shape, *y.shape):
        raise TypeMismatch(f"convolve of shapes {x.shape} and {y.shape}", here(), "two vectors")
    if len(x) < len(y):
        x, y = y, x
    return _slid(x, flip(y), mode)


def correlate(a: Any, v: Any, mode: str = "valid") -> Any:
    """The sums of a[k + j] v[j] over j, of vectors, as numpy's."""
    if not is_traced((a, v)):
        return _numpy.correlate(a, v, mode)
    x: Any
    y: Any
    x, y = promote(a, v)
    if x.ndim != 1 or y.ndim != 1 or 0 in (*x.shape, *y.shape):
        raise TypeMismatch(f"correlate of shapes {x.shape} and {y.shape}", here(), "two vectors")
    return flip(_slid(y, x, mode)) if len(x) < len(y) else _slid(x, y, mode)


def _slid(x: Any, y: Any, mode: str) -> Any:
    """The products of y with what it lies on, moved along the longer x."""
    n, m = len(x), len(y)
    borders = {"full": (m - 1, m - 1), "same": (m // 2, m - 1 - m // 2), "valid": (0, 0)}
    if mode not in borders:
        raise TypeMismatch(f"there is no mode {mode!r}", here(), "full, same or valid")
    before, after = borders[mode]
    wide: Any = pad(x, (before, after)) if mode != "valid" else x
    return generate((n + before + after - m + 1,), lambda k: total(m, lambda j: wide[k + j] * y[j]))
