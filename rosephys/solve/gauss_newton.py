"""Least squares by steps to the minimum of the residuals made linear, within bounds.

The loss is |r|². A step is the least δ that minimises |r + J δ| for what is free; it is halved until the loss
falls by some of what that promises.

Sources: Gauss, Theoria motus, 1809; Nocedal and Wright, Numerical optimization, 10.3.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator

import numpy as np

from .coordinates import Coordinates, Point
from .iterate import Iterate, Task

HALVINGS = 50  # of a step
SOME = 1e-4  # of what is promised (Armijo)


def gauss_newton(task: Task) -> Iterator[Iterate]:
    """The iterates, each of a smaller loss, until no step helps."""
    at = Coordinates(task)
    yield from at.iterates(_points(at))


def _points(at: Coordinates) -> Generator[Point]:
    now: Point | None = at.point(np.clip(at.x, at.low, at.high))
    while now is not None:
        yield now
        residuals, slopes = at.residuals(now.x)
        free = at.free(now)
        step = np.zeros(at.x.size)
        step[free] = np.linalg.lstsq(slopes[:, free], -residuals, rcond=None)[0]
        now = _searched(at, now, step)


def _searched(at: Coordinates, now: Point, step: np.ndarray) -> Point | None:
    """Where the loss falls along a step; None if it does so nowhere."""
    for k in range(HALVINGS):
        moved = np.clip(now.x + 0.5**k * step, at.low, at.high)
        promised = -float(now.gradient @ (moved - now.x))
        if promised <= 0:
            return None
        trial = at.point(moved)
        if trial.loss <= now.loss - SOME * promised and trial.loss < now.loss:
            return trial
    return None
