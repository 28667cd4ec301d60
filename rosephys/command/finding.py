"""What a check of a scene is made of, and what it finds."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np

from ..solve.line import control_sizes
from ..solve.problem import Arrays, Problem

Outcome = Literal["ok", "FAILED", "note"]


@dataclass(frozen=True)
class Finding:
    """What a check found: "note" is for a person to judge; a failure has an advice."""

    check: str
    verdict: Outcome
    measured: str
    advice: str = ""


class Run:
    """A problem at its values, and what several checks need of it; `thorough` ones ask more."""

    def __init__(self, problem: Problem, thorough: bool = False) -> None:
        self.problem = problem
        self.values = problem.values
        self.thorough = thorough

    @cached_property
    def gradient(self) -> tuple[float, Arrays]:
        """The loss and its gradient."""
        return self.problem.value_and_gradient(self.values)

    @property
    def finite(self) -> bool:
        """Whether the loss and its gradient are."""
        loss, gradient = self.gradient
        return math.isfinite(loss) and all(np.isfinite(g).all() for g in gradient.values())

    @property
    def sizes(self) -> dict[str, float]:
        """The largest number of each field, 1 where all are 0."""
        return control_sizes(self.values, self.values)

    @cached_property
    def trajectory(self) -> Any:
        """All states."""
        return self.problem.trajectory(self.values)

    def along(self, direction: Arrays, step: float) -> float:
        """The loss a step away."""
        moved = {n: self.values[n] + step * v for n, v in direction.items()}
        return self.problem.loss({**self.values, **moved})
