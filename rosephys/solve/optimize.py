"""Finding controls by descent along the gradient.

gd          x <- x - rate * g
normalized  x <- x - rate * g / (|g| + 1e-6), |g| the norm over all controls: steps of one length, which suit
            losses whose slope says little about how far to go
adam        Kingma & Ba, "Adam: a method for stochastic optimization", ICLR 2015, with their constants
lbfgs       quasi-Newton steps by SciPy's L-BFGS-B (lbfgs.py); `rate` is the length of the first that is tried

Before any of them but lbfgs a gradient can be clipped to a length (Pascanu, Mikolov, Bengio, "On the difficulty
of training recurrent neural networks", ICML 2013): g is scaled by min(1, clip / (|g| + 1e-4)), |g| as above.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from importlib.util import find_spec
from itertools import islice
from typing import Any

import numpy as np

from ..errors import NotFiniteError, OptimizeError
from ..scene.scene import OPTIMIZERS as OPTIMIZERS
from ..scene.scene import Scene
from .guard import check_finite, evaluate
from .lbfgs import lbfgs
from .problem import Arrays, Problem

Direction = Callable[[int, Arrays], Arrays]


@dataclass(frozen=True)
class Iterate:
    """One evaluation: `iteration` updates have been made."""

    iteration: int
    loss: float
    values: Arrays
    gradient: Arrays


@dataclass
class Solution:
    """What an optimiser did, as far as it came; there is at least one iterate."""

    iterates: list[Iterate] = field(default_factory=list)
    seconds: float = 0.0
    stopped: str = ""  # why it ended early
    code: int = 0  # for the process to exit with
    starts: int = 1  # of which it is the best

    @property
    def best(self) -> Iterate:
        """The first iterate of the least loss, which is what was found."""
        return min(self.iterates, key=lambda iterate: iterate.loss)

    @property
    def losses(self) -> list[float]:
        """The loss before each update, and after the last."""
        return [iterate.loss for iterate in self.iterates]

    def controls(self, problem: Problem) -> dict[str, Any]:
        """The values found for the controls."""
        best = self.best.values
        return {name: best[name] for name in problem.controls}


def length(gradient: Arrays) -> float:
    """The Euclidean norm over all controls together."""
    return math.sqrt(sum(float(np.vdot(g, g)) for g in gradient.values()))


def _clipped(gradient: Arrays, clip: float) -> Arrays:
    if clip == math.inf:
        return gradient
    scale = min(1.0, clip / (length(gradient) + 1e-4))
    return {n: scale * g for n, g in gradient.items()}


def _gradient_descent() -> Direction:
    return lambda _, gradient: gradient


def _normalized() -> Direction:
    def direction(_: int, gradient: Arrays) -> Arrays:
        norm = length(gradient)
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


_DIRECTIONS: dict[str, Callable[[], Direction]] = {
    "gd": _gradient_descent,
    "normalized": _normalized,
    "adam": _adam,
}


def descend(
    problem: Problem,
    *,
    iterations: int | None = None,
    rate: float | None = None,
    optimizer: str | None = None,
    clip: float | None = None,
    values: Mapping[str, Any] | None = None,
) -> Iterator[Iterate]:
    """Iterates from `values` (the problem's own, where there are none): the start, then one after each update.

    What is None is as the scene prefers. A control's step is `rate` times its own rate; controls are kept
    within their bounds. Longer gradients are clipped to the length `clip`, which is infinite for no clipping.
    "lbfgs" clips none, steps back from where the loss is not finite, and ends before `iterations` where no
    step makes the loss smaller. Raises OptimizeError where the loss or the gradient is not finite or SciPy is
    missing, ValueError for an unknown optimiser, SceneError for values that the scene has not.
    """
    scene = problem.scene
    iterations = scene.iterations if iterations is None else iterations
    rate = scene.rate if rate is None else rate
    optimizer = scene.optimizer if optimizer is None else optimizer
    clip = scene.clip if clip is None else clip
    if optimizer not in OPTIMIZERS:
        raise ValueError(f"{optimizer!r} is not one of {', '.join(OPTIMIZERS)}")
    now = problem.complete(values or {})
    if optimizer == "lbfgs":
        with closing(_quasi_newton(problem, now, rate)) as iterates:
            yield from islice(iterates, iterations + 1)
        return
    direction = _DIRECTIONS[optimizer]()
    for iteration in range(iterations + 1):
        loss, gradient = _evaluated(problem, iteration, now)
        _check_finite(problem, iteration, now, loss, gradient)
        yield Iterate(iteration, loss, now, gradient)
        now = _stepped(scene, now, direction(iteration, _clipped(gradient, clip)), rate)


def _quasi_newton(problem: Problem, start: Arrays, rate: float) -> Generator[Iterate]:
    """The points of `lbfgs`, for which the controls are one array in units of their rates."""
    if find_spec("scipy") is None:
        raise OptimizeError(
            'the optimizer "lbfgs" needs SciPy, which is not installed: pip install "rosephys[scipy]"; '
            '"adam" needs no further package'
        )
    fields, names = problem.scene.fields, problem.controls
    sizes = np.array([start[n].size for n in names], int)
    unit = np.repeat([rate * fields[n].rate for n in names], sizes)
    bounds = [fields[n].bounds or (-math.inf, math.inf) for n in names]
    low, high = (np.repeat([b[k] for b in bounds], sizes) / unit for k in (0, 1))

    ends = np.cumsum(sizes, dtype=int)

    def joined(arrays: Arrays) -> Any:
        return np.concatenate([np.zeros(0), *(np.ravel(arrays[n]) for n in names)])

    def parted(x: Any) -> Arrays:
        places = zip(names, sizes, ends, strict=True)
        return {n: x[end - size : end].reshape(start[n].shape) for n, size, end in places}

    def evaluate(x: Any) -> tuple[float, Any]:
        values = {**start, **parted(x * unit)}
        loss, gradient = _evaluated(problem, iteration, values)
        if math.isfinite(loss):
            _check_finite(problem, iteration, values, loss, gradient)
        return loss, joined(gradient) * unit

    iteration = 0
    with closing(lbfgs(evaluate, joined(start) / unit, low, high)) as points:
        for iteration, at in enumerate(points):
            values, gradient = {**start, **parted(at.x * unit)}, parted(at.gradient / unit)
            _check_finite(problem, iteration, values, at.loss, gradient)
            yield Iterate(iteration, at.loss, values, gradient)


def _stepped(scene: Scene, values: Arrays, direction: Arrays, rate: float) -> Arrays:
    out = dict(values)
    for n, d in direction.items():
        f = scene.fields[n]
        moved = values[n] - rate * f.rate * d
        out[n] = moved if f.bounds is None else np.clip(moved, *f.bounds)
    return out


def _evaluated(problem: Problem, iteration: int, values: Arrays) -> tuple[float, Arrays]:
    try:
        return evaluate(problem, values, f" after {iteration} updates")
    except NotFiniteError as error:
        raise OptimizeError(str(error)) from error


def _check_finite(
    problem: Problem, iteration: int, values: Arrays, loss: float, gradient: Arrays
) -> None:
    try:
        check_finite(problem, values, loss, gradient, f" after {iteration} updates")
    except NotFiniteError as error:
        raise OptimizeError(str(error)) from error
