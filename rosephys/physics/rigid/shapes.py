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

import numpy as np

from rosephys.errors import SceneError

from ..quantities import NumpyArray


@dataclass(frozen=True)
class Shape:
    """All points within `radius` of the hull of `corners` (k, 2), which are about the centroid.

    With `pieces` it is all of these, which are convex and lie as they are given; `corners` go round them.
    """

    corners: NumpyArray
    radius: float
    area: float
    moment: float
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


def circle(radius: float) -> Shape:
    """A circle. Raises SceneError unless the radius is above 0."""
    _positive("the radius of a circle", radius)
    area = np.pi * radius**2
    return Shape(np.zeros((1, 2)), radius, area, area * radius**2 / 2)


def capsule(length: float, radius: float) -> Shape:
    """A capsule along x: all within `radius` of a segment of that length. Raises SceneError unless both
    are above 0."""
    _positive("the length of a capsule", length)
    _positive("the radius of a capsule", radius)
    ends = np.array([[-length / 2, 0.0], [length / 2, 0.0]])
    cap = np.pi * radius**2
    rectangle = radius * length * (4 * radius**2 + length**2) / 6
    moment = rectangle + cap * (radius**2 / 2 + length**2 / 4) + 4 * radius**3 * length / 3
    return Shape(ends, radius, cap + 2 * radius * length, moment)


def box(width: float, height: float) -> Shape:
    """A rectangle. Raises SceneError unless both sides are above 0."""
    _positive("the width of a box", width)
    _positive("the height of a box", height)
    signs = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]])
    return polygon(signs * (width / 2, height / 2))


def polygon(corners: Sequence[Sequence[float]] | NumpyArray) -> Shape:
    """A convex polygon, its corners (k, 2) counter-clockwise; it is moved so that its centroid is at 0.

    Raises SceneError for fewer than three corners, a wrong turn, three corners on a line, or sides that cross.
    """
    p = np.array(corners, float)
    if p.ndim != 2 or p.shape[1] != 2 or len(p) < 3:
        raise SceneError(f"a polygon takes three corners or more, (k, 2), not shape {p.shape}")
    sides = np.roll(p, -1, axis=0) - p
    if not (_cross(sides, np.roll(sides, -1, axis=0)) > 0).all():
        raise SceneError("a polygon's corners turn left at each, counter-clockwise and convex")
    after = np.roll(sides, -1, axis=0)
    turned = np.arctan2(_cross(sides, after), (sides * after).sum(axis=1)).sum() / (2 * np.pi)
    if round(turned) != 1:
        raise SceneError(
            f"a polygon's corners go round it once, and these go {round(turned)} times: its sides"
            " cross; give the corners of its outline"
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


def _positive(what: str, value: float) -> None:
    if not 0 < value < np.inf:
        raise SceneError(f"{what} must be above 0 and finite, not {value}")
