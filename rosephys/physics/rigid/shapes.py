r"""Convex shapes of the plane: circle, capsule, polygon, and what follows from an outline alone.

A shape is the set of points within `radius` of the convex hull of its `corners`: a circle has one corner, a
capsule two, a polygon three or more and no radius. Corners go counter-clockwise and are taken about the
centroid, which is a body's centre of mass. Per unit of density, a shape of area A has the polar second moment J
about its centroid:

    circle     A = π r²            J = A r² / 2
    capsule    A = π r² + 2 r l    J = r l (4 r² + l²) / 6 + π r² (r²/2 + l²/4) + 4 r³ l / 3
    polygon    A = ½ Σ c_k         J = 1/12 Σ c_k (p_k·p_k + p_k·p_k+1 + p_k+1·p_k+1),   c_k = p_k × p_k+1

with l from one end of the capsule to the other.

Lengths are in metres. Source: integration over the shape; for polygons Green's theorem.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, TypeAlias

import numpy as np

from rosephys.errors import ArgumentError

from ..checked import checked
from ..quantities import ABOVE_0, FROM_0, Axes, Between, NumpyArray

Length: TypeAlias = Annotated[float, Between(1e-30, 1e30)]
"""In metres; areas and moments of shapes of other sizes are no floats."""
Corners: TypeAlias = Annotated[
    Sequence[Sequence[float]] | NumpyArray, Axes("k", 2), Between(-1e30, 1e30)
]
SHARPEST = 1e-12
"""The least sine of the turn at a corner."""


@checked
@dataclass(frozen=True)
class Shape:
    """All points within `radius` of the hull of `corners` (k, 2), which are about the centroid.

    With `pieces` it is all of these, which are convex and lie as they are given; `corners` go round them.
    """

    corners: Annotated[NumpyArray, Axes(..., 2)]
    radius: Annotated[float, FROM_0]
    area: Annotated[float, ABOVE_0]
    moment: Annotated[float, ABOVE_0]
    pieces: tuple[Shape, ...] = ()

    @property
    def parts(self) -> tuple[Shape, ...]:
        """The convex shapes that it is made of."""
        return self.pieces or (self,)

    @property
    def outline(self) -> NumpyArray:
        """A closed curve round the shape, (m, 2), for a picture."""
        if not self.radius or self.pieces:
            return self.corners
        around = np.linspace(0, 2 * np.pi, 48, endpoint=False)
        rim = self.radius * np.stack([np.cos(around), np.sin(around)], axis=1)
        # the farthest corner along each direction, which is the support of the hull
        return np.asarray(self.corners[np.argmax(rim @ self.corners.T, axis=1)] + rim)


@checked
def circle(radius: Length) -> Shape:
    """A circle."""
    area = np.pi * radius**2
    return Shape(np.zeros((1, 2)), radius, area, area * radius**2 / 2)


@checked
def capsule(length: Length, radius: Length) -> Shape:
    """A capsule along x: all within `radius` of a segment of that length."""
    ends = np.array([[-length / 2, 0.0], [length / 2, 0.0]])
    cap = np.pi * radius**2
    rectangle = radius * length * (4 * radius**2 + length**2) / 6
    moment = rectangle + cap * (radius**2 / 2 + length**2 / 4) + 4 * radius**3 * length / 3
    return Shape(ends, radius, cap + 2 * radius * length, moment)


@checked
def box(width: Length, height: Length) -> Shape:
    """A rectangle."""
    signs = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]])
    return polygon(signs * (width / 2, height / 2))


@checked
def polygon(corners: Corners) -> Shape:
    """A convex polygon, its corners (k, 2) counter-clockwise; it is moved so that its centroid is at 0.

    Raises ArgumentError for fewer than three corners, a wrong turn, three corners on a line, or sides that
    cross.
    """
    p = np.array(corners, float)
    if len(p) < 3:
        raise ArgumentError(f"polygon: corners are {len(p)}; wanted three or more")
    sides = np.roll(p, -1, axis=0) - p
    after, long = np.roll(sides, -1, axis=0), np.hypot(*sides.T)
    left = _cross(sides, after) > SHARPEST * long * np.roll(long, -1)
    if not left.all():
        k = (int(np.argmin(left)) + 1) % len(p)
        raise ArgumentError(
            f"polygon: corners[{k}] is no turn to the left; wanted one at each: they go"
            " round counter-clockwise"
        )
    turned = np.arctan2(_cross(sides, after), (sides * after).sum(axis=1)).sum() / (2 * np.pi)
    if round(turned) != 1:
        raise ArgumentError(
            f"polygon: corners go round {round(turned)} times, and sides cross; wanted the corners of an"
            " outline, once round"
        )
    p -= p.mean(axis=0)
    after = np.roll(p, -1, axis=0)
    c = _cross(p, after)
    centroid = ((p + after) * c[:, None]).sum(axis=0) / (3 * c.sum())
    p, after = p - centroid, after - centroid
    c = _cross(p, after)
    squares = (p * p + p * after + after * after).sum(axis=1)
    return Shape(p, 0.0, float(c.sum() / 2), float(c @ squares / 12))


def _cross(a: NumpyArray, b: NumpyArray) -> NumpyArray:
    return np.asarray(a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0])
