"""Numbers some of which may be traced, as one array."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

import rose_ad as ra

from ..quantities import Array, Scalar


def numbers(values: Sequence[Scalar]) -> Array:
    """An array of numbers some of which may be traced."""
    if all(isinstance(v, int | float | np.floating) for v in values):
        return np.array(values, float)
    return ra.array(list(values))
