"""The loss along a line through the controls, and how much of it the gradient explains.

By the fundamental theorem of calculus the slope, summed from one point to another, is what the loss changes by
between them; where it is not, the loss jumps on the way, turns faster than the points are apart, or has another
gradient.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Protocol

import numpy as np

if TYPE_CHECKING:
    from .problem import Arrays, Values

UNEXPLAINED = 0.1  # of the change of the loss that the gradient may leave so
ROUNDING = 1e-9  # changes this small, relative to the loss, cannot be told from none


class Differentiable(Protocol):
    """What a line asks of a problem, or of any other function with a gradient."""

    def value_and_gradient(self, values: Values) -> tuple[float, Arrays]:
        """The loss and its gradient."""

    def within(self, values: Arrays) -> Arrays:
        """The values, brought within their bounds."""


@dataclass(frozen=True)
class Point:
    """A point of a line, where on it that is, the loss there and the loss's slope along the line."""

    at: float
    loss: float
    slope: float

    @property
    def finite(self) -> bool:
        """Whether the loss and its slope are."""
        return math.isfinite(self.loss) and math.isfinite(self.slope)


class Line:
    """A line through some values, along a direction of the controls.

    A distance of 1 on it moves the controls by their size, the largest number of each, 1 where all are 0.
    """

    def __init__(
        self,
        problem: Differentiable,
        values: Values,
        direction: Arrays,
        loss: float,
        gradient: Arrays,
    ) -> None:
        self._problem, self._values = problem, values
        largest = max(float(np.max(np.abs(d), initial=0.0)) for d in direction.values())
        down = {n: d / (largest or 1.0) for n, d in direction.items()}  # so that squares are finite
        length = math.sqrt(sum(float(np.vdot(d, d)) for d in down.values())) or 1.0
        sizes = control_sizes(values, down)
        self._direction = {n: sizes[n] * d / length for n, d in down.items()}
        self.middle = Point(0.0, loss, self._slope(gradient))

    def point(self, at: float, bounded: bool = False) -> Point:
        """The loss and its slope a distance along; `bounded` keeps the controls within their bounds."""
        there = {n: self._values[n] + at * d for n, d in self._direction.items()}
        if bounded:
            there = self._problem.within(there)
        loss, gradient = self._problem.value_and_gradient({**self._values, **there})
        return Point(at, loss, self._slope(gradient))

    def _slope(self, gradient: Arrays) -> float:
        return sum(float(np.vdot(gradient[n], d)) for n, d in self._direction.items())


def control_sizes(values: Values, names: Sequence[str] | Arrays) -> dict[str, float]:
    """The largest number of each control, 1 where all are 0."""
    return {n: float(np.max(np.abs(values[n]), initial=0.0)) or 1.0 for n in names}


def downhill(values: Values, gradient: Arrays) -> Arrays:
    """The direction of steepest descent, for controls in units of their sizes; a random one where the gradient
    is zero."""
    sizes = control_sizes(values, gradient)
    down = {n: -sizes[n] * np.asarray(g, float) for n, g in gradient.items()}
    return down if any(d.any() for d in down.values()) else drawn(gradient, 0)


def drawn(like: Arrays, seed: int) -> Arrays:
    """A random direction."""
    draw = np.random.default_rng(seed)
    return {n: draw.standard_normal(np.shape(d)) for n, d in like.items()}


# ---- What the gradient explains ----


def change(a: Point, b: Point) -> float:
    """What the loss differs by."""
    return abs(b.loss - a.loss)


def promise(a: Point, b: Point) -> float:
    """What the loss would vary by as fast as the gradient says."""
    return (b.at - a.at) * (abs(a.slope) + abs(b.slope)) / 2


def gap(a: Point, b: Point) -> float:
    """What the loss changes by and the gradient does not explain."""
    return b.loss - a.loss - summed([a, b])


def turn(a: Point, b: Point) -> float:
    """What the slope changes by."""
    return b.slope - a.slope


def summed(points: Sequence[Point]) -> float:
    """The slope summed along the line from the first point to the last: the trapezoidal rule."""
    return sum((b.at - a.at) * (a.slope + b.slope) / 2 for a, b in pairwise(points))


def explained(points: Sequence[Point]) -> bool:
    """Whether the gradient explains what the loss changes by, piece by piece."""
    pieces = list(pairwise(points))
    gaps = sum(abs(gap(*piece)) for piece in pieces)
    whole = sum(max(change(*piece), abs(summed(piece))) for piece in pieces)
    size = max(abs(point.loss) for point in points)
    return gaps <= max(UNEXPLAINED * whole, ROUNDING * size)


def refined(line: Line, points: list[Point], halvings: int) -> Generator[None, None, list[Point]]:
    """These points and more, until the gradient explains what the loss does between them: where it explains
    least, there is one more. So it takes few of them where the loss is smooth, and they gather at a jump."""
    for _ in range(halvings):
        if explained(points):
            break
        worst = max(pairwise(points), key=lambda piece: abs(gap(*piece)))
        points = sorted([*points, line.point(_between(*worst))], key=lambda point: point.at)
        yield
    return points


def narrowed(
    line: Line, a: Point, b: Point, measure: Callable[[Point, Point], float], halvings: int
) -> Generator[None, None, tuple[Point, Point] | None]:
    """The two sides of a jump between two points; None if there is none, for a jump stays while the piece
    about it is halved, and any other change gets less. `measure` is what jumps: `gap` or `turn`."""
    first = abs(measure(a, b))
    for _ in range(halvings):
        middle = line.point(_between(a, b))
        yield
        a, b = max(((a, middle), (middle, b)), key=lambda piece: abs(measure(*piece)))
        if not abs(measure(a, b)) > 0.5 * first:
            return None
    return a, b


def _between(a: Point, b: Point) -> float:
    return (a.at + b.at) / 2
