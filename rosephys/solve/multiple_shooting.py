"""Multiple shooting: all states and controls are sought at once, and need to follow each other at the end only.

Each update is a step of sequential quadratic programming. Its quadratic program, with the exact second
derivatives of the Lagrangian, is solved by the sweep of optimal control (see ilqr.py) with the defects d =
f(x, u) - x_next in it, and controls stay within their bounds. The step is shortened until the merit falls, the
loss and the sum of all |d| at a price above that of any multiplier. With one step of the scene to a stage this
is direct transcription, the collocation of a scheme that is explicit.

Sources: Bock, Plitt, IFAC 1984; Giftthaler et al., A family of iterative Gauss-Newton shooting methods for
nonlinear optimal control, IROS 2018; Nocedal and Wright, Numerical optimization, 18.3, for the merit.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import count

import numpy as np

from ..errors import OptimizeError, SceneError
from .guard import cause
from .ilqr import MOST, lowered, raised, stages_of
from .iterate import Iterate, Task
from .problem import Arrays
from .stages import Floats, Run, Slopes, Stages
from .together import one_motion

ABOVE = 1.5  # times the largest multiplier: the price of a defect
SHARES = 2.0 ** -np.arange(20)  # of a step, tried in turn
SOME = 1e-4  # of what a step promises (Armijo)
SETTLED = 1e-12  # of the loss: what a step promises where the solve has ended
CLOSED = 1e-10  # the largest defect there


@dataclass(frozen=True)
class Shot:
    """States and controls, what follows on each stage less the next state (steps, n), the loss of all."""

    run: Run
    defects: Floats

    @property
    def off(self) -> float:
        """The sum of all defects."""
        return float(np.abs(self.defects).sum())


@dataclass(frozen=True)
class Step:
    """Changes of states (steps + 1, n) and of controls (steps, m); multipliers (steps, n)."""

    x: Floats
    u: Floats
    multipliers: Floats


def multiple_shooting(task: Task) -> Iterator[Iterate]:
    """The iterates. `violation` is the largest defect; the loss is that of the motion under the controls."""
    task = replace(task, problem=one_motion(task.problem))
    stages = stages_of(task.problem)
    constants = task.problem.split(task.start)[1]
    start = stages.first(task.start)
    if start.others:
        raise SceneError(
            f"multiple-shooting needs a state of floats: that of {task.problem.scene.name} has others"
        )
    if not math.isfinite(start.loss):
        raise OptimizeError(
            f"the loss is {start.loss} after 0 updates: {cause(task.problem, task.start)}"
        )
    now = _shot(stages, start, constants)
    slopes = stages.slopes(now.run, constants)
    stages.check(stages.gradient(slopes), {**task.start, **stages.controls(now.run.u)})
    multipliers, damping, price = _adjoint(stages, slopes), 0.0, 0.0
    for iteration in count():
        yield _iterate(task, stages, iteration, now)
        curves = stages.curvatures(now.run, multipliers, constants)
        found = None
        while found is None:
            step = _sweep(stages, now, slopes, curves, damping)
            if step is None:  # the Lagrangian is not convex here; the cost may be
                step = _sweep(stages, now, slopes, slopes.ll, damping)
            if step is not None:
                price = max(price / 2, ABOVE * float(np.abs(step.multipliers).max(initial=0.0)))
                slope = _slope(slopes, step) - price * now.off
                if abs(slope) <= SETTLED * (1 + abs(now.run.loss)) and now.off <= CLOSED:
                    return
                found = _searched(stages, now, step, slope, price, constants)
            damping = lowered(damping) if found else raised(damping)
            if damping > MOST:
                return
        now, multipliers = found
        slopes = stages.slopes(now.run, constants)


def _shot(stages: Stages, run: Run, constants: Arrays) -> Shot:
    ahead, loss = stages.ahead(run, constants)
    return Shot(replace(run, loss=loss), ahead - run.x[1:])


def _adjoint(stages: Stages, slopes: Slopes) -> Floats:
    """Multipliers (steps, n) by the adjoint equation: what a change of each next state costs."""
    found = np.empty((len(slopes.l), stages.n))
    price = slopes.end
    for t in reversed(range(len(found))):
        found[t] = price
        price = (slopes.l[t] + price @ slopes.f[t])[: stages.n]
    return found


def _slope(slopes: Slopes, step: Step) -> float:
    """The derivative of the loss along a step."""
    z = np.concatenate([step.x[:-1], step.u], axis=1)
    return float(np.sum(slopes.l * z) + slopes.end @ step.x[-1])


def _sweep(
    stages: Stages, now: Shot, slopes: Slopes, curves: Floats, damping: float
) -> Step | None:
    """The solution of the quadratic program; None where it takes more damping to have one."""
    found = stages.sweep(now.run, slopes, curves, damping, now.defects)
    if not found.good:
        return None
    x, u = np.zeros_like(now.run.x), np.zeros_like(now.run.u)
    low, high = stages.low - now.run.u, stages.high - now.run.u
    for t in range(len(u)):
        u[t] = np.minimum(np.maximum(found.change[t] + found.feedback[t] @ x[t], low[t]), high[t])
        x[t + 1] = slopes.f[t] @ np.concatenate([x[t], u[t]]) + now.defects[t]
    multipliers = found.slope + (found.curve @ x[1:, :, None])[:, :, 0]
    return Step(x, u, multipliers) if np.isfinite(x).all() else None


def _searched(
    stages: Stages, now: Shot, step: Step, slope: float, price: float, constants: Arrays
) -> tuple[Shot, Floats] | None:
    """The states and controls some share of a step on, and the multipliers there; None where none helps."""
    merit = now.run.loss + price * now.off
    for share in SHARES:
        moved = replace(now.run, x=now.run.x + share * step.x, u=now.run.u + share * step.u)
        trial = _shot(stages, moved, constants)
        reached = trial.run.loss + price * trial.off
        if math.isfinite(reached) and reached <= merit + SOME * share * min(slope, 0.0):
            return (trial, step.multipliers) if reached < merit else None
    return None


def _iterate(task: Task, stages: Stages, iteration: int, now: Shot) -> Iterate:
    values = {**task.start, **stages.controls(now.run.u)}
    loss, gradient = task.problem.value_and_gradient(values)
    return Iterate(iteration, loss, values, gradient, float(np.abs(now.defects).max(initial=0.0)))
