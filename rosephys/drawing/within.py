"""What of segments and polygons lies in the square |x|, |y| <= FAR, in pixels: no more of them is drawn.

Sources: Liang, Barsky, *A new concept and method for line clipping*, ACM TOG 3, 1984; Sutherland, Hodgman,
*Reentrant polygon clipping*, CACM 17, 1974.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rosephys.drawing.palette import FAR, Floats


def segments_within(starts: Floats, ends: Floats) -> tuple[Floats, Floats, NDArray[np.intp]]:
    """The parts of segments (n, 2)-(n, 2) within, and of which each is. What is not finite is left out."""
    which = np.flatnonzero(np.isfinite(starts).all(axis=1) & np.isfinite(ends).all(axis=1))
    starts, ends = starts[which], ends[which]
    if not len(which) or max(np.abs(starts).max(), np.abs(ends).max()) <= FAR:
        return starts, ends, which
    way = ends - starts
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        meets = np.stack([(side * FAR - starts) / way for side in (-1, 1)])
    outside = np.abs(starts) > FAR
    first, last = np.sort(meets, axis=0)
    still = way == 0
    first = np.where(still, np.where(outside, np.inf, -np.inf), first).max(axis=1)
    last = np.where(still, np.inf, last).min(axis=1)
    first, last = np.maximum(first, 0.0), np.minimum(last, 1.0)
    seen = first <= last
    begin = starts + np.where(seen, first, 0.0)[:, None] * way
    finish = np.where((last < 1)[:, None], starts + np.where(seen, last, 0.0)[:, None] * way, ends)
    return begin[seen], finish[seen], which[seen]


def polygon_within(points: Floats) -> Floats:
    """The corners (k, 2) of what of a polygon (n, 2) is within: none if one of its corners is not finite."""
    if not np.isfinite(points).all():
        return np.zeros((0, 2))
    for axis in (0, 1):
        for side in (-1, 1):
            points = _cut(points, axis, side)
    return points


def _cut(points: Floats, axis: int, side: int) -> Floats:
    """What of a polygon is on the near side of one edge of the square."""
    off = side * points[:, axis] - FAR
    if not (off > 0).any():
        return points
    kept: list[Floats] = []
    for k in range(len(points)):
        if (off[k] > 0) != (off[k - 1] > 0):
            share = off[k] / (off[k] - off[k - 1])
            kept.append(points[k] + share * (points[k - 1] - points[k]))
        if off[k] <= 0:
            kept.append(points[k])
    return np.array(kept).reshape(-1, 2)
