"""A circle of the picture, taken by a hand at any step, brought to where the hand is.

p is where the circle is drawn after that many steps, J its derivative in the controls, the loss |p - goal|².
A step is the least that brings p to the goal to first order, damped:

    δ = -R Jᵀ (J R Jᵀ + μ tr(J R Jᵀ) I)⁻¹ (p - goal)

with R the rates of the controls, which say how far each moves beside the others. What would leave its bounds
stays at them. μ falls by steps that help and rises by those that do not.

Sources: Levenberg 1944; Marquardt, SIAM J. Appl. Math. 11, 1963; in the form for more unknowns than equations,
the damped least squares of inverse kinematics, Nakamura and Hanafusa, J. Dyn. Sys. Meas. Control 108, 1986.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

import rose_ad as ra

from ..scene.circles import centres
from .iterate import Iterate

if TYPE_CHECKING:
    from .problem import Arrays, Problem, Values

FIRST, LEAST, MOST = 1e-3, 1e-6, 1e6  # damping; beyond the most, a step is none
FALL, RISE = 3.0, 4.0  # by which it changes
ENOUGH = 1e-4  # of the loss: a hardly damped step that gains less is the last
FITS = 4  # times that a step is found anew without what it took to a bound

Floats = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Aim:
    """Where a circle is to be: its number in the picture, after how many steps, and a point of the world."""

    circle: int
    step: int
    goal: tuple[float, float]


class Reacher:
    """A problem and its circles, and what is kept from one aim to the next: the damping."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self._damping = FIRST
        self._along = ra.value_and_grad(ra.fn(self._trace_along), has_aux=True)

    def place(self, values: Values, circle: int, step: int) -> tuple[Floats, Arrays]:
        """Where a circle is drawn after so many steps, (2,), and the derivative of that in each control,
        (2, *control's)."""
        controls, constants = self.problem.split(values)
        found = [self._along(controls, constants, step, circle, axis) for axis in np.eye(2)]
        (_, place), _ = found[0]
        rows = [row for _, row in found]
        return np.asarray(place), {n: np.stack([row[n] for row in rows]) for n in controls}

    def reach(self, values: Values, aim: Aim, iterations: int) -> Iterator[Iterate]:
        """These values, and then better ones, until none helps; their loss is the squared distance.

        What is not finite is no help. Raises what the scene raises.
        """
        now, miss, slopes = self._at(0, self.problem.complete(values), aim)
        yield now
        while now.iteration < iterations and 0 < now.loss < np.inf and self._damping < MOST:
            moved = self._moved(now.values, miss, slopes)
            if all(np.array_equal(moved[n], now.values[n]) for n in slopes):
                break
            trial = self._at(now.iteration + 1, moved, aim)
            gained = now.loss - trial[0].loss
            if not gained > 0:
                self._damping *= RISE
                continue
            last = gained < ENOUGH * now.loss and self._damping <= FIRST
            self._damping = max(self._damping / FALL, LEAST)
            now, miss, slopes = trial
            yield now
            if last:
                break
        self._damping = min(self._damping, FIRST)

    @np.errstate(over="ignore", invalid="ignore")
    def _at(self, iteration: int, values: Arrays, aim: Aim) -> tuple[Iterate, Floats, Arrays]:
        place, slopes = self.place(values, aim.circle, aim.step)
        miss = place - aim.goal
        loss = float(miss @ miss)
        gradient = {n: 2 * np.tensordot(miss, rows, 1) for n, rows in slopes.items()}
        good = np.isfinite(loss) and all(np.isfinite(rows).all() for rows in slopes.values())
        return Iterate(iteration, loss if good else np.inf, values, gradient), miss, slopes

    @np.errstate(over="ignore", invalid="ignore")
    def _moved(self, values: Arrays, miss: Floats, slopes: Arrays) -> Arrays:
        """The values one step on, within their bounds: what it takes beyond them ends at them, and the rest
        makes up for it."""
        fields = self.problem.scene.fields
        free = {n: np.ones_like(rows[0]) for n, rows in slopes.items()}
        moved = {n: values[n] for n in slopes}
        for _ in range(FITS):
            bound = {n: (1 - free[n]) * (moved[n] - values[n]) for n in slopes}
            left = miss + sum(slopes[n].reshape(2, -1) @ bound[n].ravel() for n in slopes)
            rated = {n: fields[n].rate * free[n] * rows for n, rows in slopes.items()}
            pull = self._pull(left, slopes, rated)
            steps = {n: bound[n] - np.tensordot(pull, rows, 1) for n, rows in rated.items()}
            moved = self.problem.within({n: values[n] + steps[n] for n in slopes})
            held = {n: free[n] * (moved[n] == values[n] + steps[n]) for n in slopes}
            if all(np.array_equal(held[n], free[n]) for n in slopes):
                break
            free = held
        return {**values, **moved}

    def _pull(self, miss: Floats, slopes: Arrays, rated: Arrays) -> Floats:
        """(J R Jᵀ + μ tr(J R Jᵀ) I)⁻¹ (p - goal), which is nothing where no control moves the circle."""
        square = sum(
            (slopes[n].reshape(2, -1) @ rated[n].reshape(2, -1).T for n in slopes), np.zeros((2, 2))
        )
        size = float(np.trace(square))
        if not 0 < size < np.inf:
            return np.zeros(2)
        return np.linalg.solve(square + self._damping * size * np.eye(2), miss)

    def _trace_along(
        self, controls: Values, constants: Values, step: Any, circle: Any, direction: Any
    ) -> tuple[Any, Any]:
        """The place along a direction, and the place."""
        scene = self.problem.bound(controls, constants)
        steps = ra.minimum(step, self.problem.steps)
        state = self.problem.after(scene, scene.initial(), steps)
        place = centres(scene.picture(state))[circle]
        return ra.dot(direction, place), place
