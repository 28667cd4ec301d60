"""The covariance matrix adaptation evolution strategy, by the package `cma`, within bounds; alone, and with
gradients.

Many controls are drawn, their losses computed side by side, and the spread of the next draw adapted to the
best. `cma_es` uses no gradient; that of the best of each draw is given for the sake of who looks at it.
`cma_gradient` goes on from the best of each draw by some steps of L-BFGS, and puts where that ends among the
next draw: the draws choose the valley, the gradients go down into it.

Source: Hansen, Ostermeier, Evolutionary Computation 9, 2001; Hansen, arXiv:1604.00772; Hansen, "Injecting
external solutions into CMA-ES", arXiv:1110.4181.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Generator, Iterator
from contextlib import suppress
from itertools import islice

import numpy as np

from ..errors import OptimizeError
from .coordinates import Coordinates, Floats, Point
from .iterate import Iterate, Task
from .quasi_newton import quasi_newton

STEPS = 5  # along the gradient from the best of a draw


def cma_es(task: Task) -> Iterator[Iterate]:
    """An iterate for each draw, the best of it, until the spread is gone; the same again with the same seed."""
    at = Coordinates(task)
    yield from at.iterates(_points(at, task.seed, steps=0))


def cma_gradient(task: Task) -> Iterator[Iterate]:
    """The same, each iterate being where gradients lead from the best of its draw."""
    at = Coordinates(task)
    yield from at.iterates(_points(at, task.seed, STEPS))


def _points(at: Coordinates, seed: int, steps: int) -> Generator[Point]:
    start = np.clip(at.x, at.low, at.high)
    yield at.point(start)
    with warnings.catch_warnings():  # of what it would like to be installed beside it
        warnings.simplefilter("ignore")
        from cma import CMAEvolutionStrategy
    random = np.random.default_rng(seed)
    options = {
        "seed": math.nan,  # else numpy's own generator would be set, and drawn from
        "randn": lambda count, n: random.standard_normal((count, n)),
        "verbose": -9,
        "bounds": [list(at.low), list(at.high)],
        "CMA_stds": np.minimum(1.0, (at.high - at.low) / 3),
        "maxstd": math.inf,  # to keep below another one fails for a single number
    }
    strategy = CMAEvolutionStrategy(start, 1.0, options)
    while not strategy.stop():
        drawn = np.array(strategy.ask())
        losses = at.losses(drawn)
        finite = np.where(np.isfinite(losses), losses, np.finfo(float).max)
        strategy.tell(list(drawn), list(finite))
        best = _descended(at, drawn[int(np.argmin(finite))], steps)
        if steps:
            strategy.inject([best.x])
        yield best


def _descended(at: Coordinates, x: Floats, steps: int) -> Point:
    """Where so many steps along the gradient lead from there."""
    best = None
    with suppress(OptimizeError):  # where a gradient on the way is not finite, the way ends
        for point in islice(quasi_newton(at.evaluate, x, at.low, at.high), steps and steps + 1):
            best = point
    return best or at.point(x)
