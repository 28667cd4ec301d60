"""Constraints as costs with multipliers, which make any optimiser keep them.

To minimise f where low <= g <= high, a descent finds the minimum of

    f + Σ ψ(g),    ψ(g) = ρ/2 (g + λ/ρ - s)² - λ²/(2 ρ),    s = g + λ/ρ brought between low and high

for given multipliers λ and penalty ρ; then λ <- ρ (g + λ/ρ - s). Where the constraints are not off by much less
than before, ρ grows. Along the way ψ is a cost per unit of time, so that λ is a function of time.

Sources: Hestenes, JOTA 4, 1969; Powell 1969; Rockafellar, JOTA 12, 1973; the first penalty is that of Birgin
and Martínez, Practical augmented Lagrangian methods, SIAM 2014; its growth that of Nocedal and Wright,
Numerical optimization, 17.4.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import count, islice
from typing import Any

import numpy as np

import rose_ad as ra

from ..constraint import Constraint
from ..scene.contract import Contract
from ..scene.scene import Scene, constrained
from .constraints import violation
from .iterate import Iterate, Solver, Task, check, evaluated
from .problem import Arrays, Problem, Stated, Values

INNER = 500  # updates of a descent at most
LESS = 0.25  # of what they were off before: constraints that are off by more get a greater penalty
GROWTH = 10.0  # of the penalty
LARGEST = 1e10  # penalty; beyond it rounding is all that is left
SETTLED = 1e-10  # by how much the loss still changes, of itself, where the solve has ended
EXACT = 1e-9  # by which constraints may be off there

PENALTY = (
    "penalty"  # what is among the values of a Lagrangian, beside the multipliers of each constraint
)


def where_constrained(inner: Solver) -> Solver:
    """The solver itself, and `with_multipliers` where there are constraints."""
    priced = with_multipliers(inner)
    return lambda task: (priced if constrained(task.problem.scene) else inner)(task)


def with_multipliers(inner: Solver) -> Solver:
    """The solver whose update is a descent by `inner` with the multipliers as they are, and then new ones."""

    def solver(task: Task) -> Iterator[Iterate]:
        derived = task.problem.derived
        if "lagrangian" not in derived:  # compiled once
            derived["lagrangian"] = Lagrangian(task.problem)
        lagrangian: Lagrangian = derived["lagrangian"]
        now, prices = task.start, lagrangian.first(task.start)
        off, loss = np.inf, np.nan
        for iteration in count():
            here = _iterate(task.problem, iteration, now)
            yield here
            if here.violation <= EXACT and abs(here.loss - loss) <= SETTLED * (1 + abs(loss)):
                return
            loss = here.loss
            start = {**now, **prices}
            *_, last = islice(inner(replace(task, problem=lagrangian, start=start)), INNER + 1)
            now = {name: last.values[name] for name in task.start}
            prices = lagrangian.updated(now, prices)
            before, off = off, violation(task.problem, now)
            if off > max(LESS * before, EXACT) and prices[PENALTY] < LARGEST:
                prices[PENALTY] = prices[PENALTY] * GROWTH

    return solver


def _iterate(problem: Problem, iteration: int, values: Arrays) -> Iterate:
    loss, gradient = evaluated(problem, iteration, values)
    check(problem, iteration, values, loss, gradient)
    return Iterate(iteration, loss, values, gradient, violation(problem, values))


class Lagrangian(Problem):
    """A problem without constraints: what they are off by is in the loss, at the price of their multipliers,
    which are among its values."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.scene)
        self._problem = problem
        self.values = {**problem.values, **self.first(problem.values)}

    def constraints(self, values: Values) -> Stated:
        """None."""
        return (), ()

    def first(self, values: Values) -> Arrays:
        """Multipliers of zero, and the first penalty."""
        stated = self._problem.constraints(values)
        prices: Arrays = {
            name: np.zeros(np.shape(c.value))
            for name, c in zip(_names(stated), sum(stated, ()), strict=True)
        }
        loss, off = abs(self._problem.loss(values)), violation(self._problem, values)
        penalty = 10 * max(1.0, loss) / max(1.0, off**2 / 2)
        return {**prices, PENALTY: np.array(float(np.clip(penalty, 1e-8, 1e8)))}

    def updated(self, values: Values, prices: Arrays) -> Arrays:
        """The multipliers after a descent that has come to these values; the penalty stays."""
        stated = self._problem.constraints(values)
        penalty = prices[PENALTY]
        new = {
            name: np.asarray(penalty * _excess(c, prices[name], penalty, np.clip))
            for name, c in zip(_names(stated), sum(stated, ()), strict=True)
        }
        return {**new, PENALTY: penalty}

    def bound(self, controls: Values, constants: Values) -> Contract:
        fields = self._problem.values.keys()
        own = {name: value for name, value in {**constants, **controls}.items() if name in fields}
        prices = {name: value for name, value in constants.items() if name not in fields}
        return _Priced(self.scene.bound(own), prices, self.steps)


class _Priced(Contract):
    """A scene whose constraints have become costs."""

    def __init__(self, scene: Scene, prices: Values, steps: int) -> None:
        super().__init__(scene)
        self._prices, self._steps = prices, steps

    @property
    def costed(self) -> bool:
        return True

    def cost(self, state: Any, t: Any) -> Any:
        paid = super().cost(state, t) if super().costed else 0.0
        return paid + self._price_along(state, t, t)

    def loss(self, final: Any) -> Any:
        last = self._price_along(final, max(self._steps - 1, 0), self._steps)
        end = self._price(self.end_constraints(final), _END, lambda prices: prices)
        return super().loss(final) + end + self.dt * last

    def _price_along(self, state: Any, t: Any, row: Any) -> Any:
        return self._price(self.constraints(state, t), _ALONG, lambda prices: prices[row])

    def _price(self, stated: tuple[Constraint, ...], when: str, at: Any) -> Any:
        total, penalty = 0.0, self._prices[PENALTY]
        for k, constraint in enumerate(stated):
            multipliers = at(self._prices[f"{when} {k}"])
            off = _excess(constraint, multipliers, penalty, ra.clip)
            total = total + ra.sum(0.5 * penalty * off * off - multipliers**2 / (2 * penalty))
        return total


_ALONG, _END = "multipliers along", "multipliers at the end"


def _names(stated: Stated) -> list[str]:
    """The names that the multipliers of constraints have among the values."""
    both = zip((_ALONG, _END), stated, strict=True)
    return [f"{when} {k}" for when, those in both for k in range(len(those))]


def _excess(constraint: Constraint, multipliers: Any, penalty: Any, clip: Any) -> Any:
    """g + λ/ρ - s"""
    moved = constraint.value + multipliers / penalty
    return moved - clip(moved, constraint.low, constraint.high)
