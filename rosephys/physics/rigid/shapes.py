r"""Convex shapes of the plane: circle, capsule, polygon, and what follows from an outline alone.

A shape is the set of points within `radius` of the convex hull of its `corners`: a circle has one corner, a
capsule two, a polygon three or more and no radius. Corners go counter-clockwise and are taken about the
centroid, which is a body's centre of mass. Per unit of density, a shape of area A has the polar second moment J
about its centroid:

    circle     A = π r²            J = A r² / 2
    capsule    A = π r² + 2 r l    J = r l (4 r² + l²) / 6 + π r² (r²/2 + l²/4) + 4 r³ l / 3
    polygon    A = ½ Σ c_k         J = 1/12 Σ c_k (p_k·p_k + p_k·p_k+1 + p_k+1·p_k+1),   c_k = p_k × p_k+1

with l from one end of the capsule to the other.

Lengths are in metres, and may be traced, so that a shape can be differentiated by its size; how many corners
there are may not. Source: integration over the shape; for polygons Green's theorem.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, TypeAlias

import numpy as np

import rose_ad as ra
from rosephys.errors import ArgumentError
from rosephys.given import is_traced

from ..checked import checked
from ..quantities import ABOVE_0, FROM_0, Array, Axes, Between, NumpyArray, Scalar

Length: TypeAlias = Annotated[Scalar, Between(1e-30, 1e30)]
"""In metres; areas and moments of shapes of other sizes are no floats."""
Corners: TypeAlias = Annotated[
    Sequence[Sequence[Scalar]] | Array, Axes("k", 2), Between(-1e30, 1e30)
]
SHARPEST = 1e-12
"""The least sine of the turn at a corner."""


@checked
@dataclass(frozen=True)
class Shape:
    """All points within `radius` of the hull of `corners` (k, 2), which are about the centroid.

    With `pieces` it is all of these, which are convex and lie as they are given; `corners` go round them.
    """

    corners: Annotated[Array, Axes(..., 2)]
    radius: Annotated[Scalar, FROM_0]
    area: Annotated[Scalar, ABOVE_0]
    moment: Annotated[Scalar, ABOVE_0]
    pieces: tuple[Shape, ...] = ()

    @property
    def parts(self) -> tuple[Shape, ...]:
        """The convex shapes that it is made of."""
        return self.pieces or (self,)

    @property
    def outline(self) -> Array:
        """A closed curve round the shape, (m, 2), for a picture."""
        if self.pieces or (not is_traced(self.radius) and not self.radius):
            return self.corners
        around = np.linspace(0, 2 * np.pi, 48, endpoint=False)
        ways = np.stack([np.cos(around), np.sin(around)], axis=1)
        # the farthest corner along each direction, which is the support of the hull
        if not is_traced(self.corners):
            farthest = np.argmax(ways @ self.corners.T, axis=1)
            return self.corners[farthest] + self.radius * ways
        corners, ways = self.corners, ra.array(ways)
        return ra.build(48, lambda k: corners[ra.argmax(corners @ ways[k])] + self.radius * ways[k])


@checked
def circle(radius: Length) -> Shape:
    """A circle."""
    area = np.pi * radius**2
    return Shape(np.zeros((1, 2)), radius, area, area * radius**2 / 2)


@checked
def capsule(length: Length, radius: Length) -> Shape:
    """A capsule along x: all within `radius` of a segment of that length."""
    ends = _array([[-length / 2, 0.0], [length / 2, 0.0]])
    cap = np.pi * radius**2
    rectangle = radius * length * (4 * radius**2 + length**2) / 6
    moment = rectangle + cap * (radius**2 / 2 + length**2 / 4) + 4 * radius**3 * length / 3
    return Shape(ends, radius, cap + 2 * radius * length, moment)


@checked
def box(width: Length, height: Length) -> Shape:
    """A rectangle."""
    x, y = width / 2, height / 2
    area = width * height
    if is_traced((width, height)):
        corners = _array([[-x, -y], [x, -y], [x, y], [-x, y]])
        return Shape(corners, 0.0, area, area * (width * width + height * height) / 12)
    return polygon([[-x, -y], [x, -y], [x, y], [-x, y]])


@checked
def polygon(corners: Corners) -> Shape:
    """A convex polygon, its corners (k, 2) counter-clockwise; it is moved so that its centroid is at 0.

    Raises ArgumentError for fewer than three corners, a wrong turn, three corners on a line, or sides that
    cross.
    """
    p = _array(corners)
    if len(p) < 3:
        raise ArgumentError(f"polygon: corners are {len(p)}; wanted three or more")
    if not is_traced(p):
        _check_outline(np.asarray(p))
    return _measured(p)


def _check_outline(p: NumpyArray) -> None:
    """Raise ArgumentError unless corners (k, 2) go round once, to the left."""
    sides = np.roll(p, -1, axis=0) - p
    after, long = np.roll(sides, -1, axis=0), np.hypot(*sides.T)
    left = _cross(sides, after) > SHARPEST * long * np.roll(long, -1)
    if not left.all():
        k = (int(np.argmin(left)) + 1) % len(p)
        raise ArgumentError(
            f"polygon: corners[{k}] is no turn to the left; wanted one at each: they go"
            " round counter-clockwise"
        )
    turned = np.arctan2(np.asarray(_cross(sides, after)), (sides * after).sum(axis=1)).sum() / (
        2 * np.pi
    )
    if round(turned) != 1:
        raise ArgumentError(
            f"polygon: corners go round {round(turned)} times, and sides cross; wanted the corners of an"
            " outline, once round"
        )


def _measured(p: Array) -> Shape:
    """The polygon with these corners, and what it weighs."""
    total: Callable[..., Any] = ra.sum if is_traced(p) else np.sum
    p = p - total(p, axis=0) / len(p)
    after = _next(p)
    c = _cross(p, after)
    centroid = total((p + after) * c[:, None], axis=0) / (3 * total(c))
    p, after = p - centroid, after - centroid
    c = _cross(p, after)
    squares = total(p * p + p * after + after * after, axis=1)
    area, moment = total(c) / 2, total(c * squares) / 12
    return Shape(p, 0.0, *((area, moment) if is_traced(p) else (float(area), float(moment))))


def _array(rows: Corners) -> Array:
    """Rows of numbers some of which may be traced."""
    if is_traced(rows):
        return ra.array([ra.array([1.0 * v for v in row]) for row in rows])
    return np.array(rows, float)


def _next(p: Array) -> Array:
    """The row after each, round and round."""
    return ra.concat([p[1:], p[:1]]) if is_traced(p) else np.roll(np.asarray(p), -1, axis=0)


def _cross(a: Array, b: Array) -> Array:
    return a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]
