r"""Terrain: a chain of fixed segments with solid ground behind it, open or closed.

Bodies are on the left of the way from the first point to the last: a landscape is given from left to right, a
room counter-clockwise, and an island clockwise. Each segment is the face of a convex part, which reaches
`thickness` behind it and is bounded by the bisectors of its angles with the next and the last one; where two
bisectors cross first, it ends there. Parts are flush, and what moves sees one body (`seams`).
"""

from __future__ import annotations

from typing import Annotated

import numpy as np

from rosephys.errors import ArgumentError

from ..checked import checked
from ..quantities import Between, NumpyArray
from .shapes import Corners, Shape

SHARPEST = np.deg2rad(170.0)
"""The sharpest turn from one segment to the next."""


@checked
def terrain(
    points: Corners, thickness: Annotated[float, Between(1e-30, 1e30)], closed: bool = False
) -> Shape:
    """The shape of a fixed body that lies with its points (k, 2) where they are given, if it is at 0.

    `closed` adds a segment from the last to the first. Raises ArgumentError for fewer than two points (three if
    closed), two in one place, and a turn by more than 170 degrees.
    """
    p = np.array(points, float)
    least = 3 if closed else 2
    if len(p) < least:
        raise ArgumentError(f"terrain: points are {len(p)}; wanted {least} or more")
    ends = np.concatenate([p, p[:1]]) if closed else p
    way = np.diff(ends, axis=0)
    length = np.hypot(way[:, 0], way[:, 1])
    if not (length > 0).all():
        raise ArgumentError(
            f"terrain: points {_next(p, int(np.argmin(length)))} are one place; wanted two"
        )
    along = way / length[:, None]
    back = _bisectors(along, closed)
    pieces = [
        _piece(ends[k : k + 2], along[k], back[k : k + 2], thickness) for k in range(len(way))
    ]
    rim = ends + thickness * back
    outline = np.concatenate([ends, rim[::-1]])
    return Shape(
        outline, 0.0, sum(s.area for s in pieces), sum(s.moment for s in pieces), tuple(pieces)
    )


def _next(p: NumpyArray, k: int) -> str:
    return f"{k} and {(k + 1) % len(p)}"


def _bisectors(along: NumpyArray, closed: bool) -> NumpyArray:
    """At each end of a segment the way (2,) that is 1 behind both of its segments."""
    behind = np.stack([along[:, 1], -along[:, 0]], axis=1)
    before = np.concatenate([behind[-1:] if closed else behind[:1], behind])
    after = np.concatenate([behind, behind[:1] if closed else behind[-1:]])
    share = 1 + (before * after).sum(axis=1)
    sharp = share < 1 + np.cos(SHARPEST)
    if sharp.any():
        raise ArgumentError(
            f"terrain: points turn back at point {np.argmax(sharp) % (len(along) + (not closed))}: by more than"
            f" {np.rad2deg(SHARPEST):g} degrees; put a short segment between"
        )
    return np.asarray((before + after) / share[:, None])


def _piece(ends: NumpyArray, along: NumpyArray, back: NumpyArray, thickness: float) -> Shape:
    """The ground behind one segment."""
    length = (ends[1] - ends[0]) @ along
    closing = (back[0] - back[1]) @ along  # how fast its sides come together
    deepest = length / closing if closing > 0 else np.inf
    if deepest <= thickness * (1 + 1e-9):
        corners = np.array([ends[1], ends[0], ends[0] + deepest * back[0]])
    else:
        corners = np.concatenate([ends[::-1], ends + thickness * back])
    after = np.roll(corners, -1, axis=0)
    c = corners[:, 0] * after[:, 1] - corners[:, 1] * after[:, 0]
    squares = (corners * corners + corners * after + after * after).sum(axis=1)
    return Shape(corners, 0.0, float(c.sum() / 2), float(c @ squares / 12))
