"""The minimum of a quadratic within a box, by projected Newton steps.

Source: Tassa, Mansard, Todorov, Control-limited differential dynamic programming, ICRA 2014; Bertsekas 1982.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

STEPS = 100
SMALL = 1e-12  # slope of what is free, beside that of all, at a minimum


def box_minimum(
    curvature: Floats, slope: Floats, low: Floats, high: Floats
) -> tuple[Floats, NDArray[np.bool_]] | None:
    """The d (m,) between low and high of the least d·slope + d·curvature·d / 2, and which of its numbers are
    free; None where the curvature (m, m) of what is free is not positive."""
    at = np.clip(np.zeros_like(slope), low, high)
    for _ in range(STEPS):
        gradient = slope + curvature @ at
        free = ~((at <= low) & (gradient > 0) | (at >= high) & (gradient < 0))
        if not free.any():
            return at, free
        try:
            np.linalg.cholesky(curvature[np.ix_(free, free)])
        except np.linalg.LinAlgError:
            return None
        if np.abs(gradient[free]).max() <= SMALL * np.abs(slope).max():
            return at, free
        way = np.zeros_like(at)
        way[free] = -np.linalg.solve(curvature[np.ix_(free, free)], gradient[free])
        moved = _searched(curvature, slope, low, high, at, way)
        if moved is None:
            return at, free
        at = moved
    return at, free


def _searched(
    curvature: Floats, slope: Floats, low: Floats, high: Floats, at: Floats, way: Floats
) -> Floats | None:
    """The first of ever shorter steps, brought into the box, that makes the quadratic smaller."""
    value = at @ (slope + curvature @ at / 2)
    for k in range(30):
        moved = np.clip(at + 0.5**k * way, low, high)
        if moved @ (slope + curvature @ moved / 2) < value:
            return moved
    return None
