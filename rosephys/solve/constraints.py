"""Whether a motion keeps its constraints, and by how much it does not."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..constraint import Constraint

if TYPE_CHECKING:
    from .problem import Problem, Values

Floats = NDArray[np.float64]

FEASIBLE = 1e-6  # by which a constraint may be off and counts as kept, in its own unit


@dataclass(frozen=True)
class Excess:
    """The number of a constraint that is farthest off; `step` is None of one at the end."""

    name: str
    step: int | None
    value: float
    low: float
    high: float

    @property
    def off(self) -> float:
        """How far it is outside; 0 inside, infinite for what is no number."""
        off = max(self.low - self.value, self.value - self.high, 0.0)
        return off if np.isfinite(self.value) else np.inf

    @property
    def kept(self) -> bool:
        """Whether it is not off, up to FEASIBLE."""
        return self.off <= FEASIBLE

    @property
    def words(self) -> str:
        """For people."""
        where = "at the end" if self.step is None else f"at step {self.step}"
        if not np.isfinite(self.value):
            return f"the constraint {self.name!r} is {self.value} {where}"
        if self.low == self.high:
            wanted = f"not {self.low:.4g}"
        elif np.isinf(self.low) or np.isinf(self.high):
            wanted = f"above {self.high:.4g}" if np.isinf(self.low) else f"below {self.low:.4g}"
        else:
            wanted = f"not from {self.low:.4g} to {self.high:.4g}"
        return f"the constraint {self.name!r} is off by {self.off:.3g} {where}: {self.value:.6g} is {wanted}"


def excesses(problem: Problem, values: Values) -> list[Excess]:
    """Of each constraint the number that is farthest off, along the way and then at the end."""
    along, end = problem.constraints(values)
    return [_farthest(c, True) for c in along] + [_farthest(c, False) for c in end]


def worst(problem: Problem, values: Values) -> Excess | None:
    """The excess of the constraint that is farthest off; None of a scene without constraints."""
    return max(excesses(problem, values), key=lambda excess: excess.off, default=None)


def violation(problem: Problem, values: Values) -> float:
    """How far the constraints are off at most, in the unit of the one that is; 0 where all are kept."""
    found = worst(problem, values)
    return found.off if found else 0.0


def flat(problem: Problem, values: Values) -> tuple[Floats, Floats, Floats]:
    """All m numbers of all constraints with their lows and highs, each (m,), in the order of
    `Problem.constraint_derivatives`."""
    along, end = problem.constraints(values)
    both = (*along, *end)
    none = np.zeros(0)
    value, low, high = (
        np.concatenate([none, *(np.ravel(getattr(c, part)) for c in both)])
        for part in ("value", "low", "high")
    )
    return value, low, high


def place(problem: Problem, values: Values, row: int) -> str:
    """In words, what has this row among the numbers of `flat`: a constraint and its step."""
    along, end = problem.constraints(values)
    for k, constraint in enumerate((*along, *end)):
        shape = np.shape(constraint.value)
        size = math.prod(shape)
        if row < size:
            step = f"at step {row * shape[0] // size}" if k < len(along) else "at the end"
            return f"{constraint.name!r} {step}"
        row -= size
    raise IndexError(row)


def _farthest(constraint: Constraint, along: bool) -> Excess:
    value, low, high = (np.asarray(a) for a in (constraint.value, constraint.low, constraint.high))
    with np.errstate(
        invalid="ignore"
    ):  # a value that is not finite counts as off, whatever its bounds
        off = np.maximum(low - value, value - high)
    at = int(np.argmax(np.where(np.isfinite(value), off, np.inf)))
    place = np.unravel_index(at, value.shape)
    step = int(place[0]) if along else None
    return Excess(constraint.name, step, float(value[place]), float(low[place]), float(high[place]))
