r"""L-BFGS within bounds in a few lines, for where SciPy is not installed.

The direction is -H g, H the inverse Hessian that the last steps s and changes y of the gradient imply (the two
loops of Nocedal). Variables at a bound that g pushes outward stay; a step is cut at the bounds. It is halved,
or more by the parabola through what is known, until the loss falls by 1e-4 of what the slope promises (Armijo).
It is never made longer.

Source: Nocedal, Wright, *Numerical Optimization*, second edition, 2006, algorithms 7.4 and 3.1.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Generator, Iterable

import numpy as np

from .coordinates import Floats, Point

Evaluate = Callable[[Floats], tuple[float, Floats]]
Pair = tuple[Floats, Floats]

REMEMBERED = 10  # steps
SHORTENED = 30  # times that a step is at most


def quasi_newton(evaluate: Evaluate, x: Floats, low: Floats, high: Floats) -> Generator[Point]:
    """Points of ever smaller loss, the start first, until no step makes it smaller; see `lbfgs`."""
    now = _evaluated(evaluate, np.clip(x, low, high))
    yield now
    pairs: deque[Pair] = deque(maxlen=REMEMBERED)
    while True:
        held = ((now.x <= low) & (now.gradient > 0)) | ((now.x >= high) & (now.gradient < 0))
        slope = np.where(held, 0.0, now.gradient)
        steepness = float(np.linalg.norm(slope))
        if not steepness:
            return
        way = np.where(held, 0.0, -_inverse(pairs, slope)) if pairs else -slope / steepness
        reached = _searched(evaluate, now, way, low, high)
        if reached is None and not pairs:
            return
        if reached is None:  # once more, straight down
            pairs.clear()
            continue
        step, change = reached.x - now.x, reached.gradient - now.gradient
        if step @ change > 1e-10 * np.linalg.norm(step) * np.linalg.norm(change):
            pairs.append((step, change))
        now = reached
        yield now


def _inverse(pairs: Iterable[Pair], g: Floats) -> Floats:
    """H g by the two loops."""
    pairs, shares = list(pairs), []
    g = g.copy()
    for step, change in reversed(pairs):
        shares.append((step @ g) / (step @ change))
        g -= shares[-1] * change
    step, change = pairs[-1]
    g *= (step @ change) / (change @ change)
    for (step, change), share in zip(pairs, reversed(shares), strict=True):
        g += (share - (change @ g) / (step @ change)) * step
    return g


def _searched(
    evaluate: Evaluate, now: Point, way: Floats, low: Floats, high: Floats
) -> Point | None:
    """Where the loss is low enough along a way; None if it is nowhere."""
    length = 1.0
    for _ in range(SHORTENED):
        x = np.clip(now.x + length * way, low, high)
        promised = float(now.gradient @ (x - now.x))
        if not promised < 0:
            return None
        trial = _evaluated(evaluate, x)
        excess = trial.loss - now.loss - promised
        if trial.loss < now.loss and trial.loss <= now.loss + 1e-4 * promised:
            return trial
        parabola = -promised / (2 * excess) if math.isfinite(excess) else 0.1
        length *= min(max(parabola, 0.1), 0.5)
    return None


def _evaluated(evaluate: Evaluate, x: Floats) -> Point:
    return Point(x, *evaluate(x))
