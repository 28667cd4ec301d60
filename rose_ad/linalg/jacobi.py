"""Jacobi rotations, of many pairs of columns at once."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..tracing.control import where
from ..tracing.numeric import sqrt

SWEEPS = 20  # at most; a handful will do


def rounds(n: int) -> Any:
    """For each round of a tournament of n the partner of each, itself where it has none: all pairs meet once.

    The circle method: shape (rounds, n).
    """
    even = n + n % 2
    order = list(range(even))
    table = []
    for _ in range(even - 1):
        partner = list(range(n))
        for a, b in zip(order[: even // 2], reversed(order[even // 2 :]), strict=True):
            if max(a, b) < n:
                partner[a], partner[b] = b, a
        table.append(partner)
        order = [order[0], order[-1], *order[1:-1]]
    return np.array(table, np.int64).reshape(max(even - 1, 0), n)


def rotation(i: Any, j: Any, own: Any, other: Any, joint: Any) -> tuple[Any, Any]:
    """(c, s) with which column i becomes c column_i + s column_j, so that [[own, joint], [joint, other]] is
    made diagonal, by the smaller angle."""
    none = (joint == 0) | (i == j)
    slope = (other - own) / (2.0 * where(none, 1.0, joint))
    size = 1.0 / (abs(slope) + sqrt(slope * slope + 1.0))
    # of the two columns of a pair the first has the angle's sign; where the slope is 0 both agree on it
    up = (slope > 0) | ((slope == 0) & (i < j))
    t = where(none, 0.0, where(up, -size, size))
    c = 1.0 / sqrt(t * t + 1.0)
    return c, t * c
