"""Sliders: the numbers of a scene that a hand may move, and the range each is moved in."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rosephys.scene.fields import Field
from rosephys.scene.scene import Scene

MOST = 4  # numbers of a vector that has sliders; more of them are not moved one by one
GRAIN = 1000  # a slider gives round numbers, at least as many of them over its range
ROOMY = (
    10.0  # times the sensible range: bounds wider than this say what is allowed, not what is of use
)


@dataclass
class Slider:
    """One number of a field, `index` in its vector, moved between `low` and `high`."""

    field: str
    index: int
    label: str  # which of a vector's numbers it is; empty for a number by itself
    low: float
    high: float

    def share(self, value: float) -> float:
        """Where in the range a value lies, 0 to 1."""
        return min(max((value - self.low) / (self.high - self.low), 0.0), 1.0)

    def value(self, share: float) -> float:
        """The value at this share of the range: a round one, save at the ends."""
        value = self.low + share * (self.high - self.low)
        rounded = self.rounded(value) if 0 < share < 1 else value
        return min(max(rounded, self.low), self.high)

    def rounded(self, value: float) -> float:
        """A value in so few digits that the range has no less than `GRAIN` of them."""
        return round(value, math.ceil(math.log10(GRAIN / (self.high - self.low))))

    def hold(self, value: float) -> None:
        """Widen the range to hold a value: of an optimiser, or of a hand elsewhere."""
        if math.isfinite(value):
            self.low, self.high = min(self.low, value), max(self.high, value)

    def put(self, values: NDArray[np.float64], number: float) -> NDArray[np.float64]:
        """The field's values with this number in its place."""
        out = np.array(values, np.float64)
        out.reshape(-1)[self.index] = number
        return out


def sliders_of(scene: Scene, name: str) -> tuple[Slider, ...]:
    """The sliders of a scene's field: none if a change needs a new program, or if it has many numbers."""
    f = scene.fields[name]
    home = np.asarray(f.value_for(scene), np.float64) if f.live else np.zeros((0, 0))
    if home.ndim > 1 or not 0 < home.size <= MOST:
        return ()
    low, high = (ends.tolist() for ends in span(f, home))
    found = [Slider(name, k, _label(f, home, k), low[k], high[k]) for k in range(home.size)]
    return tuple(s for s in found if s.low < s.high)


def span(f: Field, home: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The ends (n,) of the ranges in which a field with the default `home` is moved.

    They are the field's bounds, unless there are none or these are far apart: then a range about the
    default within them. What may point either way gets as much room on both sides: a control, a
    point, a vector of both signs. Anything else is moved between nothing and twice what it is.
    """
    flat = home.reshape(-1)
    reach = float(np.abs(flat).max()) or 1.0
    if f.control or f.handle or flat.min() < 0 < flat.max():
        low, high = flat - 2 * reach, flat + 2 * reach
    else:
        ends = np.where(flat == 0, reach, 2 * flat), np.where(flat == 0, -reach, 0.0)
        low, high = np.minimum(*ends), np.maximum(*ends)
    least, most = f.bounds or (-math.inf, math.inf)
    useful = most - least <= ROOMY * (high - low)
    return np.where(useful, least, np.maximum(low, least)), np.where(
        useful, most, np.minimum(high, most)
    )


def _label(f: Field, home: NDArray[np.float64], index: int) -> str:
    """What tells the numbers of a vector apart: an axis, or a count where they are none of a point."""
    if home.ndim == 0:
        return ""
    alike = not callable(f.default) and "," not in f.unit
    return "xyz"[index] if alike and 2 <= home.size <= 3 else str(index + 1)
