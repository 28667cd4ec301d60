"""What happens in the live window, without a window.

A `Session` solves a problem a little in every frame, then plays the motion it found. A hand may
pause it, restart it, or drag a handle: while a goal moves, the optimiser goes on from the
controls it has, so the answer follows the hand. The motion that plays is the best that was found.
Whatever a scene raises is caught and told in `message`; the session goes on with the last good motion.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from enum import Enum
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rosephys.optimize import Iterate, OptimizeError, descend
from rosephys.picture import Picture, Track

if TYPE_CHECKING:
    from rosephys.problem import Arrays, Problem

SOLVE_SECONDS = 4.0  # a whole solve lasts at least this long, so that a person can watch it
RESOLVE_SECONDS = 1.2  # the same after a handle was moved: most of the way is already behind
HOLD_SECONDS = 1.5  # how long the last moment of the motion stays before it plays again
STRAY = 9.0  # times the best loss above it: a step that leads beyond is taken back
HISTORY = 4000  # losses kept for the curve


class Phase(Enum):
    """What a session is doing."""

    COMPILING = "compiling"
    SOLVING = "solving"
    PLAYING = "playing"
    FAILED = "stopped"


@dataclass
class Session:
    """A problem being solved and played; `advance` moves it on by one frame."""

    problem: Problem
    iterations: int
    rate: float
    optimizer: str
    phase: Phase = Phase.COMPILING
    paused: bool = False
    dragging: str | None = None  # the handle that a hand holds
    message: str = ""  # why the session stopped, in words for people
    iteration: int = 0
    time: float = 0.0  # seconds of scene time that have been played
    losses: deque[float] = field(default_factory=lambda: deque(maxlen=HISTORY))
    gradient: dict[str, NDArray[np.float64]] = field(default_factory=dict)
    steepest: float = 0.0  # the longest gradient since the start, for scale
    tracks: list[Track] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.values = {name: np.array(v, float) for name, v in self.problem.values.items()}
        self._start = dict(self.values)
        self._trajectory: Any = None
        self._picture: Picture | None = None
        self._solver: Iterator[Iterate] = iter(())
        self._best: Iterate | None = None  # of this solver
        self._step = self.rate  # of the descent that follows a hand
        self._solving_for = 0.0
        self._pace = SOLVE_SECONDS
        self._held_at: NDArray[np.float64] = np.zeros(2)

    # ---- What a hand may do ----

    def toggle_pause(self) -> None:
        """Stop the solving or the playing where it is, or let it go on."""
        self.paused = not self.paused

    def restart(self) -> None:
        """Solve again from the first controls; a handle that was moved stays where it is."""
        self.values |= {name: self._start[name] for name in self.problem.controls}
        self.losses.clear()
        self.gradient = {}
        self.steepest = 0.0
        self.paused = False
        self._solve_anew()

    def handle_at(self, point: ArrayLike, reach: float) -> str | None:
        """The name of the handle nearest to a world point and within `reach` of it."""
        offsets = {name: float(np.hypot(*(self.values[name] - point))) for name in self.handles}
        near = min(offsets, key=lambda name: offsets[name], default=None)
        return near if near is not None and offsets[near] <= reach else None

    @property
    def handles(self) -> tuple[str, ...]:
        """The fields that may be dragged: points of the plane that the scene calls handles."""
        fields = self.problem.scene.fields
        return tuple(
            name
            for name, value in self.values.items()
            if fields[name].handle and value.shape == (2,)
        )

    def grab(self, point: ArrayLike, reach: float) -> bool:
        """Take hold of the handle near a world point; False if there is none within `reach`."""
        self.dragging = self.handle_at(point, reach)
        if self.dragging is None:
            return False
        self._held_at = np.asarray(self.values[self.dragging] - point, np.float64)
        return True

    def drag(self, point: ArrayLike) -> None:
        """Move the held handle with a hand at a world point, within the field's bounds."""
        if self.dragging is None:
            return
        scene_field = self.problem.scene.fields[self.dragging]
        low, high = scene_field.bounds or (-np.inf, np.inf)
        moved = np.asarray(np.clip(np.add(point, self._held_at), low, high), np.float64)
        self.values[self.dragging] = moved
        if scene_field.control:
            # The hand chooses this one: show where it leads, and solve from it once let go.
            self._start[self.dragging] = moved
            self._solve(self._follow(0), RESOLVE_SECONDS)
        else:
            self._solve(self._follow(self.iterations), RESOLVE_SECONDS)

    def release(self) -> None:
        """Let the handle go; the solving goes on from there, and then the motion plays."""
        if self.dragging is not None:
            self.dragging = None
            self.paused = False
            self._solve(self._follow(self.iterations), RESOLVE_SECONDS)

    # ---- Time ----

    def advance(self, elapsed: float, budget: float) -> None:
        """Go on by one frame that lasts `elapsed` seconds, `budget` of them for computing."""
        try:
            if self.phase is Phase.COMPILING:
                self.problem.compile()
                self._solve_anew()
            elif self.phase is Phase.SOLVING and (self.dragging or not self.paused):
                self._advance_solving(elapsed, budget)
            elif self.phase is Phase.PLAYING and not self.paused:
                self._advance_playing(elapsed)
        except Exception as error:  # a scene's own code runs here, and may raise anything
            self.fail(error)

    def picture(self) -> Picture | None:
        """The scene at this moment; None before there is any motion."""
        if self._trajectory is None:
            return None
        try:
            self._picture = self.problem.picture(self._trajectory, self.index, self.values)
        except Exception as error:
            self.fail(error)
        return self._picture

    def fail(self, error: Exception) -> None:
        """Stop with the error's message, until the hand tries something else."""
        self.phase = Phase.FAILED
        self.message = str(error) or type(error).__name__

    @property
    def index(self) -> int:
        """The step of the trajectory that is shown: while solving the first one, with the tracks, or else the
        last one."""
        if self.phase is not Phase.PLAYING:
            return 0 if self.tracks else self.problem.steps
        return min(int(self.time / self.problem.dt), self.problem.steps)

    @property
    def progress(self) -> float:
        """How much of the motion has been played, 0 to 1."""
        return self.index / max(self.problem.steps, 1)

    def _solve(self, solver: Iterator[Iterate], pace: float) -> None:
        """Begin solving from the present values, to last `pace` seconds or longer."""
        self._solver, self._pace, self._solving_for = solver, pace, 0.0
        self._best = None
        self.phase = Phase.SOLVING
        self.message = ""
        self.iteration = 0
        self.time = 0.0

    def _solve_anew(self) -> None:
        """Begin the plain optimiser, as it was asked for."""
        self.problem.values.update(self.values)
        self._solve(
            descend(
                self.problem,
                iterations=self.iterations,
                rate=self.rate,
                optimizer=self.optimizer,
            ),
            SOLVE_SECONDS,
        )

    def _follow(self, iterations: int) -> Iterator[Iterate]:
        """Descend from the present values by the "bold driver" (Vogl et al., 1988).

        The step grows while it helps, shrinks where it does not, and is kept from one goal
        to the next. A step up is allowed, since contacts make the loss jump; one that leads
        far off is taken back. Each time the best so far is yielded, so that nothing flickers.
        """
        at = best = self._evaluate(self.values, 0)
        if not np.isfinite(best.loss):
            raise OptimizeError(f"the loss is {best.loss} here")
        yield best
        for iteration in range(1, iterations + 1):
            trial = self._evaluate(self._moved(at), iteration)
            helps = trial.loss < at.loss
            self._step = max(self._step * (1.2 if helps else 0.7), self.rate / 10)
            at = trial if trial.loss - best.loss < STRAY * abs(best.loss) else best
            best = trial if trial.loss < best.loss else replace(best, iteration=iteration)
            yield best

    def _moved(self, at: Iterate) -> Arrays:
        """The values one step down the gradient, within their bounds."""
        values = dict(at.values)
        for name, slope in at.gradient.items():
            control = self.problem.scene.fields[name]
            low, high = control.bounds or (-np.inf, np.inf)
            values[name] = np.clip(values[name] - self._step * control.rate * slope, low, high)
        return values

    def _evaluate(self, values: Arrays, iteration: int) -> Iterate:
        loss, gradient = self.problem.value_and_gradient(values)
        return Iterate(iteration, loss, values, gradient)

    def _advance_solving(self, elapsed: float, budget: float) -> None:
        """Iterate at least once, then until the budget is spent or the pace is kept."""
        until = perf_counter() + budget
        self._solving_for += elapsed
        due = self.iterations * self._solving_for / self._pace
        try:
            for iterate in self._solver:
                self._show(iterate)
                if perf_counter() >= until or (not self.dragging and self.iteration >= due):
                    break
            else:
                self._return_to_best()
                self.phase = Phase.SOLVING if self.dragging else Phase.PLAYING
        except OptimizeError:
            if self._best is not None:
                self._return_to_best()
                self._simulate()
            raise
        self._simulate()

    def _return_to_best(self) -> None:
        """Show the best iterate once more, if the last was another."""
        if self._best is not None and self._best.loss < self.losses[-1]:
            self._show(replace(self._best, iteration=self.iteration))

    def _simulate(self) -> None:
        self._trajectory = self.problem.trajectory(self.values)
        self.tracks = self.problem.tracks(self.values, self._trajectory)

    def _show(self, iterate: Iterate) -> None:
        self.values = {**self.values, **iterate.values}
        self.gradient = iterate.gradient
        self.iteration = iterate.iteration
        self.losses.append(iterate.loss)
        if self._best is None or iterate.loss < self._best.loss:
            self._best = iterate
        lengths = [float(np.linalg.norm(g)) for g in iterate.gradient.values()]
        self.steepest = max(self.steepest, *lengths, 0.0)

    def _advance_playing(self, elapsed: float) -> None:
        self.time += elapsed
        if self.time > self.problem.steps * self.problem.dt + HOLD_SECONDS:
            self.time = 0.0
