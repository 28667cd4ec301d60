"""Solving for the live window, one evaluation at a time, so that a thread of its own can do it.

A `Solve` is one descent: the plain optimiser, or the one that follows a hand. It raises nothing: what a
scene's own code raises, and where, is part of its `Result`, beside the last good motion.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from time import perf_counter
from typing import TYPE_CHECKING, Any, cast

import numpy as np

import rose_ad as ra
from rosephys.errors import OptimizeError, describe
from rosephys.scene.picture import Track
from rosephys.solve.optimize import Iterate, descend
from rosephys.solve.scout import Scout

if TYPE_CHECKING:
    from rosephys.solve.problem import Arrays, Problem

STRAY = 9.0  # times the best loss above it: a step that leads beyond is taken back
PATIENCE = 25  # steps without a gain, after which a descent has arrived
QUICK = 1e-3  # seconds that an evaluation may take if many are to be made to look around
DESCENT = 30  # steps of a descent from a throw
IDLE = 15  # times of looking around without a gain, after which that is given up


@dataclass(frozen=True)
class Motion:
    """Where the values lead: a trajectory and the tracks of its points."""

    values: Arrays
    trajectory: Any
    tracks: list[Track]


@dataclass(frozen=True)
class Result:
    """What a solve has found since its last result."""

    solve: Solve
    iterate: Iterate | None  # the one to be shown
    motion: Motion | None  # where it leads; None if nothing is new
    losses: list[float]
    finished: bool
    error: str = ""  # what was raised and where, in words for people


class Solver:
    """A problem and what is kept from one descent to the next: the controls and the step.

    All of it belongs to the thread that makes the steps.
    """

    def __init__(self, problem: Problem, rate: float, optimizer: str) -> None:
        self.problem, self.rate, self.optimizer = problem, rate, optimizer
        self.controls: Arrays = {}  # the best of the last solve
        self.stride = rate  # of the descent that follows a hand
        self._scout = Scout(problem)
        self._seconds = math.inf  # that an evaluation takes
        self._pictured = False
        self._last: Mapping[str, Any] | None = None  # the values that were evaluated last

    def plain(self, values: Mapping[str, Any], iterations: int) -> Solve:
        """A solve from these values by the optimiser that was asked for."""
        return Solve(self, self._plain(values, iterations))

    def follow(
        self, values: Mapping[str, Any], iterations: int, chosen: Sequence[str] = ()
    ) -> Solve:
        """A solve from the controls that were found last, but for those `chosen`, and else these values.

        It is not given up before it has made a step from there: what is asked for something new all
        the time moves on as well.
        """
        return Solve(self, self._follow(values, iterations, chosen), least=2)

    def show(self, values: Mapping[str, Any]) -> Solve:
        """These values, as they are."""
        return Solve(self, self._show(values))

    def motion(self, values: Arrays) -> Motion:
        """Where these values lead; the first time the picture is compiled as well."""
        trajectory = self.problem.trajectory(values)
        tracks = self.problem.tracks(values, trajectory)
        if not self._pictured:
            self.problem.picture(trajectory, 0, values)
            self._pictured = True
        return Motion(values, trajectory, tracks)

    # ---- Descents ----

    def _plain(self, values: Mapping[str, Any], iterations: int) -> Iterator[Iterate]:
        self.problem.compile()
        yield from descend(
            cast("Problem", _Recorder(self)),
            iterations=iterations,
            rate=self.rate,
            optimizer=self.optimizer,
            values=values,
        )

    def _show(self, values: Mapping[str, Any]) -> Iterator[Iterate]:
        yield self._evaluated(dict(values), 0)

    def _follow(
        self, values: Mapping[str, Any], iterations: int, chosen: Sequence[str]
    ) -> Iterator[Iterate]:
        """Descend; then, if that costs little, look around for a better place to descend from.

        Each time the best so far is yielded, so that nothing flickers.
        """
        known = {name: v for name, v in self.controls.items() if name not in chosen}
        best = self._evaluated({**values, **known}, 0)
        yield best
        for found in self._descent(best, iterations):
            best = replace(found, iteration=best.iteration + 1)
            yield best
        idle = 0
        while best.iteration < iterations and idle < IDLE and self._seconds < QUICK:
            found = self._look_around(best)
            idle = 0 if found.loss < 0.9 * best.loss else idle + 1
            best = replace(min(best, found, key=lambda i: i.loss), iteration=best.iteration + 1)
            yield best

    def _descent(self, at: Iterate, iterations: int) -> Iterator[Iterate]:
        """The best so far, after each step of the "bold driver" (Vogl et al., 1988), as long as it gets better.

        The step grows while it helps, shrinks where it does not, and is kept from one goal
        to the next. A step up is allowed, since contacts make the loss jump; one that leads
        far off is taken back.
        """
        best, since, mark = at, 0, at.loss
        for _ in range(iterations):
            trial = self._evaluate(self._moved(at), 0)
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
            for trial in self._descent(self._evaluate(start, 0), DESCENT):
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

    def _evaluated(self, values: Arrays, iteration: int) -> Iterate:
        """The loss and its gradient, which must be finite."""
        found = self._evaluate(values, iteration)
        if not np.isfinite(found.loss):
            raise OptimizeError(f"the loss is {found.loss} here")
        return found

    def _evaluate(self, values: Arrays, iteration: int) -> Iterate:
        loss, gradient = self.value_and_gradient(values)
        return Iterate(iteration, loss, values, gradient)

    def value_and_gradient(self, values: Mapping[str, Any]) -> tuple[float, Arrays]:
        """The loss and its gradient; the values are remembered."""
        self._last = values
        start = perf_counter()
        found = self.problem.value_and_gradient(values)
        self._seconds = min(self._seconds, perf_counter() - start)
        return found

    def explained(self, error: BaseException) -> str:
        """What went wrong in words; of a loss that is not a number also the line where that began."""
        words = describe(error)
        if isinstance(error, OptimizeError) and "nan" in words and self._last is not None:
            try:
                with ra.debug_nans():
                    self.problem.value_and_gradient(self._last)
            except ra.NanFound as found:
                words += f"\n{found}"
            except (Exception, SystemExit):  # the first error is the one to tell
                pass
        return words


class _Recorder:
    """A problem as `descend` needs it, whose evaluations the solver remembers."""

    def __init__(self, solver: Solver) -> None:
        self.scene, self.values = solver.problem.scene, solver.problem.values
        self.controls = solver.problem.controls
        self.value_and_gradient = solver.value_and_gradient


class Solve:
    """One descent, to be made by `Background`; see its `Work`."""

    def __init__(self, solver: Solver, iterates: Iterator[Iterate], least: int = 1) -> None:
        self.least = least
        self._solver, self._iterates = solver, iterates
        self._shown: Iterate | None = None
        self._best: Iterate | None = None
        self._motion: Motion | None = None
        self._losses: list[float] = []
        self._finished = False
        self._error = ""

    def step(self) -> bool:
        """Make the next iterate; False after the last, of which the best is then shown."""
        if self._error:
            return False
        try:
            iterate = next(self._iterates, None)
            if iterate is not None:
                self._note(iterate)
                return True
        except (Exception, SystemExit) as error:  # a scene's own code runs here
            self._error = self._solver.explained(error)
        self._return_to_best()
        self._finished = True
        return False

    def result(self) -> Result:
        """What is to be shown now."""
        motion, losses, self._losses = None, self._losses, []
        shown = self._shown
        try:
            if shown is not None and (
                self._motion is None or self._motion.values is not shown.values
            ):
                motion = self._motion = self._solver.motion(shown.values)
        except (Exception, SystemExit) as error:
            self._error = self._error or self._solver.explained(error)
        finished = self._finished or bool(self._error)
        return Result(self, shown, motion, losses, finished, self._error)

    def _note(self, iterate: Iterate) -> None:
        self._shown = iterate
        self._losses.append(iterate.loss)
        if self._best is None or iterate.loss < self._best.loss:
            self._best = iterate
            self._solver.controls = {n: iterate.values[n] for n in self._solver.problem.controls}

    def _return_to_best(self) -> None:
        """Show the best iterate once more, if the last was another."""
        if self._best is None or self._shown is None:
            return
        if self._best.loss < self._shown.loss:
            self._note(replace(self._best, iteration=self._shown.iteration))
