"""Optimal control by sweeps: the iterative linear-quadratic regulator, and differential dynamic programming.

A sweep from the last stage to the first finds the change of control, and the feedback on a change of state,
that are best for a quadratic model of the cost to go V:

    Q_zz = l_zz + f_zᵀ V_xx f_z  (+ V_x f_zz for DDP),    Q_z = l_z + f_zᵀ V_x
    k = argmin over the box of k Q_u + k Q_uu k / 2,      K = -Q_uu⁻¹ Q_ux for what is free
    V_x = Q_x + Kᵀ Q_uu k + Kᵀ Q_u + Q_uxᵀ k,             V_xx = Q_xx + Kᵀ Q_uu K + Kᵀ Q_ux + Q_uxᵀ K

A run under u + α k + K (x - x̄), for several α side by side, is the next motion, if its loss is less. Where
Q_uu is not positive, or no run helps, a multiple of the unit matrix is added to it.

Sources: Jacobson, Mayne, Differential dynamic programming, 1970; Li, Todorov, ICINCO 2004; Tassa, Erez,
Todorov, IROS 2012, for the regularisation; Tassa, Mansard, Todorov, ICRA 2014, for limits of controls.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count

import numpy as np

from ..errors import OptimizeError
from .box import box_minimum
from .guard import cause
from .iterate import Iterate, Solver, Task
from .problem import Arrays
from .stages import Floats, Run, Slopes, Stages

SHARES: Floats = 2.0 ** -np.arange(16, dtype=np.float64)  # α, of which the best is taken
LEAST, MOST, FACTOR = 1e-9, 1e12, 4.0  # damping: below the least there is none
SETTLED = 1e-14  # of the loss: what a sweep promises where the solve has ended


@dataclass(frozen=True)
class Policy:
    """What a sweep finds: changes (steps, m), feedback (steps, m, n), and by how much they lower the loss."""

    change: Floats
    feedback: Floats
    promised: float


def sweeping(exact: bool) -> Solver:
    """The solver by sweeps; `exact` with the second derivatives of the dynamics, which is DDP."""

    def solver(task: Task) -> Iterator[Iterate]:
        stages = stages_of(task)
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
            found = None
            while found is None:
                policy = sweep(stages, now, slopes, damping, constants, exact)
                if policy and policy.promised <= SETTLED * (1 + abs(now.loss)):
                    return
                found = _forward(stages, now, policy, constants) if policy else None
                damping = lowered(damping) if found else raised(damping)
                if damping > MOST:
                    return
            now = found
            slopes = stages.slopes(now, constants)
            gradient = stages.gradient(slopes)

    return solver


def stages_of(task: Task) -> Stages:
    """The stages of a task's problem, compiled once."""
    derived = task.problem.derived
    if "stages" not in derived:
        derived["stages"] = Stages(task.problem)
    found: Stages = derived["stages"]
    return found


def raised(damping: float) -> float:
    """More damping."""
    return max(FACTOR * damping, LEAST)


def lowered(damping: float) -> float:
    """Less damping."""
    return damping / FACTOR if damping > FACTOR * LEAST else 0.0


def sweep(
    stages: Stages, run: Run, slopes: Slopes, damping: float, constants: Arrays, exact: bool
) -> Policy | None:
    """What is best about a run; None where it takes more damping to be known."""
    n = stages.n
    change, feedback = np.zeros_like(run.u), np.zeros((*run.u.shape, n))
    slope, curve, promised = slopes.end, slopes.ends, 0.0
    for t in reversed(range(len(run.u))):
        f = slopes.f[t]
        q = slopes.l[t] + slope @ f
        own = stages.curvature(run, t, slope, constants) if exact else slopes.ll[t]
        qq = own + f.T @ curve @ f
        qu, quu, qux = q[n:], qq[n:, n:], qq[n:, :n]
        damped = quu + damping * np.eye(stages.m)
        limits = stages.low - run.u[t], stages.high - run.u[t]
        found = box_minimum(damped, qu, *limits)
        if found is None:
            return None
        k, free = found
        gain = np.zeros((stages.m, n))
        gain[free] = -np.linalg.solve(damped[np.ix_(free, free)], qux[free])
        promised -= float(k @ qu + k @ quu @ k / 2)
        slope = q[:n] + gain.T @ (quu @ k + qu) + qux.T @ k
        curve = qq[:n, :n] + gain.T @ quu @ gain + gain.T @ qux + qux.T @ gain
        curve = (curve + curve.T) / 2
        change[t], feedback[t] = k, gain
    return Policy(change, feedback, promised) if np.isfinite(promised) else None


def _forward(stages: Stages, run: Run, policy: Policy, constants: Arrays) -> Run | None:
    """The best run under a policy; None where no share of it helps."""
    found = stages.runs(run, policy.change, policy.feedback, SHARES, constants)
    best = min(found, key=lambda r: r.loss if math.isfinite(r.loss) else math.inf)
    return best if best.loss < run.loss else None


def _iterate(task: Task, stages: Stages, iteration: int, run: Run, gradient: Floats) -> Iterate:
    values = {**task.start, **stages.controls(run.u)}
    return Iterate(iteration, run.loss, values, stages.controls(gradient))
