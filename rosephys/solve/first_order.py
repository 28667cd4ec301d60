"""Optimisers that go along the gradient.

gd          x <- x - rate * g
momentum    v <- 0.9 v + g, x <- x - rate * v (Polyak, USSR Comp. Math. 4, 1964)
normalized  x <- x - rate * g / (|g| + 1e-6), |g| the norm over all controls: steps of one length, which suit
            losses whose slope says little about how far to go
adam        Kingma & Ba, "Adam: a method for stochastic optimization", ICLR 2015, with their constants

Before that a gradient can be clipped to a length (Pascanu, Mikolov, Bengio, "On the difficulty of training
recurrent neural networks", ICML 2013): g is scaled by min(1, clip / (|g| + 1e-4)), |g| as above.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from itertools import count
from typing import TypeAlias

import numpy as np

from ..scene.scene import Scene
from .iterate import Iterate, Solver, Task, check, evaluated
from .problem import Arrays

Direction: TypeAlias = Callable[[int, Arrays], Arrays]
"""From the number of the iteration and the gradient to what the rate is multiplied with."""


def along(rule: Callable[[], Direction]) -> Solver:
    """The solver that steps along the directions of a rule, which is made anew for each solve."""

    def solver(task: Task) -> Iterator[Iterate]:
        direction, now = rule(), task.start
        for iteration in count():
            loss, gradient = evaluated(task.problem, iteration, now)
            check(task.problem, iteration, now, loss, gradient)
            yield Iterate(iteration, loss, now, gradient)
            way = direction(iteration, clipped(gradient, task.clip))
            now = stepped(task.problem.scene, now, way, task.rate * task.factor(iteration))

    return solver


def gradient_descent() -> Direction:
    """The gradient itself."""
    return lambda _, gradient: gradient


def momentum(decay: float = 0.9) -> Direction:
    """The sum of all gradients, each weighed by `decay` to the power of its age."""
    speed: Arrays = {}

    def direction(_: int, gradient: Arrays) -> Arrays:
        for n, g in gradient.items():
            speed[n] = decay * speed.get(n, np.zeros_like(g)) + g
        return dict(speed)

    return direction


def normalized() -> Direction:
    """The gradient at length 1."""

    def direction(_: int, gradient: Arrays) -> Arrays:
        norm = _length(gradient)
        return {n: g / (norm + 1e-6) for n, g in gradient.items()}

    return direction


def adam(beta1: float = 0.9, beta2: float = 0.999, epsilon: float = 1e-8) -> Direction:
    """The mean of recent gradients over the root of their mean square, number by number."""
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


def _length(gradient: Arrays) -> float:
    """The Euclidean norm over all controls together."""
    return math.sqrt(sum(float(np.vdot(g, g)) for g in gradient.values()))


def clipped(gradient: Arrays, clip: float) -> Arrays:
    """The gradient, shortened to the length `clip`."""
    if clip == math.inf:
        return gradient
    scale = min(1.0, clip / (_length(gradient) + 1e-4))
    return {n: scale * g for n, g in gradient.items()}


def stepped(scene: Scene, values: Arrays, direction: Arrays, rate: float) -> Arrays:
    """The values after a step of the rate against a direction, within bounds."""
    out = dict(values)
    for n, d in direction.items():
        f = scene.fields[n]
        moved = values[n] - rate * f.rate * d
        out[n] = moved if f.bounds is None else np.clip(moved, *f.bounds)
    return out
