"""The covariance matrix adaptation evolution strategy, by the package `cma`, within bounds.

Many controls are drawn, their losses computed side by side, and the spread of the next draw adapted to the
best. No gradient is used; that of the best of each draw is given for the sake of who looks at it.

Source: Hansen, Ostermeier, Evolutionary Computation 9, 2001; Hansen, arXiv:1604.00772.
"""

from __future__ import annotations

import warnings
from collections.abc import Generator, Iterator

import numpy as np

from .coordinates import Coordinates, Point
from .iterate import Iterate, Task


def cma_es(task: Task) -> Iterator[Iterate]:
    """An iterate for each draw, the best of it, until the spread is gone; the same again with the same seed."""
    at = Coordinates(task)
    yield from at.iterates(_points(at, task.seed))


def _points(at: Coordinates, seed: int) -> Generator[Point]:
    start = np.clip(at.x, at.low, at.high)
    yield at.point(start)
    with warnings.catch_warnings():  # of what it would like to be installed beside it
        warnings.simplefilter("ignore")
        from cma import CMAEvolutionStrategy
    options = {
        "seed": seed + 1,
        "verbose": -9,
        "bounds": [list(at.low), list(at.high)],
    }  # 0 is the clock's
    strategy = CMAEvolutionStrategy(start, 1.0, options)
    while not strategy.stop():
        drawn = np.array(strategy.ask())
        losses = at.losses(drawn)
        finite = np.where(np.isfinite(losses), losses, np.finfo(float).max)
        strategy.tell(list(drawn), list(finite))
        yield at.point(drawn[int(np.argmin(finite))])
