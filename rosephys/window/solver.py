"""Solving for the live window, one evaluation at a time, so that a thread of its own can do it.

A `Solve` is one descent: the plain optimiser, or the one that follows a hand. It raises nothing: what a
scene's own code raises, and where, is part of its `Result`, beside the last good motion.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from rosephys.errors import describe
from rosephys.scene.picture import Track
from rosephys.scene.scene import constrained
from rosephys.solve.follow import Follower, Held
from rosephys.solve.iterate import Iterate
from rosephys.solve.reach import Aim, Reacher
from rosephys.solve.starts import descend_from

if TYPE_CHECKING:
    from rosephys.solve.problem import Arrays, Problem


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
    motion: Motion | None  # where it leads, or the best so far; None if nothing is new
    losses: list[float]
    finished: bool
    best: bool = False  # whether the motion is that of the best so far
    error: str = ""  # what was raised and where, in words for people


class Solver:
    """A problem and what is kept from one descent to the next: the controls, and the one that follows a hand.

    All of it belongs to the thread that makes the steps.
    """

    def __init__(self, problem: Problem, rate: float, optimizer: str) -> None:
        self.problem, self.rate, self.optimizer = problem, rate, optimizer
        self.controls: Arrays = {}  # the best of the last solve
        self._follower = Follower(problem, rate)
        self._reacher = Reacher(problem)
        self._pictured = False

    def plain(
        self, values: Mapping[str, Any], iterations: int, starts: int = 1, seed: int = 0
    ) -> Solve:
        """A solve from these values, or as many starts, by the optimiser that was asked for."""
        iterates = self._plain(values, iterations, starts, seed)
        return Solve(self, iterates, each=iterations + 1)

    def follow(
        self,
        values: Mapping[str, Any],
        iterations: int,
        chosen: Sequence[str] = (),
        held: Held | None = None,
    ) -> Solve:
        """A solve from the controls that were found last, but for those `chosen`, and else these values. Rows
        that are `held` stay where these values have them.

        It is not given up before it has made a step from there: what is asked for something new all
        the time moves on as well.
        """
        return Solve(self, self._follow(values, iterations, chosen, held or {}), least=2)

    def reach(self, values: Mapping[str, Any], iterations: int, aim: Aim) -> Solve:
        """A solve from the controls that were found last for a circle to be where a hand takes it."""
        return Solve(self, self._reach(values, iterations, aim), least=2)

    def show(self, values: Mapping[str, Any]) -> Solve:
        """These values, as they are."""
        return Solve(self, self._follower.follow(dict(values), 0))

    def motion(self, values: Arrays) -> Motion:
        """Where these values lead; the first time the picture is compiled as well."""
        trajectory = self.problem.trajectory(values)
        tracks = self.problem.tracks(values, trajectory)
        if not self._pictured:
            self.problem.picture(trajectory, 0, values)
            self._pictured = True
        return Motion(values, trajectory, tracks)

    # ---- Descents ----

    def _plain(
        self, values: Mapping[str, Any], iterations: int, starts: int, seed: int
    ) -> Iterator[Iterate]:
        self.problem.compile()
        how = {"iterations": iterations, "rate": self.rate, "optimizer": self.optimizer}
        descents = descend_from(self.problem, starts=starts, seed=seed, values=values, **how)
        for start, iterate in descents:
            yield replace(iterate, iteration=start * (iterations + 1) + iterate.iteration)

    def _follow(
        self, values: Mapping[str, Any], iterations: int, chosen: Sequence[str], held: Held
    ) -> Iterator[Iterate]:
        # the controls of when it begins, not of when it was asked for
        known = {name: v for name, v in self.controls.items() if name not in chosen}
        for name, rows in held.items():
            known[name] = np.where(rows[:, None], values[name], known.get(name, values[name]))
        if constrained(self.problem.scene):  # which a bold driver does not keep
            yield from self._plain({**values, **known}, iterations, 1, 0)
        else:
            yield from self._follower.follow({**values, **known}, iterations, held)

    def _reach(self, values: Mapping[str, Any], iterations: int, aim: Aim) -> Iterator[Iterate]:
        yield from self._reacher.reach({**values, **self.controls}, aim, iterations)


class Solve:
    """One descent, to be made by `Background`; see its `Work`."""

    def __init__(
        self, solver: Solver, iterates: Iterator[Iterate], least: int = 1, each: int = sys.maxsize
    ) -> None:
        self.least = least
        self.watched = False  # whether the motion that is told is that of the best, not of the last
        self._each = each  # iterations of a start
        self._descents: dict[int, list[float]] = {}  # the losses of each start, as they were found
        self._solver, self._iterates = solver, iterates
        self._shown: Iterate | None = None
        self._best: Iterate | None = None
        self._motion: Motion | None = None
        self._losses: list[float] = []
        self._finished = False
        self._error = ""

    @property
    def descent(self) -> list[float]:
        """The losses of the descent that led to the best."""
        return list(min(self._descents.values(), key=min, default=[]))

    def step(self) -> bool:
        """Make the next iterate; False after the last, of which the best is then shown."""
        if self._error:
            return False
        try:
            iterate = next(self._iterates, None)
            if iterate is not None:
                self._descents.setdefault(iterate.iteration // self._each, []).append(iterate.loss)
                self._note(iterate)
                return True
        except (Exception, SystemExit) as error:  # a scene's own code runs here
            self._error = describe(error)
        self._return_to_best()
        self._finished = True
        return False

    def result(self) -> Result:
        """What is to be shown now."""
        motion, losses, self._losses = None, self._losses, []
        shown = self._shown
        watched = self.watched
        told = self._best if watched and self._best else shown
        try:
            if told is not None and (
                self._motion is None or self._motion.values is not told.values
            ):
                motion = self._motion = self._solver.motion(told.values)
        except (Exception, SystemExit) as error:
            self._error = self._error or describe(error)
        finished = self._finished or bool(self._error)
        return Result(self, shown, motion, losses, finished, watched, self._error)

    def _note(self, iterate: Iterate) -> None:
        self._shown = iterate
        self._losses.append(iterate.loss)
        if self._best is None or iterate.rank < self._best.rank:
            self._best = iterate
            self._solver.controls = {n: iterate.values[n] for n in self._solver.problem.controls}

    def _return_to_best(self) -> None:
        """Show the best iterate once more, if the last was another."""
        if self._best is None or self._shown is None:
            return
        if self._best.rank < self._shown.rank:
            self._note(replace(self._best, iteration=self._shown.iteration))
