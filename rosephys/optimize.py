"""Finding controls by descent along the gradient.

gd          x <- x - rate * g
normalized  x <- x - rate * g / (|g| + 1e-6), |g| the norm over all controls: steps of one length, which suit
            losses whose slope says little about how far to go
adam        Kingma & Ba, "Adam: a method for stochastic optimization", ICLR 2015, with their constants
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from .problem import Arrays, Problem
from .scene import Scene

Direction = Callable[[int, Arrays], Arrays]


class OptimizeError(Exception):
    """A descent that cannot go on; what it had found so far has been yielded."""


@dataclass(frozen=True)
class Iterate:
    """One evaluation: `iteration` updates have been made."""

    iteration: int
    loss: float
    values: Arrays
    gradient: Arrays


def _gradient_descent() -> Direction:
    return lambda _, gradient: gradient


def _normalized() -> Direction:
    def direction(_: int, gradient: Arrays) -> Arrays:
        norm = math.sqrt(sum(float(np.vdot(g, g)) for g in gradient.values()))
        return {n: g / (norm + 1e-6) for n, g in gradient.items()}

    return direction


def _adam(beta1: float = 0.9, beta2: float = 0.999, epsilon: float = 1e-8) -> Direction:
    mean: Arrays = {}
    square: Arrays = {}

    def direction(iteration: int, gradient: Arrays) -> Arrays:
        out = {}
        for n, g in gradient.items():
            mean[n] = beta1 * mean.get(n, np.zeros_like(g)) + (1 - beta1) * g
            square[n] = beta2 * square.get(n, np.zeros_like(g)) + (1 - beta2) * g * g
            m = mean[n] / (1 - beta1 ** (iteration + 1))
            s = square[n] / (1 - beta2 ** (iteration + 1))
            out[n] = m / (np.sqrt(s) + epsilon)
        return out

    return direction


OPTIMIZERS: dict[str, Callable[[], Direction]] = {
    "gd": _gradient_descent,
    "normalized": _normalized,
    "adam": _adam,
}


def descend(
    problem: Problem,
    *,
    iterations: int,
    rate: float,
    optimizer: str = "gd",
    values: Mapping[str, Any] | None = None,
) -> Iterator[Iterate]:
    """Iterates from `values` (the problem's own, if None): the start, then one after each update.

    A control's step is `rate` times its own rate; controls are kept within their bounds. Raises
    OptimizeError where the loss or the gradient is not finite, ValueError for an unknown optimiser.
    """
    if optimizer not in OPTIMIZERS:
        raise ValueError(f"{optimizer!r} is not one of {', '.join(OPTIMIZERS)}")
    direction = OPTIMIZERS[optimizer]()
    now: Arrays = {n: np.array(v, float) for n, v in (values or problem.values).items()}
    for iteration in range(iterations + 1):
        loss, gradient = problem.value_and_gradient(now)
        _check_finite(iteration, loss, gradient)
        yield Iterate(iteration, loss, now, gradient)
        now = _stepped(problem.scene, now, direction(iteration, gradient), rate)


def _stepped(scene: Scene, values: Arrays, direction: Arrays, rate: float) -> Arrays:
    out = dict(values)
    for n, d in direction.items():
        f = scene.fields[n]
        moved = values[n] - rate * f.rate * d
        out[n] = moved if f.bounds is None else np.clip(moved, *f.bounds)
    return out


def _check_finite(iteration: int, loss: float, gradient: Arrays) -> None:
    if not math.isfinite(loss):
        raise OptimizeError(
            f"the loss is {loss} after {iteration} updates; a smaller rate may help"
        )
    for n, g in gradient.items():
        if not np.all(np.isfinite(g)):
            raise OptimizeError(f"the gradient in {n} is not finite after {iteration} updates")
