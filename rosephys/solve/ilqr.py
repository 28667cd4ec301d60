"""Optimal control by sweeps: the iterative linear-quadratic regulator, and differential dynamic programming.

A sweep (riccati.py) finds the change of control k, and the feedback K on a change of state, that are best for a
quadratic model of each stage: of its cost for iLQR, of its cost and V_x f for DDP.
A run under u + α k + K (x - x̄), for several α side by side, is the next motion, if its loss is less. Where
Q_uu is not positive, or no run helps, a multiple of the unit matrix is added to it.

Sources: Jacobson, Mayne, Differential dynamic programming, 1970; Li, Todorov, ICINCO 2004; Tassa, Erez,
Todorov, IROS 2012, for the regularisation; Tassa, Mansard, Todorov, ICRA 2014, for limits of controls.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import count

import numpy as np

from ..errors import OptimizeError
from .guard import cause
from .iterate import Iterate, Solver, Task
from .problem import Arrays, Problem
from .stages import Floats, Run, Slopes, Stages
from .together import one_motion

SHARES: Floats = 2.0 ** -np.arange(16, dtype=np.float64)  # α, of which the best is taken
LEAST, MOST, FACTOR = 1e-9, 1e12, 4.0  # damping: below the least there is none
SETTLED = 1e-14  # of the loss: what a sweep promises where the solve has ended


def sweeping(exact: bool) -> Solver:
    """The solver by sweeps; `exact` with the second derivatives of the dynamics, which is DDP."""

    def solver(task: Task) -> Iterator[Iterate]:
        task = replace(task, problem=one_motion(task.problem))
        stages = stages_of(task.problem)
        constants = task.problem.split(task.start)[1]
        now = stages.first(task.start)
        if not math.isfinite(now.loss):
            why = cause(task.problem, task.start)
            raise OptimizeError(f"the loss is {now.loss} after 0 updates: {why}")
        slopes = stages.slopes(now, constants)
        gradient = stages.gradient(slopes)
        stages.check(gradient, {**task.start, **stages.controls(now.u)})
        damping = 0.0
        for iteration in count():
            yield _iterate(task, stages, iteration, now, gradient)
            found, damping = improved(stages, now, slopes, damping, constants, exact)
            if found is None:
                if exact and damping > MOST:
                    _check_curvatures(stages, now, constants)
                return
            now = found
            slopes = stages.slopes(now, constants)
            gradient = stages.gradient(slopes)

    return solver


def _check_curvatures(stages: Stages, run: Run, constants: Arrays) -> None:
    """Raise OptimizeError where no sweep was of use for second derivatives of the steps that are not finite."""
    curves = stages.curvatures(run, np.ones((len(run.u), stages.n)), constants)
    lost = np.flatnonzero(~np.isfinite(curves).all(axis=(1, 2)))
    if lost.size:
        raise OptimizeError(f"the second derivative of `step` is not finite at step {lost[0]}")


def improved(
    stages: Stages,
    run: Run,
    slopes: Slopes,
    damping: float,
    constants: Arrays,
    exact: bool,
    over: Callable[[], bool] = lambda: False,
) -> tuple[Run | None, float]:
    """A run of a smaller loss, by a sweep and runs under what it finds, with more damping until there is
    one or it is `over`, None where there is none; and the damping to begin the next with."""
    while damping <= MOST:
        if exact:
            policy = stages.exact_sweep(run, slopes, damping, constants)
        else:
            policy = stages.sweep(run, slopes, slopes.ll, damping)
        if policy.good:
            if policy.promised <= SETTLED * (1 + abs(run.loss)):
                return None, damping
            found = stages.runs(run, policy.change, policy.feedback, SHARES, constants)
            best = min(found, key=lambda r: r.loss if math.isfinite(r.loss) else math.inf)
            if best.loss < run.loss:
                return best, lowered(damping)
        damping = raised(damping)
        if over():
            break
    return None, damping


def stages_of(problem: Problem) -> Stages:
    """The stages of a problem, compiled once."""
    if "stages" not in problem.derived:
        problem.derived["stages"] = Stages(problem)
    found: Stages = problem.derived["stages"]
    return found


def raised(damping: float) -> float:
    """More damping."""
    return max(FACTOR * damping, LEAST)


def lowered(damping: float) -> float:
    """Less damping."""
    return damping / FACTOR if damping > FACTOR * LEAST else 0.0


def _iterate(task: Task, stages: Stages, iteration: int, run: Run, gradient: Floats) -> Iterate:
    values = {**task.start, **stages.controls(run.u)}
    return Iterate(iteration, run.loss, values, stages.controls(gradient))
