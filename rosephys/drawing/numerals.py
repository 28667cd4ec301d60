"""Numbers the way a person would write them, in few digits and with a true minus sign."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np


def number(value: float) -> str:
    """A number in four digits, the way a person would write it; a true minus sign."""
    if not math.isfinite(value):
        return str(value)
    plain = 1e-3 <= abs(value) < 1e4
    text = f"{value:.4f}"[:7] if plain else f"{value:.2e}" if value else "0"
    return text.rstrip(".").replace("-", "\N{MINUS SIGN}")


def short(value: float) -> str:
    """A number in no more digits than it has, at most five, as a hand set it."""
    plain = 1e-3 <= abs(value) < 1e5 or not value
    return format(value, ".5g" if plain else ".3g").replace("-", "\N{MINUS SIGN}")


def vector(values: Sequence[float] | np.ndarray) -> str:
    """Numbers separated by commas; of many, how many there are, the least and the greatest."""
    flat = np.ravel(values)
    if len(flat) > 3:
        low, high = (number(float(end)) for end in (flat.min(), flat.max()))
        return f"{len(flat)} numbers, {low} to {high}"
    return ", ".join(number(float(v)) for v in flat)
