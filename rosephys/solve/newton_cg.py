"""Newton's method by products with the exact second derivatives, within bounds and in a region of trust.

A step is the minimum of the quadratic model on what is free, by conjugate gradients that end at the region's
edge, in a direction of negative curvature, or as near as pays. It is then brought within the bounds.

Sources: Steihaug, SIAM J. Numer. Anal. 20, 1983; Nocedal and Wright, Numerical optimization, 7.1; Bertsekas,
SIAM J. Control Optim. 20, 1982, for what is free.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Iterator
from functools import partial
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from .coordinates import Coordinates, Floats, Point
from .iterate import Iterate, Task

Product: TypeAlias = Callable[[Floats], Floats]

SMALLEST = 1e-12  # radius of a region; in one as small, rounding is all there is
GOOD, FAIR, ANY = (
    0.75,
    0.25,
    1e-4,
)  # of what the model promises: where the region grows, stays, is left


def newton_cg(task: Task) -> Iterator[Iterate]:
    """The iterates, each of a smaller loss, until no step helps."""
    at = Coordinates(task)
    yield from at.iterates(_points(at))


def _points(at: Coordinates) -> Generator[Point]:
    now, radius = at.point(np.clip(at.x, at.low, at.high)), 1.0
    yield now
    while radius > SMALLEST:
        free = at.free(now)
        step = _step(now.gradient * free, partial(_product, at, now.x, free), radius)
        moved = np.clip(now.x + step, at.low, at.high)
        way = moved - now.x
        length = float(np.linalg.norm(way))
        if not length:
            return
        curved = 0.5 * float(way @ at.hessian_product(now.x, way))
        promised = -float(now.gradient @ way) - curved
        trial = at.point(moved)
        gained = now.loss - trial.loss if math.isfinite(trial.loss) else -math.inf
        share = gained / promised if promised > 0 else -math.inf
        if share < FAIR:
            radius = 0.25 * length
        elif share > GOOD:
            radius = max(radius, 2 * length)
        if share > ANY and gained > 0:
            now = trial
            yield now


def _product(at: Coordinates, x: Floats, free: NDArray[np.bool_], way: Floats) -> Floats:
    """The second derivatives times a way, in what is free alone."""
    return np.asarray(free * at.hessian_product(x, free * way))


def _step(gradient: Floats, product: Product, radius: float) -> Floats:
    """The step of Steihaug's conjugate gradients."""
    step, residual = np.zeros_like(gradient), gradient
    norm = float(np.linalg.norm(gradient))
    enough = min(0.5, math.sqrt(norm)) * norm
    way = -residual
    for _ in range(2 * gradient.size):
        if float(np.linalg.norm(residual)) <= enough:
            break
        bent = product(way)
        curvature = float(way @ bent)
        if curvature <= 0:
            return _to_edge(step, way, radius)
        length = float(residual @ residual) / curvature
        if float(np.linalg.norm(step + length * way)) >= radius:
            return _to_edge(step, way, radius)
        step = step + length * way
        after = residual + length * bent
        way = -after + float(after @ after) / float(residual @ residual) * way
        residual = after
    return step


def _to_edge(step: Floats, way: Floats, radius: float) -> Floats:
    """From a step on along a way, as far as the radius."""
    a, b, c = float(way @ way), float(step @ way), float(step @ step) - radius**2
    return step + (-b + math.sqrt(max(b * b - a * c, 0.0))) / a * way
