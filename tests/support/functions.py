"""Functions to hand to other programs."""

from __future__ import annotations

from typing import Any

import numpy as np

import rose_ad as ra

V = np.array([0.5, -1.0, 2.0])


M = np.arange(6.0).reshape(2, 3) / 5


@ra.fn
def potential(x: Any, v: Any) -> Any:
    """A scalar and an array to a scalar and an array; it has a loop, a branch and an accumulator."""
    total = ra.accum()
    for i in ra.range(len(v)):
        with ra.when(v[i] > 0.0):
            total += ra.sin(x * v[i])
    return total * x, ra.exp(0.5 * v) * x


@ra.struct
class Spring:
    stiffness: ra.Real
    ends: ra.Vec


@ra.fn
def stretch(s: Spring, load: ra.Real = 0.5) -> Any:
    d = s.ends[1] - s.ends[0] - 1.0
    return 0.5 * s.stiffness * d * d + (s.stiffness - 2.0) ** 2 + load * s.ends[0] ** 2
