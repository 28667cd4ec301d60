"""L-BFGS within bounds, by SciPy, as an iterator: it goes on only while the next point is asked for.

Source: Byrd, Lu, Nocedal, Zhu, SIAM J. Sci. Comput. 16, 1995; scipy.optimize.minimize, L-BFGS-B.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Iterator
from importlib.util import find_spec

import numpy as np

from .coordinates import Coordinates, Floats, Point
from .inverted import Ask, inverted
from .iterate import Iterate, Task
from .quasi_newton import Evaluate, quasi_newton

UNLIMITED = {"maxiter": math.inf, "maxfun": math.inf, "ftol": 0.0, "gtol": 0.0}


def iterates(task: Task) -> Iterator[Iterate]:
    """Of `lbfgs`, or where SciPy is not installed of `quasi_newton`, for controls in units of their rates."""
    at = Coordinates(task)
    search = quasi_newton if find_spec("scipy") is None else lbfgs
    yield from at.iterates(search(at.evaluate, at.x, at.low, at.high))


def lbfgs(evaluate: Evaluate, x: Floats, low: Floats, high: Floats) -> Generator[Point]:
    """Points of ever smaller loss, the start first, until no step makes it smaller.

    `evaluate(x)` gives the loss and its gradient; `low` and `high` (n,) bound x, perhaps infinitely. The first
    step that is tried is at most of length 1: x should be scaled so that this is a sensible one. A step to
    where the loss is not finite is shortened. Raises ImportError where SciPy is not installed.
    """
    from scipy.optimize import minimize

    def evaluated(x: Floats) -> Point:
        return Point(x, *evaluate(x))

    now = last = evaluated(np.clip(x, low, high))
    yield now
    # where every variable is bounded, SciPy's first step is as long as the gradient
    scale = 1.0 / max(1.0, float(np.linalg.norm(now.gradient)))

    def seen(x: Floats) -> tuple[float, Floats]:
        nonlocal last
        last = last if np.array_equal(last.x, x) else evaluated(x)
        loss, gradient = _told(now, last)
        return scale * loss, scale * gradient

    def search(ask: Ask, reached: Callable[[Point], None]) -> None:
        def arrive(_: Floats) -> None:
            nonlocal now
            now = last  # which is where it was evaluated last
            reached(now)

        minimize(
            lambda x: ask(lambda: seen(x.copy())),
            now.x,
            jac=True,
            method="L-BFGS-B",
            bounds=np.stack([low, high], axis=1),
            callback=arrive,
            options=UNLIMITED,
        )

    yield from inverted(search, "L-BFGS-B")


def _told(now: Point, trial: Point) -> tuple[float, Floats]:
    """The loss and gradient that SciPy is told: the trial's, or, if that loss is not finite, those of a cone
    that rises from `now` as steeply as the loss falls, so that interpolation shortens the step."""
    if math.isfinite(trial.loss):
        return trial.loss, trial.gradient
    steepness = float(np.linalg.norm(now.gradient))
    away = trial.x - now.x
    distance = float(np.linalg.norm(away))
    return now.loss + steepness * distance, steepness / distance * away
