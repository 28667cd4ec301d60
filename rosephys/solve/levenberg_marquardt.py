"""Least squares by steps that a damping shortens, within bounds.

The loss is |r|². A step δ solves (JᵀJ + μ D) δ = -Jᵀ r for what is free, with D the largest diagonal of JᵀJ so
far, and is brought within the bounds; μ follows how much of the promise was kept.

Sources: Levenberg 1944; Marquardt, SIAM J. Appl. Math. 11, 1963; Moré 1978 for D; Nielsen, IMM-REP-1999-05,
for μ.
"""

from __future__ import annotations

import math
from collections.abc import Generator, Iterator

import numpy as np

from .coordinates import Coordinates, Point
from .iterate import Iterate, Task

FIRST = 1e-3  # damping, of the largest diagonal
LARGEST = 1e20  # damping, at which no step is left


def levenberg_marquardt(task: Task) -> Iterator[Iterate]:
    """The iterates, each of a smaller loss, until no step helps."""
    at = Coordinates(task)
    yield from at.iterates(_points(at))


def _points(at: Coordinates) -> Generator[Point]:
    now = at.point(np.clip(at.x, at.low, at.high))
    yield now
    damping, growth = FIRST, 2.0
    scale = np.zeros(at.x.size)
    while damping < LARGEST and now.loss > 0:
        residuals, slopes = at.residuals(now.x)
        squares = slopes.T @ slopes
        scale = np.maximum(scale, np.diag(squares))
        damped = np.where(scale > 0, scale, 1.0)
        free = at.free(now)
        half = (slopes.T @ residuals)[free]
        while damping < LARGEST:
            step = np.zeros(at.x.size)
            matrix = squares[np.ix_(free, free)] + damping * np.diag(damped[free])
            step[free] = np.linalg.solve(matrix, -half)
            moved = np.clip(now.x + step, at.low, at.high)
            way = moved - now.x
            if not way.any():
                return
            ahead = residuals + slopes @ way
            promised = now.loss - float(ahead @ ahead)
            trial = at.point(moved)
            gained = now.loss - trial.loss if math.isfinite(trial.loss) else -math.inf
            if gained > 0 and promised > 0:
                damping *= max(1 / 3, 1 - (2 * gained / promised - 1) ** 3)
                growth, now = 2.0, trial
                yield now
                break
            damping, growth = damping * growth, growth * 2
