"""What an optimiser is asked, and what it gives: a task, iterates, and a solution that is made of them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

from ..errors import NotFiniteError, OptimizeError
from .constraints import FEASIBLE
from .guard import check_finite, evaluate
from .schedules import CONSTANT, Factor

if TYPE_CHECKING:
    from .problem import Arrays, Problem


STARTS = 64  # that go on side by side, where nobody says how many


@dataclass(frozen=True)
class Iterate:
    """One evaluation: `iteration` updates have been made. `violation` is by how much constraints are off."""

    iteration: int
    loss: float
    values: Arrays
    gradient: Arrays
    violation: float = 0.0

    @property
    def rank(self) -> tuple[float, float]:
        """What is smaller of a better iterate: what violates a constraint is worse than what does not."""
        return max(self.violation, FEASIBLE), self.loss


@dataclass
class Solution:
    """What an optimiser did, as far as it came; there is at least one iterate."""

    iterates: list[Iterate] = field(default_factory=list)
    seconds: float = 0.0
    stopped: str = ""  # why it ended early
    code: int = 0  # for the process to exit with
    starts: int = 1  # of which it is the best

    @property
    def best(self) -> Iterate:
        """The first iterate of the least loss, which is what was found; under constraints of those that keep
        them, if any does."""
        return min(self.iterates, key=lambda iterate: iterate.rank)

    @property
    def losses(self) -> list[float]:
        """The loss before each update, and after the last."""
        return [iterate.loss for iterate in self.iterates]

    def controls(self, problem: Problem) -> dict[str, Any]:
        """The values found for the controls."""
        best = self.best.values
        return {name: best[name] for name in problem.controls}


@dataclass(frozen=True)
class Task:
    """A problem to be solved from `start`, the values of all live fields; longer gradients are clipped to
    `clip` by optimisers that go along them, whose rate is multiplied by the `factor` of each iteration, and
    what is random is drawn from `seed`. A solver that goes on from many places has so many `starts`."""

    problem: Problem
    start: Arrays
    rate: float
    clip: float = math.inf
    seed: int = 0
    factor: Factor = CONSTANT
    starts: int = STARTS


Solver: TypeAlias = Callable[[Task], Iterator[Iterate]]
"""Iterates from the start of a task, the start first, without end or until nothing helps. Raises
OptimizeError where it cannot go on."""


def evaluated(problem: Problem, iteration: int, values: Arrays) -> tuple[float, Arrays]:
    """The loss and its gradient, which may be no finite numbers. Raises OptimizeError where there is none."""
    try:
        return evaluate(problem, values, f" after {iteration} updates")
    except NotFiniteError as error:
        raise OptimizeError(str(error)) from error


def check(problem: Problem, iteration: int, values: Arrays, loss: float, gradient: Arrays) -> None:
    """Raise OptimizeError, with what is to blame, if a loss or its gradient is not finite."""
    try:
        check_finite(problem, values, loss, gradient, f" after {iteration} updates")
    except NotFiniteError as error:
        raise OptimizeError(str(error)) from error
