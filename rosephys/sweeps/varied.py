"""How it is written what a number is varied by: 0.5:1:64, 1:100:5:log, 0.5,0.8,0.9 or the range 0.5:1."""

from __future__ import annotations

import math
from typing import TypeAlias

import numpy as np

Varied: TypeAlias = "np.ndarray[tuple[int], np.dtype[np.float64]] | tuple[float, float]"
"""Values (n,) of a grid, or the two ends of a range from which samples are drawn."""

MOST = 10_000_000  # values of one number


def varied(text: str) -> Varied:
    """What a text stands for. Raises ValueError, in words, for one that stands for nothing."""
    low, *rest = text.split(":")
    if not rest:
        return np.array([_number(part) for part in text.split(",")])
    ends = _number(low), _number(rest[0])
    if len(rest) == 1:
        if not ends[0] < ends[1]:
            raise ValueError("a range goes from its lower end to its higher")
        return ends
    spacing = rest[2] if len(rest) == 3 else "linear"
    if len(rest) > 3 or spacing not in ("linear", "log"):
        raise ValueError("expected LOW:HIGH:N, or LOW:HIGH:N:log")
    return _spaced(*ends, _count(rest[1]), spacing)


def _spaced(
    low: float, high: float, count: int, spacing: str
) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    if count == 1 and low != high:
        raise ValueError("one value is not a range: write it alone")
    if count > 1 and not low < high:
        raise ValueError("a grid goes from its lower end to its higher")
    if spacing == "log" and low <= 0:
        raise ValueError("values by their logarithms are above 0")
    return np.geomspace(low, high, count) if spacing == "log" else np.linspace(low, high, count)


def _count(text: str) -> int:
    if not (text.isdecimal() and 1 <= int(text) <= MOST):
        raise ValueError(f"expected how many values, from 1 to {MOST:,}, not {text!r}")
    return int(text)


def _number(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise ValueError(f"expected a number, not {text!r}") from None
    if not math.isfinite(value):
        raise ValueError(f"expected a finite number, not {text!r}")
    return value
