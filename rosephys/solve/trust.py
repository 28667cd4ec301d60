"""Whether a gradient can be trusted: the one judge that `check`, the commands and the window ask.

The gradient is followed along the line of steepest descent, a hundredth of the controls' size either way. By
the fundamental theorem of calculus its integral is what the loss changes by, between any two points. Where it
is not, the loss jumps, the motion is chaotic, or the gradient is not that of the loss. A gradient may be exact
and of no use: it holds at a point alone. No clock is asked: the same values have the same verdict.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Literal

import numpy as np

from rosephys.solve.guard import in_motion

if TYPE_CHECKING:
    from rosephys.solve.problem import Problem, Values

REACH = 0.01  # to either side, relative to the size of a control
POINTS = 17  # on the line
UNEXPLAINED = 0.1  # of the change of the loss that the gradient may leave so
ROUNDING = 1e-9  # changes this small, relative to the loss, cannot be told from none
STEEP = 30.0  # times what the loss varies by that the gradient promises where the motion is chaotic
HALVINGS = 12  # of the piece in which the loss may jump
MOST = POINTS + HALVINGS  # evaluations of the gradient for a verdict

Reason = Literal["limit", "jump", "chaos", "disagreement", "not finite"]


ADVICE: dict[Reason, str] = {
    "jump": "contact whose instant is not part of the motion does that (docs/contact.md)",
    "chaos": "try fewer steps",
    "disagreement": "a derivative that was given, or contact whose instant is not part of the motion, does that"
    " (docs/contact.md)",
    "not finite": "`gradient` names the line where a NaN begins",
    "limit": "beyond it the model does not hold",
}


@dataclass(frozen=True)
class Verdict:
    """Why the gradient cannot be trusted, in words for people; no reason if it can."""

    reason: Reason | None = None
    words: str = ""
    promised: float = math.nan  # the gradient, summed along the line
    change: float = math.nan  # of the loss, from one end of the line to the other

    @property
    def trusted(self) -> bool:
        """Whether the gradient can be trusted."""
        return self.reason is None

    @property
    def advice(self) -> str:
        """What to think of, or to try."""
        return ADVICE[self.reason] if self.reason else ""


@dataclass(frozen=True)
class _Point:
    """A point of the line, where on it that is, the loss there and the loss's slope along the line."""

    at: float
    loss: float
    slope: float

    @property
    def finite(self) -> bool:
        return math.isfinite(self.loss) and math.isfinite(self.slope)


def judge(
    problem: Problem, values: Values, told: Callable[[int], object] = lambda done: None
) -> Verdict:
    """The verdict on the gradient at these values; `told` is given the number of evaluations so far, MOST in
    the end or fewer. Raises what the scene raises."""
    question = judged(problem, values)
    done = 0
    try:
        while True:
            next(question)
            done += 1
            told(done)
    except StopIteration as end:
        verdict: Verdict = end.value
        return verdict


def judged(problem: Problem, values: Values) -> Generator[None, None, Verdict]:
    """What `judge` gives; yields after each evaluation of the gradient."""
    breach = in_motion(problem, values)
    if breach is not None:
        return Verdict("limit", breach.words)
    line = _Line(problem, values)
    if not line.finite:
        return Verdict("not finite", "the loss or its gradient is not a finite number")
    points = []
    for at in np.linspace(-REACH, REACH, POINTS).tolist():
        points.append(line.point(at))
        yield
    if not all(point.finite for point in points):
        words = (
            f"within {REACH:.0%} of the controls the loss or its gradient is not a finite number"
        )
        return Verdict("not finite", words)
    reason, words = yield from _found(line, points)
    return Verdict(reason, words, _summed(points), points[-1].loss - points[0].loss)


def _found(line: _Line, points: list[_Point]) -> Generator[None, None, tuple[Reason | None, str]]:
    """What is wrong on a line with these points, and the words for it."""
    pieces = list(pairwise(points))
    if _explained(pieces):
        return None, ""
    if words := _chaos(points):
        return "chaos", words
    jump = yield from _narrowed(line, *max(pieces, key=lambda piece: abs(_gap(*piece))))
    if jump is not None:
        near, far = sorted(jump, key=lambda point: abs(point.at))
        return "jump", (
            f"the loss jumps from {near.loss:.3g} to {far.loss:.3g} where the controls are"
            f" changed by {abs(far.at):.2%}; the gradient knows one side only"
        )
    return "disagreement", (
        f"over {2 * REACH:.0%} of the controls the gradient promises that the loss changes by"
        f" {_summed(points):.2g}, and it changes by {points[-1].loss - points[0].loss:.2g}"
    )


def _explained(pieces: list[tuple[_Point, _Point]]) -> bool:
    """Whether the gradient explains what the loss changes by, piece by piece."""
    gaps = sum(abs(_gap(*piece)) for piece in pieces)
    whole = sum(max(_change(*piece), _promise(*piece)) for piece in pieces)
    size = max(abs(point.loss) for piece in pieces for point in piece)
    return gaps <= max(UNEXPLAINED * whole, ROUNDING * size)


def _chaos(points: list[_Point]) -> str:
    """The words for a motion that is chaotic, whose slopes are large and of every sign; none if it is not."""
    varies = float(np.ptp([point.loss for point in points]))
    promised = sum(_promise(*piece) for piece in pairwise(points))
    if promised <= STEEP * varies:
        return ""
    slopes = np.array([point.slope for point in points])
    slopes /= np.max(np.abs(slopes))  # so that squares do not overflow
    if np.std(slopes) <= 0.5 * np.mean(np.abs(slopes)):
        return ""
    return (
        f"the motion is chaotic: over {2 * REACH:.0%} of the controls the gradient promises"
        f" changes of the loss of {promised:.2g}, and it varies by {varies:.2g}"
    )


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
    """What the loss changes by and the gradient does not explain."""
    return b.loss - a.loss - _summed([a, b])


def _summed(points: list[_Point]) -> float:
    """The gradient summed along the line from the first point to the last: the trapezoidal rule."""
    return sum((b.at - a.at) * (a.slope + b.slope) / 2 for a, b in pairwise(points))


class _Line:
    """The line through some values down the gradient; along a random direction where that is zero.

    A distance of 1 on it moves the controls by their size, the largest number of each.
    """

    def __init__(self, problem: Problem, values: Values) -> None:
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
