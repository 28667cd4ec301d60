"""Signals over time that are given by a few numbers."""

from __future__ import annotations

from typing import Any

import rose_ad as ra
from rosephys.errors import ArgumentError

from ..checked import checked
from ..quantities import Array, Scalar


@checked
def linear_between(knots: Array, share: Scalar) -> Any:
    """The polygon through knots (n, ...), n > 1, spread evenly over [0, 1], at `share`."""
    if knots.shape[0] < 2:
        raise ArgumentError(f"linear_between: knots are {knots.shape[0]}; wanted 2 or more")
    knots = ra.array(knots)
    last = knots.shape[0] - 1
    knot = ra.clip(ra.to_int(last * share), 0, last - 1)
    part = last * share - knot
    return (1 - part) * knots[knot] + part * knots[knot + 1]
