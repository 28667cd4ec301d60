"""A scene that is controlled while it moves: in each frame a plan from where it is, and the first step of it.

Whoever holds the frames adds pushes and moves goals; the plans (see mpc.py) make up for them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np

import rose_ad as ra

from ..errors import SceneError
from ..given import leaves
from ..scene.fields import near
from .curves import dotted
from .mpc import Mpc

if TYPE_CHECKING:
    from .problem import Arrays, Problem, Values


@dataclass(frozen=True)
class Frame:
    """A frame: the state after it, the controls (...) that were used, what the plan is to cost, the seconds
    that planning took, and the sweeps that were made."""

    state: Any
    controls: Arrays
    loss: float
    seconds: float
    sweeps: int


class ClosedLoop:
    """A problem in stages, moved on by `frame`, its plans within `milliseconds` each; see `Mpc`, which says
    what is raised. `state` is where it is, at first the scene's own start."""

    def __init__(
        self,
        problem: Problem,
        milliseconds: float = 8.0,
        *,
        clock: Callable[[], float] = perf_counter,
        **how: Any,
    ) -> None:
        self.problem = problem
        self.mpc = Mpc(problem, milliseconds, clock=clock, **how)
        self.state = problem.initial(problem.values)
        self._clock = clock
        self._step = ra.fn(self._trace_step)
        self.mpc.plan(self.state)  # so that what is compiled is, before the first frame
        self._moved(self.mpc.planned, problem.split({})[1])

    def _trace_step(self, state: Any, controls: Values, constants: Values) -> Any:
        return self.problem.bound(controls, constants).stepping(state)(state, 0)

    def _moved(self, plan: Arrays, constants: Values) -> Any:
        return self._step(self.state, plan, constants)

    def frame(self, values: Values | None = None) -> Frame:
        """Plan, and move on by a step; `values` are live fields that differ from the problem's. Raises
        OptimizeError where the motion from here is not finite."""
        start = self._clock()
        plan = self.mpc.plan(self.state, values)
        seconds = self._clock() - start
        self.state = self._moved(plan, self.problem.split(values or {})[1])
        used = {name: rows[0] for name, rows in plan.items()}
        return Frame(self.state, used, self.mpc.loss, seconds, self.mpc.made)

    def push(self, part: str, change: Any) -> None:
        """Add to a part of the state, such as rate. Raises SceneError for a part that it has not, and for a
        change that does not fit."""
        flat, structure = ra.flatten(self.state)
        names = {dotted(name): leaf for name, leaf in leaves(self.state, "")}
        if part not in names or np.asarray(names[part]).dtype.kind != "f":
            floats = [n for n, leaf in names.items() if np.asarray(leaf).dtype.kind == "f"]
            raise SceneError(
                f"the state of {self.problem.scene.name} has no {part!r} to push{near(part, floats)}"
            )
        pushed = np.asarray(names[part], float)
        if np.shape(change) not in ((), pushed.shape):
            raise SceneError(f"{part} has the shape {pushed.shape}, not {np.shape(change)}")
        whole = [pushed + change if leaf is names[part] else leaf for leaf in flat]
        self.state = ra.unflatten(structure, whole)
