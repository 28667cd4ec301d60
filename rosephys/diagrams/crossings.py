"""How often the lines of a diagram cross, by which layouts are chosen among."""

from __future__ import annotations

import numpy as np

from .description import Description
from .tables import Floats


def crossings(diagram: Description, points: Floats) -> int:
    """The pairs of lines that are drawn, join no shape in common, and cross; `points` are (n, 2)."""
    lines = [shape for shape in diagram.shapes if shape.straight and shape.look.outline]
    if len(lines) < 2:
        return 0
    joined = np.array([(line.start, line.end) for line in lines])
    starts, ends = points[joined[:, 0]], points[joined[:, 1]]
    apart = (joined[:, None, :, None] != joined[None, :, None, :]).all(axis=(2, 3))
    one = _side(starts[:, None], ends[:, None], starts[None]) * _side(
        starts[:, None], ends[:, None], ends[None]
    )
    crossed = (one < 0) & (one.T < 0) & apart
    return int(np.count_nonzero(np.triu(crossed, 1)))


def _side(a: Floats, b: Floats, c: Floats) -> Floats:
    """On which side of the line from a to b each c is, by sign."""
    along, across = b - a, c - a
    return np.asarray(along[..., 0] * across[..., 1] - along[..., 1] * across[..., 0])
