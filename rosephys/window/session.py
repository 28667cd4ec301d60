"""What happens in the live window, without a window.

A `Session` has a problem solved in the background, then plays the motion that was found. A hand may pause it,
restart it, or drag a handle or a slider: while a goal moves, the optimiser goes on from the controls it has, so
the answer follows the hand. A circle of the picture can be taken as well: where the hand is becomes the goal of
that moment. While a solve takes long, the best motion so far plays. What a hand did can be taken back, a
gesture at a time. Nothing here waits for the scene's own code, which may take long; what it raises is told in
`message`, and the session goes on with the last good motion.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import InitVar, dataclass, field, replace
from enum import Enum
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rosephys.errors import describe
from rosephys.scene import circles
from rosephys.scene.optimizers import offered
from rosephys.scene.picture import Picture, Track
from rosephys.scene.scene import constrained
from rosephys.solve.iterate import Iterate
from rosephys.solve.outcome import Outcome
from rosephys.solve.reach import Aim
from rosephys.window.background import Background
from rosephys.window.handles import Handle, fields_of, nearest
from rosephys.window.history import Entry, History
from rosephys.window.solver import Motion, Result, Solve, Solver

if TYPE_CHECKING:
    from rosephys.solve.problem import Problem

SOLVE_SECONDS = 4.0  # a whole solve lasts at least this long, so that a person can watch it
LONG_SECONDS = 6.0  # of solving, after which the best motion so far plays meanwhile
RESOLVE_SECONDS = 1.2  # the same after a handle was moved: most of the way is already behind
HOLD_SECONDS = 1.5  # how long the last moment of the motion stays before it plays again
HISTORY = 4000  # losses kept for the curve
SPEEDS = (1 / 16, 1 / 8, 1 / 4, 1 / 2, 1.0, 2.0, 4.0, 8.0, 16.0)  # that a motion may be played at


class Phase(Enum):
    """What a session is doing."""

    COMPILING = "compiling"
    SOLVING = "solving"
    PLAYING = "playing"
    FAILED = "stopped"


@dataclass(frozen=True)
class Snapshot:
    """What a gesture changes: all values, the first controls, the optimiser and its losses."""

    values: dict[str, NDArray[np.float64]]
    start: dict[str, NDArray[np.float64]]
    optimizer: str
    losses: tuple[float, ...]


@dataclass
class Session:
    """A problem being solved and played; `advance` moves it on by one frame."""

    problem: Problem
    iterations: int
    rate: float
    optimizer: str
    phase: Phase = Phase.COMPILING
    paused: bool = False
    dragging: str | None = None  # the field that a hand holds, by a handle or a slider
    row: int | None = None  # of it, where each row is a handle
    aim: Aim | None = None  # of a circle that a hand took, until something else is solved
    pulling: bool = False  # whether the hand still holds it
    message: str = ""  # why the session stopped, in words for people
    iteration: int = 0
    time: float = 0.0  # seconds of scene time that have been played
    speed: float = 1.0  # seconds of scene time played in a second
    waiting: float = 0.0  # seconds since the solver last showed something new, while it is to
    losses: deque[float] = field(default_factory=lambda: deque(maxlen=HISTORY))
    gradient: dict[str, NDArray[np.float64]] = field(default_factory=dict)
    steepest: float = 0.0  # the longest gradient since the start, for scale
    begun: int = (
        0  # how often a hand has begun something: taken a handle, chosen controls, restarted
    )
    starts: int = 1  # of a solve
    seed: int = 0  # of the random ones
    asked: int = 0  # iterations of the present solve, over all starts
    outcome: Outcome | None = None  # what the last solve came to, once that is known
    kept: InitVar[Mapping[str, NDArray[np.float64]] | None] = None  # values to begin with instead

    def __post_init__(self, kept: Mapping[str, NDArray[np.float64]] | None) -> None:
        self._start = {name: np.array(v, float) for name, v in self.problem.values.items()}
        self.values = {**self._start, **(kept or {})}
        self._motion: Motion | None = None
        self._best: Motion | None = None  # so far, once a solve has taken long
        self._picture: Picture | None = None
        self._solver = Solver(self.problem, self.rate, self.optimizer)
        self.optimizers = offered(self.optimizer, constrained(self.problem.scene))
        self._background: Background[Result] = Background()
        self._only_newest = False  # whether what came before the present solve is of no interest
        self._solving_for = 0.0
        self._pace = SOLVE_SECONDS
        self._held_at: NDArray[np.float64] = np.zeros(2)
        self._paused = False  # whether it was when a hand took a circle
        self._history: History[Snapshot] = History()
        self._before: Snapshot | None = (
            None  # the gesture that is being made, until it has changed something
        )
        self._solve: Solve
        self._ask_plain()
        self.phase = Phase.COMPILING

    @property
    def motion(self) -> Motion | None:
        """The motion that was found last."""
        return self._motion

    @property
    def tracks(self) -> list[Track]:
        """The paths of the motion that was found last."""
        return self._motion.tracks if self._motion else []

    @property
    def dt(self) -> float:
        """The time step, in seconds, which is a field like others."""
        return float(self.values.get("dt", self.problem.dt))

    def close(self) -> None:
        """Stop solving, after the evaluation that is being made."""
        self._background.close()

    def undisturbed(self) -> AbstractContextManager[None]:
        """A `with` in which the solver begins nothing, so that drawing is not disturbed."""
        return self._background.undisturbed()

    def settle(self, seconds: float) -> bool:
        """Wait until the solver has done what it may do for now; False if that takes longer."""
        return self._background.settle(seconds)

    # ---- What a hand may do ----

    def toggle_pause(self) -> None:
        """Stop the solving or the playing where it is, or let it go on."""
        self.paused = not self.paused

    @property
    def watching(self) -> bool:
        """Whether the best motion so far plays while a solve takes long."""
        return self.phase is Phase.SOLVING and self._best is not None and not self.holding

    @property
    def holding(self) -> bool:
        """Whether a hand holds a field or a circle."""
        return self.dragging is not None or self.pulling

    @property
    def playable(self) -> bool:
        """Whether a motion is there to be played, and not one that is being solved for."""
        return self.phase in (Phase.PLAYING, Phase.FAILED) and self._motion is not None

    def go_to(self, index: int) -> None:
        """Stop at this step of the motion, or at the end that lies nearer."""
        if self.playable:
            self._to_step(min(max(index, 0), self.problem.steps))

    def _to_step(self, index: int) -> None:
        self.paused = True
        # a trace more than the step's time, whose quotient may be rounded to below it
        self.time = (index + 1e-6) * self.dt

    def change_speed(self, by: int) -> None:
        """Play faster, or slower where `by` is negative: so many of `SPEEDS` on."""
        at = SPEEDS.index(self.speed) + by
        self.speed = SPEEDS[min(max(at, 0), len(SPEEDS) - 1)]

    def restart(self) -> None:
        """Solve again from the first controls; a handle that was moved stays where it is."""
        self._history.record("solve again", self._snapshot())
        self._solve_anew()

    def choose(self, optimizer: str) -> None:
        """Solve again from the first controls by another optimiser, one of `optimizers`."""
        if optimizer != self.optimizer:
            self._history.record("another optimiser", self._snapshot())
            self.optimizer = self._solver.optimizer = optimizer
            self._solve_anew()

    def take_help(self) -> None:
        """Solve again as may help after the last solve has failed; see `Outcome`."""
        hint = self.outcome.help if self.outcome else None
        if hint is None:
            return
        if hint.option == "optimizer":
            self.choose(hint.value)
            return
        self._history.record("solve again", self._snapshot())
        if hint.option == "iterations":
            self.iterations = int(hint.value)
            self.solve()
            return
        if hint.option == "rate":
            self.rate = self._solver.rate = float(hint.value)
        else:  # others than those that were tried
            self.starts, self.seed = int(hint.value), self.seed + (self.starts > 1)
        self._solve_anew()

    @property
    def descent(self) -> list[float]:
        """The losses of the best start of the present solve, and before them the first that the curve shows if
        it is larger: a solve that follows a hand begins near its end."""
        found, first = self._solve.descent, self.losses[0] if self.losses else -math.inf
        return [first, *found] if found and first > found[0] else found

    def _solve_anew(self) -> None:
        self.values |= {name: self._start[name] for name in self.problem.controls}
        self.solve()

    def begin_exploring(self) -> None:
        """Remember what there is before a hand takes other controls by `explore`."""
        self._history.record("other controls", self._snapshot())

    def explore(self, controls: Mapping[str, ArrayLike]) -> None:
        """Take these controls, within their bounds, and show where they lead; `solve` solves from there."""
        self.begun += 1
        for name, value in controls.items():
            low, high = self.problem.scene.fields[name].bounds or (-np.inf, np.inf)
            self.values[name] = self._start[name] = np.clip(np.asarray(value, float), low, high)
        self._ask(self._solver.show(dict(self.values)), RESOLVE_SECONDS)
        self._only_newest = True

    def solve(self) -> None:
        """Solve from the controls as they are."""
        self.begun += 1
        self.losses.clear()
        self.gradient = {}
        self.steepest = 0.0
        self.paused = False
        self._ask_plain()
        self._only_newest = True

    def handle_at(self, point: ArrayLike, reach: float) -> Handle | None:
        """The handle nearest to a world point and within `reach` of it."""
        return nearest(self.problem.scene, self.values, point, reach)

    @property
    def held(self) -> Handle | None:
        """What a hand holds."""
        return Handle(self.dragging, self.row) if self.dragging else None

    @property
    def handles(self) -> tuple[str, ...]:
        """The fields that may be dragged."""
        return fields_of(self.problem.scene, self.values)

    def circle_at(self, point: ArrayLike, reach: float) -> int | None:
        """The circle of the picture that a hand at a world point would take, by its number."""
        ready = self.playable or self.aim is not None
        if not ready or self._picture is None or not self.has_circles:
            return None
        return circles.nearest(self._picture, point, reach)

    @property
    def has_circles(self) -> bool:
        """Whether the picture has circles, and the scene controls to move them by and no constraints that this
        would break."""
        drawn = self._picture is not None and circles.count(self._picture) > 0
        return drawn and bool(self.problem.controls) and not constrained(self.problem.scene)

    def grab(self, point: ArrayLike, reach: float) -> bool:
        """Take hold of the handle near a world point, or else of a circle; False if there is none within
        `reach`."""
        handle = self.handle_at(point, reach)
        if handle is None:
            return self._take(point, reach)
        self.hold(*handle)
        self._held_at = np.asarray(np.subtract(handle.of(self.values), point), np.float64)
        return True

    def _take(self, point: ArrayLike, reach: float) -> bool:
        which = self.circle_at(point, reach)
        if which is None or self._picture is None:
            return False
        centre, _, _ = circles.circle(self._picture, which)
        self._held_at = np.asarray(centre - point, np.float64)
        self._before, self._paused, self.pulling = self._snapshot(), self.paused, True
        self._to_step(self.index)
        self.begun += 1
        self._pull(Aim(which, self.index, (float(centre[0]), float(centre[1]))))
        return True

    def _pull(self, aim: Aim) -> None:
        """Have the circle brought to where the hand is."""
        if self.aim is None:
            self.losses.clear()
        self._ask(self._solver.reach(dict(self.values), self.iterations, aim), RESOLVE_SECONDS, aim)

    def hold(self, name: str, row: int | None = None) -> None:
        """Take hold of a field, or a row of it, to `put` values to it until it is let go."""
        self.dragging, self.row, self._before = name, row, self._snapshot()
        self.begun += 1

    def drag(self, point: ArrayLike) -> None:
        """Move what is held with a hand at a world point: a handle within the field's bounds."""
        there = np.add(point, self._held_at)
        if self.pulling and self.aim:
            if self._before:
                self._history.record("a circle", self._before)
                self._before = None
            self._pull(replace(self.aim, goal=(float(there[0]), float(there[1]))))
            return
        if self.held is not None:
            self.put(self.held.moved(self.values, there))

    def put(self, value: ArrayLike) -> None:
        """Give the held field this value, brought within its bounds; the answer follows."""
        if self.dragging is None:
            return
        scene_field = self.problem.scene.fields[self.dragging]
        low, high = scene_field.bounds or (-np.inf, np.inf)
        moved = np.asarray(np.clip(value, low, high), np.float64)
        if self._before and not np.array_equal(moved, self.values[self.dragging]):
            self._history.record(self.dragging.replace("_", " "), self._before)
            self._before = None
        self.values[self.dragging] = moved
        if self.held is not None and self.row is not None:
            held = {self.dragging: np.arange(len(moved)) == self.row}
            self._ask(
                self._solver.follow(dict(self.values), self.iterations, held=held), RESOLVE_SECONDS
            )
        elif scene_field.control:
            # The hand chooses this one: show where it leads, and solve from it once let go.
            self._start[self.dragging] = moved
            self._ask(self._solver.show(dict(self.values)), RESOLVE_SECONDS)
        else:
            self._ask(self._solver.follow(dict(self.values), self.iterations), RESOLVE_SECONDS)

    def release(self) -> None:
        """Let go. After a field the solving goes on from there, and then the motion plays; after a circle what
        the hand has found stays."""
        if self.pulling and self.aim:
            self.pulling, self.paused = False, self._paused
            self._before = None
            self._pull(self.aim)
        if self.dragging is None:
            return
        chosen = [self.dragging]
        self.dragging = self.row = self._before = None
        self.paused = False
        self._ask(self._solver.follow(dict(self.values), self.iterations, chosen), RESOLVE_SECONDS)

    # ---- What was done, taken back ----

    def undo(self) -> str | None:
        """Go back to before the last gesture; which it was, or None if there is none to take back."""
        return self._travel(self._history.undo)

    def redo(self) -> str | None:
        """Do again what was taken back last; which it was, or None if there is nothing."""
        return self._travel(self._history.redo)

    def _travel(self, there: Callable[[Snapshot], Entry[Snapshot] | None]) -> str | None:
        entry = None if self.holding else there(self._snapshot())
        if entry is None:
            return None
        gesture, state = entry
        self.values, self._start = dict(state.values), dict(state.start)
        self.optimizer = self._solver.optimizer = state.optimizer
        self.aim = None
        self.losses.clear()
        self.losses.extend(state.losses[:-1])  # the last of them is found again
        self.gradient = {}
        self._ask(self._solver.show(dict(self.values)), RESOLVE_SECONDS)
        self._only_newest = True
        return gesture

    def _snapshot(self) -> Snapshot:
        return Snapshot(dict(self.values), dict(self._start), self.optimizer, tuple(self.losses))

    # ---- Time ----

    def advance(self, elapsed: float) -> None:
        """Go on by one frame that lasts `elapsed` seconds."""
        self.receive()
        solving = self.phase in (Phase.COMPILING, Phase.SOLVING)
        self.waiting = self.waiting + elapsed if solving and not self.paused else 0.0
        if self.phase is Phase.SOLVING and not self.holding and not self.paused:
            self._solving_for += elapsed
            due = self.asked * self._solving_for / self._pace
            self._background.allow(max(self.iteration + 2.0, due + 1))
            self._solve.watched = self._solving_for > LONG_SECONDS
            if self.watching:
                if not self.time:
                    self._motion = self._best  # a better one waits until this has come to its end
                self._play(elapsed)
        elif self.phase in (Phase.PLAYING, Phase.FAILED) and not self.paused:
            self._play(elapsed)

    def receive(self) -> None:
        """Take what the solver has found since the last time."""
        for result in self._background.take():
            if result.solve is self._solve or not self._only_newest:
                self._receive(result)

    def picture(self) -> Picture | None:
        """The scene at this moment; None before there is any motion."""
        if self._motion is None:
            return None
        values = {**self.values, **self._motion.values} if self.watching else self.values
        try:
            self._picture = self.problem.picture(self._motion.trajectory, self.index, values)
        except Exception as error:
            self.fail(describe(error))
        return self._picture

    def fail(self, message: str) -> None:
        """Stop with this message, until the hand tries something else."""
        self.phase = Phase.FAILED
        self.message = message

    @property
    def index(self) -> int:
        """The step of the trajectory that is shown: while solving, if that is short, the first one, with the
        tracks, or else the last one."""
        if self.phase not in (Phase.PLAYING, Phase.FAILED) and not self.watching and not self.aim:
            return 0 if self.tracks else self.problem.steps
        return min(int(self.time / self.dt), self.problem.steps)

    @property
    def progress(self) -> float:
        """How much of the motion has been played, 0 to 1."""
        return self.index / max(self.problem.steps, 1)

    def _ask_plain(self) -> None:
        """Have the problem solved from the controls as they are, and from others if that is asked for."""
        solve = self._solver.plain(self.values, self.iterations, self.starts, self.seed)
        self._ask(solve, SOLVE_SECONDS)
        self.asked = (self.iterations + 1) * self.starts - 1

    def _ask(self, solve: Solve, pace: float, aim: Aim | None = None) -> None:
        """Have this solve made, which is to last `pace` seconds or longer; of a circle its moment is shown."""
        if self.aim and not aim:
            self.losses.clear()
        self.aim = aim
        self.asked, self.outcome = self.iterations, None
        self._solve, self._pace, self._solving_for = solve, pace, 0.0
        self._only_newest = False
        self.phase = Phase.SOLVING
        self.message = ""
        self.iteration = 0
        self.time = self.time if aim else 0.0
        self._best = None
        self._background.ask(solve, math.inf if self.dragging or aim else 1)

    def _receive(self, result: Result) -> None:
        self.waiting = 0.0
        self.losses.extend(result.losses)
        if result.motion and result.best:
            self._best = result.motion
        if result.motion and not (result.best and self.time):
            self._motion = result.motion
        if result.iterate:
            self._show(result.iterate)
        if result.solve is not self._solve:
            return
        self._only_newest = False
        if result.error:
            self.fail(result.error)
        elif result.finished and not self.holding:
            self.phase = Phase.PLAYING
            self._motion = self._best or self._motion
        else:
            self.phase = Phase.SOLVING
            self.iteration = result.iterate.iteration if result.iterate else 0

    def _show(self, iterate: Iterate) -> None:
        """Take over the controls of an iterate, but for one that a hand holds."""
        mine = self.dragging if self.row is None else None
        found = {n: iterate.values[n] for n in self.problem.controls if n != mine}
        if self.dragging in found and self.row is not None:  # the hand has moved on meanwhile
            found[self.dragging] = found[self.dragging].copy()
            found[self.dragging][self.row] = self.values[self.dragging][self.row]
        self.values = {**self.values, **found}
        self.gradient = iterate.gradient
        lengths = [float(np.linalg.norm(g)) for g in iterate.gradient.values()]
        self.steepest = max(self.steepest, *lengths, 0.0)

    def _play(self, elapsed: float) -> None:
        self.time += elapsed * self.speed
        if self.time > self.problem.steps * self.dt + HOLD_SECONDS * self.speed:
            self.time = 0.0
