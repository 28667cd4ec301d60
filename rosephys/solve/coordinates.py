"""The controls of a problem as one array, in units of their rates, for optimisers that want it so."""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import closing
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from ..errors import OptimizeError
from .constraints import flat, place, violation, worst
from .iterate import Iterate, Task, check, evaluated
from .problem import Arrays

Floats = NDArray[np.float64]
T = TypeVar("T")


class Point(NamedTuple):
    """An x (n,), the loss there, its gradient (n,), and by how much constraints are off."""

    x: Floats
    loss: float
    gradient: Floats
    violation: float = 0.0


class Coordinates:
    """x (n,) is every number of every control, over the rate times the control's own rate; it begins at `x`,
    and lies between `low` and `high` (n,), which may be infinite."""

    def __init__(self, task: Task) -> None:
        self.problem, self._start = task.problem, task.start
        fields, self._names = task.problem.scene.fields, task.problem.controls
        self._sizes = np.array([task.start[n].size for n in self._names], int)
        self._ends = np.cumsum(self._sizes, dtype=int)
        rates = [task.rate * fields[n].rate for n in self._names]
        self._unit = np.repeat(np.array(rates, float), self._sizes)
        bounds = [fields[n].bounds or (-math.inf, math.inf) for n in self._names]
        self.low, self.high = (
            np.repeat(np.array([b[k] for b in bounds], float), self._sizes) / self._unit
            for k in (0, 1)
        )
        self.x = self._joined(task.start) / self._unit
        self.iteration = 0  # updates that have been made, to be told where one fails
        self._known: dict[str, tuple[Floats, Any]] = {}

    def values(self, x: Floats) -> Arrays:
        """All values there."""
        return {**self._start, **self._parted(x * self._unit)}

    def evaluate(self, x: Floats) -> tuple[float, Floats]:
        """The loss and its gradient (n,). The loss may be not finite; raises OptimizeError where the gradient
        alone is not, and where the model has no room."""
        return self._once("loss", x, self._evaluated)

    def _evaluated(self, x: Floats) -> tuple[float, Floats]:
        values = self.values(x)
        loss, gradient = evaluated(self.problem, self.iteration, values)
        if math.isfinite(loss):
            check(self.problem, self.iteration, values, loss, gradient)
        return loss, self._joined(gradient) * self._unit

    def _once(self, what: str, x: Floats, compute: Callable[[Floats], T]) -> T:
        """What is computed there, or was the last time: who asks for one thing asks for others there too."""
        if what not in self._known or not np.array_equal(self._known[what][0], x):
            self._known[what] = x.copy(), compute(x)
        found: T = self._known[what][1]
        return found

    def point(self, x: Floats) -> Point:
        """The point there."""
        loss, gradient = self.evaluate(x)
        return Point(x, loss, gradient, violation(self.problem, self.values(x)))

    def losses(self, xs: Floats) -> Floats:
        """The losses (k,) at several xs (k, n), computed side by side."""
        parted = [self._parted(x * self._unit) for x in xs]
        batch = {n: np.stack([part[n] for part in parted]) for n in self._names}
        return np.asarray(self.problem.losses(self._start, batch))

    def rows(self, chosen: Mapping[str, NDArray[np.bool_]]) -> NDArray[np.bool_]:
        """Which numbers are in the rows that are chosen of controls, each (k,) by its name."""
        out = {n: np.zeros(self._start[n].shape, bool) for n in self._names}
        for name, rows in chosen.items():
            out[name][rows] = True
        return np.concatenate([np.zeros(0, bool), *(np.ravel(out[n]) for n in self._names)])

    def free(self, at: Point) -> NDArray[np.bool_]:
        """Which numbers may move down the gradient: not those that it pushes against a bound."""
        pushed = (at.x <= self.low) & (at.gradient > 0) | (at.x >= self.high) & (at.gradient < 0)
        return np.asarray(~pushed)

    def hessian_product(self, x: Floats, direction: Floats) -> Floats:
        """The second derivatives of the loss times a direction (n,). Raises OptimizeError where they are not
        finite."""
        way = self._parted(direction * self._unit)
        return self._curved("loss", self.problem.hessian_product(self.values(x), way))

    def _curved(self, what: str, product: Arrays) -> Floats:
        found = np.asarray(self._joined(product) * self._unit)
        if not np.isfinite(found).all():
            raise OptimizeError(
                f"the second derivative of the {what} is not finite after {self.iteration} updates: take an"
                " optimiser that needs none, as lbfgs or slsqp"
            )
        return found

    def constraints(self, x: Floats) -> tuple[Floats, Floats, Floats]:
        """The numbers of all constraints, their lows and their highs, each (m,). Raises OptimizeError where one
        is not finite."""
        return self._once("constraints", x, self._constraints)

    def _constraints(self, x: Floats) -> tuple[Floats, Floats, Floats]:
        found = flat(self.problem, self.values(x))
        if not np.isfinite(found[0]).all():
            off = worst(self.problem, self.values(x))
            raise OptimizeError(f"{off.words if off else ''}, after {self.iteration} updates")
        return found

    def constraint_derivatives(self, x: Floats) -> Floats:
        """Their derivatives (m, n). Raises OptimizeError where one is not finite."""
        return self._once("slopes", x, self._constraint_derivatives)

    def _constraint_derivatives(self, x: Floats) -> Floats:
        values = self.values(x)
        rows = self._rows(self.problem.constraint_derivatives(values))
        lost = np.flatnonzero(~np.isfinite(rows).all(axis=1))
        if lost.size:
            which = place(self.problem, values, int(lost[0]))
            raise OptimizeError(
                f"the derivative of the constraint {which} is not finite, after {self.iteration} updates"
            )
        return rows

    def constraint_hessian_product(self, x: Floats, weights: Floats, direction: Floats) -> Floats:
        """The second derivatives of their sum, weighed by (m,), times a direction (n,). Raises OptimizeError
        where they are not finite."""
        way = self._parted(direction * self._unit)
        found = self.problem.constraint_hessian_product(self.values(x), weights, way)
        return self._curved("constraints", found)

    def residuals(self, x: Floats) -> tuple[Floats, Floats]:
        """The residuals (m,), and their derivatives (m, n)."""
        values = self.values(x)
        slopes = self._rows(self.problem.residual_derivatives(values))
        return self.problem.residuals(values), slopes

    def iterates(self, points: Generator[Point]) -> Iterator[Iterate]:
        """Points as iterates. Raises OptimizeError at one whose loss or gradient is not finite."""
        with closing(points):
            for self.iteration, at in enumerate(points):
                values, gradient = self.values(at.x), self._parted(at.gradient / self._unit)
                check(self.problem, self.iteration, values, at.loss, gradient)
                yield Iterate(self.iteration, at.loss, values, gradient, at.violation)

    def _rows(self, slopes: Arrays) -> Floats:
        """Derivatives (m, ...) in each control, as (m, n)."""
        found = (slopes[n] for n in self._names)
        parts = [s.reshape(len(s), math.prod(s.shape[1:])) for s in found]  # m may be 0
        return np.asarray(np.concatenate(parts, axis=1) * self._unit)

    def _joined(self, arrays: Arrays) -> Floats:
        return np.concatenate([np.zeros(0), *(np.ravel(arrays[n]) for n in self._names)])

    def _parted(self, x: Floats) -> Arrays:
        places = zip(self._names, self._sizes, self._ends, strict=True)
        return {n: x[end - size : end].reshape(self._start[n].shape) for n, size, end in places}
