"""What a field's value may be where it is not known: distributions about the value it has.

A spread is a function of a generator and the field's value, and gives another value of its shape; each number
of an array is drawn for itself. Those below are functions that say what they are.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..given import told

Floats: TypeAlias = NDArray[np.float64]
Spread: TypeAlias = Callable[[np.random.Generator, Floats], ArrayLike]
"""From a generator and the value of a field (...) to another (...)."""


@dataclass(frozen=True)
class Normal:
    """The value plus normal noise of this standard deviation, in the field's unit."""

    deviation: Any

    def __str__(self) -> str:
        return f"normal({_listed(self.deviation)})"

    def __call__(self, random: np.random.Generator, value: Floats) -> Floats:
        return np.asarray(value + self.deviation * random.standard_normal(value.shape))


@dataclass(frozen=True)
class Uniform:
    """Anything as far as `reach` from the value, in the field's unit, alike."""

    reach: Any

    def __str__(self) -> str:
        return f"uniform({_listed(self.reach)})"

    def __call__(self, random: np.random.Generator, value: Floats) -> Floats:
        return np.asarray(value + self.reach * random.uniform(-1.0, 1.0, value.shape))


@dataclass(frozen=True)
class LogUniform:
    """The value times anything from 1 / `factor` to `factor`, its logarithm alike."""

    factor: Any

    def __str__(self) -> str:
        return f"log_uniform({_listed(self.factor)})"

    def __call__(self, random: np.random.Generator, value: Floats) -> Floats:
        return value * np.asarray(self.factor, float) ** random.uniform(-1.0, 1.0, value.shape)


def _listed(numbers: Any) -> str:
    return ", ".join(f"{number:g}" for number in np.ravel(numbers))


def normal(deviation: ArrayLike) -> Spread:
    """Normal about the field's value, of this standard deviation: a number above 0, in the field's unit, or an
    array of them that fits the field. Raises ValueError for another."""
    return Normal(_above("a standard deviation", deviation, 0.0))


def uniform(reach: ArrayLike) -> Spread:
    """Uniform as far as `reach` to either side of the field's value, above 0; else as `normal`."""
    return Uniform(_above("a reach", reach, 0.0))


def log_uniform(factor: ArrayLike) -> Spread:
    """Log-uniform from the field's value over `factor` to that times it, above 1; else as `normal`."""
    return LogUniform(_above("a factor", factor, 1.0))


def _above(what: str, given: ArrayLike, least: float) -> Any:
    try:
        numbers = np.asarray(given, float)
        good = bool(np.all((numbers >= least) & (numbers < math.inf)) and np.any(numbers > least))
    except (TypeError, ValueError):
        good = False
    if not good:
        raise ValueError(f"{what} of a spread is a number above {least:g}, not {told(given)}")
    return given if isinstance(given, (int, float)) else numbers
