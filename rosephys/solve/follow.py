"""Following a hand: a descent that goes on from the controls it has while the goal moves.

It is quick and never gives up what it has: each iterate is the best so far, so that nothing flickers.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import replace
from time import perf_counter
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

from rosephys.errors import OptimizeError
from rosephys.solve.coordinates import Coordinates
from rosephys.solve.guard import cause, evaluate
from rosephys.solve.iterate import Iterate, Task
from rosephys.solve.quasi_newton import quasi_newton
from rosephys.solve.scout import Scout

if TYPE_CHECKING:
    from rosephys.solve.problem import Arrays, Problem

STRAY = 9.0  # times the best loss above it: a step that leads beyond is taken back
PATIENCE = 25  # steps without a gain, after which a descent has arrived
QUICK = 1e-3  # seconds that an evaluation may take if many are to be made to look around
DESCENT = 30  # steps of a descent from a throw
ARRIVED = 1e-7  # of the loss: a descent that gains less in so many steps as PATIENCE has settled
IDLE = 15  # times of looking around without a gain, after which that is given up


Held: TypeAlias = Mapping[str, NDArray[np.bool_]]
"""Of fields by name, which of their rows a hand holds."""


class Follower:
    """A problem, and what is kept from one goal to the next: the step."""

    def __init__(self, problem: Problem, rate: float) -> None:
        self.problem, self.rate = problem, rate
        self.stride = rate
        self._scout = Scout(problem)
        self._seconds = math.inf  # that an evaluation takes

    def follow(
        self, values: Arrays, iterations: int, held: Held | None = None
    ) -> Iterator[Iterate]:
        """Descend; then, if that costs little, look around for a better place to descend from.

        Where a hand can hold a part of the answer, the rest settles instead: by L-BFGS, with what is `held` as
        it is, and nowhere else than close by.

        Raises OptimizeError where the first loss is not finite, and what the scene raises.
        """
        best = self._evaluate(values)
        if not np.isfinite(best.loss):
            raise OptimizeError(f"the loss is {best.loss} here: {cause(self.problem, values)}")
        yield best
        if iterations and self.settles:
            yield from self._settled(values, iterations, held or {})
            return
        for found in self._descent(best, iterations):
            best = replace(found, iteration=best.iteration + 1)
            yield best
        idle = 0
        while best.iteration < iterations and idle < IDLE and self._seconds < QUICK:
            found = self._look_around(best)
            idle = 0 if found.loss < 0.9 * best.loss else idle + 1
            best = replace(min(best, found, key=lambda i: i.loss), iteration=best.iteration + 1)
            yield best

    @property
    def settles(self) -> bool:
        """Whether the scene has controls whose rows are handles."""
        fields = self.problem.scene.fields
        return any(
            fields[n].handle and self.problem.values[n].ndim > 1 for n in self.problem.controls
        )

    def _settled(self, values: Arrays, iterations: int, held: Held) -> Iterator[Iterate]:
        at = Coordinates(Task(self.problem, values, self.rate))
        stay = at.rows({name: rows for name, rows in held.items() if name in self.problem.controls})
        low, high = np.where(stay, at.x, at.low), np.where(stay, at.x, at.high)
        marks: deque[float] = deque(maxlen=PATIENCE)
        for iterate in at.iterates(quasi_newton(at.evaluate, at.x, low, high)):
            yield iterate
            marks.append(iterate.loss)
            still = len(marks) == PATIENCE and marks[0] - marks[-1] <= ARRIVED * abs(marks[-1])
            if still or iterate.iteration >= iterations:
                return

    def _descent(self, at: Iterate, iterations: int) -> Iterator[Iterate]:
        """The best so far, after each step of the "bold driver" (Vogl et al., 1988), as long as it gets better.

        The step grows while it helps, shrinks where it does not, and is kept from one goal
        to the next. A step up is allowed, since contacts make the loss jump; one that leads
        far off is taken back.
        """
        best, since, mark = at, 0, at.loss
        for _ in range(iterations):
            trial = self._evaluate(self._moved(at))
            helps = trial.loss < at.loss
            self.stride = max(self.stride * (1.2 if helps else 0.7), self.rate / 10)
            at = trial if trial.loss - best.loss < STRAY * abs(best.loss) else best
            best = trial if trial.loss < best.loss else best
            since, mark = (0, best.loss) if best.loss < 0.99 * mark else (since + 1, mark)
            yield best
            if since >= PATIENCE:
                return

    def _look_around(self, best: Iterate) -> Iterate:
        """The best that descents from the best of many throws lead to."""
        found = best
        stride = self.stride
        for start in self._scout.starts(best.values):
            self.stride = self.rate
            for trial in self._descent(self._evaluate(start), DESCENT):
                found = min(found, trial, key=lambda i: i.loss)
        self.stride = stride
        return found

    def _moved(self, at: Iterate) -> Arrays:
        """The values one step down the gradient, within their bounds."""
        values = dict(at.values)
        for name, slope in at.gradient.items():
            control = self.problem.scene.fields[name]
            low, high = control.bounds or (-np.inf, np.inf)
            values[name] = np.clip(values[name] - self.stride * control.rate * slope, low, high)
        return values

    def _evaluate(self, values: Arrays) -> Iterate:
        start = perf_counter()
        loss, gradient = evaluate(self.problem, values)
        self._seconds = min(self._seconds, perf_counter() - start)
        return Iterate(0, loss, values, gradient)
