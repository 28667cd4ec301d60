"""Whether a gradient can be trusted where a descent has ended.

The gradient is followed along the line of steepest descent, a hundredth of the controls' size either way. By
the fundamental theorem of calculus its integral is what the loss changes by, between any two points. Where it
is not, the loss jumps, the motion is chaotic, or the gradient is not that of the loss.
"""

from __future__ import annotations

import math
from collections.abc import Generator
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from rosephys.solve.problem import Arrays, Problem

REACH = 0.01  # to either side, relative to the size of a control
POINTS = 17  # on the line
UNEXPLAINED = 0.1  # of the change of the loss that the gradient may leave so
ROUNDING = 1e-9  # changes this small, relative to the loss, cannot be told from none
STEEP = 30.0  # times what the loss varies by that the gradient promises where the motion is chaotic
HALVINGS = 12  # of the piece in which the loss may jump

Reason = Literal["jump", "chaos", "disagreement", "not finite"]


@dataclass(frozen=True)
class Verdict:
    """Why the gradient cannot be trusted, in words for people; no reason if it can."""

    reason: Reason | None = None
    words: str = ""


@dataclass(frozen=True)
class _Point:
    """A point of the line, where on it that is, the loss there and the loss's slope along the line."""

    at: float
    loss: float
    slope: float


def judged(problem: Problem, values: Arrays) -> Generator[None, None, Verdict]:
    """The verdict on the gradient at these values; yields after each evaluation of it."""
    line = _Line(problem, values)
    if not line.finite:
        return Verdict("not finite", "the loss or its gradient is not a finite number")
    points = []
    for at in np.linspace(-REACH, REACH, POINTS).tolist():
        points.append(line.point(at))
        yield
    if not all(math.isfinite(p.loss) and math.isfinite(p.slope) for p in points):
        words = (
            f"within {REACH:.0%} of the controls the loss or its gradient is not a finite number"
        )
        return Verdict("not finite", words)
    pieces = list(pairwise(points))
    gaps = np.array([abs(_gap(*piece)) for piece in pieces])
    whole = np.array([max(_change(*piece), _promise(*piece)) for piece in pieces])
    floor = ROUNDING * max(abs(p.loss) for p in points)
    if gaps.sum() <= max(UNEXPLAINED * whole.sum(), floor):
        return Verdict()
    losses, slopes = (np.array([getattr(p, n) for p in points]) for n in ("loss", "slope"))
    varies, promised = float(np.ptp(losses)), float(sum(_promise(*piece) for piece in pieces))
    if promised > STEEP * varies and np.std(slopes) > 0.5 * np.mean(np.abs(slopes)):
        words = (
            f"the motion is chaotic: over {2 * REACH:.0%} of the controls the gradient promises"
            f" changes of the loss of {promised:.2g}, and it varies by {varies:.2g}"
        )
        return Verdict("chaos", words)
    a, b = pieces[int(np.argmax(gaps))]
    jump = yield from _narrowed(line, a, b)
    if jump is not None:
        near, far = sorted(jump, key=lambda point: abs(point.at))
        words = (
            f"the loss jumps from {near.loss:.3g} to {far.loss:.3g} where the controls are"
            f" changed by {abs(far.at):.2%}; the gradient knows one side only"
        )
        return Verdict("jump", words)
    words = (
        f"over {2 * REACH:.0%} of the controls the gradient promises that the loss changes by"
        f" {float(np.mean(slopes)) * 2 * REACH:.2g}, and it changes by {losses[-1] - losses[0]:.2g}"
    )
    return Verdict("disagreement", words)


def _narrowed(
    line: _Line, a: _Point, b: _Point
) -> Generator[None, None, tuple[_Point, _Point] | None]:
    """The two sides of the jump between two points; None if there is none, for a jump stays while the piece
    about it is halved, and any other change gets less."""
    first = abs(_gap(a, b))
    for _ in range(HALVINGS):
        middle = line.point((a.at + b.at) / 2)
        yield
        a, b = max(((a, middle), (middle, b)), key=lambda piece: abs(_gap(*piece)))
    return (a, b) if abs(_gap(a, b)) > 0.5 * first else None


def _change(a: _Point, b: _Point) -> float:
    return abs(b.loss - a.loss)


def _promise(a: _Point, b: _Point) -> float:
    """What the loss would vary by as fast as the gradient says."""
    return (b.at - a.at) * (abs(a.slope) + abs(b.slope)) / 2


def _gap(a: _Point, b: _Point) -> float:
    """What the loss changes by and the gradient does not explain: the trapezoidal rule."""
    return b.loss - a.loss - (b.at - a.at) * (a.slope + b.slope) / 2


class _Line:
    """The line through some values down the gradient; along a random direction where that is zero.

    A distance of 1 on it moves the controls by their size, the largest number of each.
    """

    def __init__(self, problem: Problem, values: Arrays) -> None:
        self._problem, self._values = problem, values
        loss, gradient = problem.value_and_gradient(values)
        self.finite = math.isfinite(loss) and all(np.isfinite(g).all() for g in gradient.values())
        if not self.finite:
            return
        sizes = {n: float(np.max(np.abs(values[n]), initial=0.0)) or 1.0 for n in gradient}
        down = {n: -sizes[n] * np.asarray(g, float) for n, g in gradient.items()}
        if not any(d.any() for d in down.values()):
            draw = np.random.default_rng(0)
            down = {n: draw.standard_normal(d.shape) for n, d in down.items()}
        largest = max((float(np.max(np.abs(d), initial=0.0)) for d in down.values()), default=1.0)
        down = {n: d / largest for n, d in down.items()}  # so that squares do not overflow
        length = math.sqrt(sum(float(np.vdot(d, d)) for d in down.values())) or 1.0
        self._direction = {n: sizes[n] * d / length for n, d in down.items()}

    def point(self, at: float) -> _Point:
        """The loss and its slope a distance along."""
        there = {n: self._values[n] + at * d for n, d in self._direction.items()}
        loss, gradient = self._problem.value_and_gradient({**self._values, **there})
        slope = sum(float(np.vdot(gradient[n], d)) for n, d in self._direction.items())
        return _Point(at, loss, slope)
