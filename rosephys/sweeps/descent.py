"""Descents from many starts at once: a step of all of them is one call, their members side by side in lanes.

Each member goes its own way, as `solve/first_order.py` would lead it alone. One whose loss or gradient is not
finite stays where it was best.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..solve.first_order import Direction, adam, gradient_descent, momentum
from ..solve.outcome import GAIN, LEFT, SMALL, UP
from ..solve.trust import REACH

Floats: TypeAlias = NDArray[np.float64]
Batch: TypeAlias = dict[str, Floats]
"""Controls of n members, or their gradient: (n, ...) each."""
Evaluate: TypeAlias = Callable[[Batch], tuple[Floats, Batch]]
"""Controls to losses (n,) and gradients."""

OUTCOMES = ("evaluated", "arrived", "not there yet", "stuck", "jumped", "flat", "not finite")


def lengths(gradient: Batch) -> Floats:
    """The length of each member's gradient, over all controls together, (n,); of one control at least."""
    squares = [np.sum(g.reshape(len(g), -1) ** 2, axis=1) for g in gradient.values()]
    return np.asarray(np.sqrt(np.sum(squares, axis=0)))


def _normalized() -> Direction:
    return lambda _, gradient: _scaled(gradient, 1 / (lengths(gradient) + 1e-6))


RULES: dict[str, Callable[[], Direction]] = {
    "gd": gradient_descent,
    "momentum": momentum,
    "normalized": _normalized,
    "adam": adam,
}


@dataclass(frozen=True)
class How:
    """How to descend: so many iterations by a rule, at a rate, with gradients clipped to a length; each control
    has a rate of its own and ends between which it is kept."""

    iterations: int
    optimizer: str
    rate: float
    clip: float
    rates: Mapping[str, float]
    bounds: Mapping[str, tuple[float, float]]


@dataclass(frozen=True)
class Found:
    """The best of each member: its loss (n,), the length of the gradient there (n,), the controls, and what
    became of it, an index of OUTCOMES (n,)."""

    loss: Floats
    gradient: Floats
    controls: Batch
    outcome: NDArray[np.int64]


def descended(evaluate: Evaluate, start: Batch, how: How) -> Found:
    """What the descents of all members come to."""
    rule, now = RULES[how.optimizer](), start
    loss, gradient = evaluate(now)
    going = _finite(loss, gradient)
    first = last = best = before = loss
    best_gradient, best_controls = gradient, now
    count = how.iterations + 1
    tenth = count - max(count // 10, 1)  # where the last tenth begins
    with np.errstate(all="ignore"):  # of members that are not finite
        for iteration in range(how.iterations):
            now = _stepped(now, rule(iteration, _clipped(gradient, how.clip)), going, how)
            loss, gradient = evaluate(now)
            going = going & _finite(loss, gradient)
            better = going & (loss < best)
            last = np.where(going, loss, last)
            best = np.where(better, loss, best)
            before = best if iteration + 1 < tenth else before
            best_gradient = _chosen(better, gradient, best_gradient)
            best_controls = _chosen(better, now, best_controls)
        steep = _steepness(best_controls, best_gradient, how)
        outcome = _outcomes(how.iterations, first, before, best, last, steep)
    outcome[~_finite(first, best_gradient)] = OUTCOMES.index("not finite")
    return Found(best, lengths(best_gradient), best_controls, outcome)


def _outcomes(
    iterations: int, first: Floats, before: Floats, best: Floats, last: Floats, steep: Floats
) -> NDArray[np.int64]:
    """What became of each, by the measures of `solve/outcome.py`; the first that holds."""
    gained = first - best
    tests = {
        "flat": (steep == 0) & (gained == 0),
        "evaluated": np.full(len(best), iterations == 0),
        "arrived": (best >= 0) & (best <= LEFT * first),
        "jumped": last - best > UP * gained,
        "not there yet": before - best > GAIN * gained,
        "stuck": REACH * steep <= SMALL * np.maximum(np.abs(best), gained),
    }
    numbers = [OUTCOMES.index(name) for name in tests]
    return np.select(list(tests.values()), numbers, OUTCOMES.index("stuck"))


def _steepness(controls: Batch, gradient: Batch, how: How) -> Floats:
    """As `steepness` in `solve/outcome.py`, of each member."""
    square: Floats = np.zeros(len(next(iter(controls.values()))))
    for name, slope in gradient.items():
        at, g = (x.reshape(len(x), -1) for x in (controls[name], slope))
        size = np.max(np.abs(at), axis=1, initial=0.0)
        low, high = how.bounds[name]
        free = ~((at <= low) & (g > 0) | (at >= high) & (g < 0))
        square += np.sum((np.where(size == 0, 1.0, size)[:, None] * g * free) ** 2, axis=1)
    return np.sqrt(square)


def _finite(loss: Floats, gradient: Batch) -> NDArray[np.bool_]:
    """Which members have a loss and a gradient that are finite."""
    good = np.isfinite(loss)
    for g in gradient.values():
        good &= np.isfinite(g.reshape(len(g), -1)).all(axis=1)
    return good


def _stepped(now: Batch, way: Mapping[str, Floats], going: NDArray[np.bool_], how: How) -> Batch:
    moved = {n: now[n] - how.rate * how.rates[n] * d for n, d in way.items()}
    return _chosen(going, {n: np.clip(v, *how.bounds[n]) for n, v in moved.items()}, now)


def _clipped(gradient: Batch, clip: float) -> Batch:
    if clip == np.inf:
        return gradient
    return _scaled(gradient, np.minimum(1.0, clip / (lengths(gradient) + 1e-4)))


def _scaled(gradient: Batch, by: Floats) -> Batch:
    return {n: by.reshape(-1, *[1] * (g.ndim - 1)) * g for n, g in gradient.items()}


def _chosen(which: NDArray[np.bool_], new: Batch, old: Batch) -> Batch:
    """Members of the one where `which` holds, of the other where not."""
    return {n: np.where(which.reshape(-1, *[1] * (old[n].ndim - 1)), new[n], old[n]) for n in old}
