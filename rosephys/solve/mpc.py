"""Model-predictive control: in each frame the best controls from the present state on, of which the first is
used.

A plan covers the scene's steps, counted from now. It begins with the plan of the frame before, moved on by a
step, and is made better by sweeps (ilqr.py) until nothing helps, or the time is up: one that is cut short is
still a plan that was run, within the limits of the controls.

Sources: Mayne, Rawlings, Rao, Scokaert, Automatica 36, 2000; Tassa, Erez, Todorov, IROS 2012, for the sweeps.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np

from ..asked import above_zero, whole
from ..errors import OptimizeError, SceneError
from ..scene.scene import constrained
from .ilqr import improved, stages_of
from .problem import check_problem
from .together import Together, one_motion

if TYPE_CHECKING:
    from .problem import Arrays, Problem, Values


class Mpc:
    """A controller of a scene in stages; see `Stages`.

    `milliseconds` is what a frame may take, by `clock`, which counts seconds: no sweep is begun that would end
    later, if it took as long as the one before. At least one is made, and at most `sweeps`, with second
    derivatives if it is `exact`. Of an `Ensemble` all members begin in the present state, and a plan is best in
    the mean. Raises SceneError for a scene that is not in stages, for one with constraints, which a plan would
    not keep, and for another risk than the mean.
    """

    def __init__(
        self,
        problem: Problem,
        milliseconds: float = 8.0,
        *,
        sweeps: int = 100,
        exact: bool = False,
        clock: Callable[[], float] = perf_counter,
    ) -> None:
        milliseconds = above_zero("milliseconds", milliseconds)
        sweeps = whole("sweeps", sweeps, least=1)
        if constrained(check_problem(problem).scene):
            raise SceneError(f"{problem.scene.name} has constraints, which a plan would not keep")
        self.problem = one_motion(problem)
        self.budget, self.sweeps, self.exact = milliseconds / 1000, sweeps, exact
        self.loss = math.nan  # of the present plan
        self.made = 0  # sweeps for it
        self.planned: Arrays = {}  # the present plan
        self._clock = clock
        self._stages = stages_of(self.problem)
        self._u = self._stages.rows(problem.values)
        self._damping = 0.0

    def plan(self, state: Any, values: Values | None = None) -> Arrays:
        """The controls of all steps from this state on, (steps, ...) by name; row 0 is for now.

        `values` are live fields that differ from the problem's, as a goal that moves does. Raises SceneError
        for what is no state of the scene, OptimizeError where the motion from there is not finite.
        """
        last = self._clock()
        end, took = last + self.budget, 0.0

        def over() -> bool:
            return self._clock() + took > end

        constants = self.problem.split(values or {})[1]
        stages = self._stages
        if isinstance(self.problem, Together):
            state = self.problem.all_in(state)
        run = stages.begun(state, np.clip(self._u, stages.low, stages.high), constants)
        if not math.isfinite(run.loss):  # the plan of before leads nowhere from here
            run = stages.begun(state, np.clip(0 * self._u, stages.low, stages.high), constants)
        if not math.isfinite(run.loss):
            raise OptimizeError(f"the loss is {run.loss} from this state on")
        self.made = 0
        while self.made < self.sweeps and not (self.made and last + took > end):
            how = stages.slopes(run, constants), self._damping, constants, self.exact, over
            found, self._damping = improved(stages, run, *how)
            self.made += 1
            now = self._clock()
            took, last = now - last, now
            if found is None:
                break
            run = found
        self._u = np.concatenate([run.u[1:], run.u[-1:]])
        self.loss = run.loss
        self.planned = stages.controls(run.u)
        return self.planned
