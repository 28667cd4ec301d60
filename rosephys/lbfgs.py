"""Limited-memory BFGS within bounds: a quasi-Newton descent for smooth losses.

    x <- P(x - t H g)

P brings x back within its bounds. H is the inverse Hessian as the last changes of x and g tell it, by the
two-loop recursion; where x is at a bound and g pushes against it, x is held (two-metric projection). t is 1, or
what interpolation says until the loss falls enough (Armijo). Changes of negative curvature teach nothing.

Sources: Nocedal, Math. Comp. 35, 1980; Bertsekas, SIAM J. Control 20, 1982; Nocedal, Wright, *Numerical
optimization*, 2006, §3.5 and §7.2.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Change = tuple[Floats, Floats]  # of x and of the gradient, from one point to the next

MEMORY = 10  # changes that are remembered
DECREASE = 1e-4  # the share of the decrease promised by the slope that is enough
SHORTEST = 1e-12  # the least t that is tried


class Point(NamedTuple):
    """An x (n,), the loss there, and its gradient (n,)."""

    x: Floats
    loss: float
    gradient: Floats


def lbfgs(
    evaluate: Callable[[Floats], tuple[float, Floats]], x: Floats, low: Floats, high: Floats
) -> Iterator[Point]:
    """Points of ever smaller loss, the start first, until no step along -H g makes it smaller.

    `evaluate(x)` gives the loss and its gradient; `low` and `high` (n,) bound x, perhaps infinitely. The first
    step is at most of length 1: x should be scaled so that this is a sensible one.
    """
    changes: deque[Change] = deque(maxlen=MEMORY)
    now = Point(x, *evaluate(x))
    while True:
        yield now
        free = ~(((now.x <= low) & (now.gradient > 0)) | ((now.x >= high) & (now.gradient < 0)))
        reached = _searched(evaluate, now, _newton_step(now.gradient, free, changes), low, high)
        if reached is None and changes:  # what is remembered misleads: forget it
            changes.clear()
            reached = _searched(evaluate, now, _newton_step(now.gradient, free, changes), low, high)
        if reached is None:
            return
        dx, dg = reached.x - now.x, reached.gradient - now.gradient
        if dx @ dg > 1e-10 * math.sqrt((dx @ dx) * (dg @ dg)):
            changes.append((dx, dg))
        now = reached


def _newton_step(gradient: Floats, free: NDArray[np.bool_], changes: deque[Change]) -> Floats:
    """-H g for the free variables, by the two-loop recursion over the changes of these alone."""
    step = np.where(free, -gradient, 0.0)
    known = [(dx * free, dg * free) for dx, dg in changes]
    known = [(dx, dg) for dx, dg in known if dx @ dg > 0]
    if not known:
        return step / max(1.0, math.sqrt(step @ step))
    shares = []
    for dx, dg in reversed(known):
        shares.append(dx @ step / (dx @ dg))
        step = step - shares[-1] * dg
    dx, dg = known[-1]
    step = dx @ dg / (dg @ dg) * step
    for (dx, dg), share in zip(known, reversed(shares), strict=True):
        step = step + (share - dg @ step / (dx @ dg)) * dx
    return step


def _searched(
    evaluate: Callable[[Floats], tuple[float, Floats]],
    now: Point,
    step: Floats,
    low: Floats,
    high: Floats,
) -> Point | None:
    """The first point along the projected step whose loss is small enough; None if there is none."""
    t = 1.0
    while t > SHORTEST:
        x = np.clip(now.x + t * step, low, high)
        promised = float(now.gradient @ (x - now.x))
        if not promised < 0:
            return None
        loss, gradient = evaluate(x)
        if loss < now.loss and loss <= now.loss + DECREASE * promised:
            return Point(x, loss, gradient)
        excess = (
            loss - now.loss - promised
        )  # the parabola through both losses has its least point at
        t *= min(max(-promised / (2 * excess), 0.1), 0.5) if math.isfinite(loss) else 0.1
    return None
