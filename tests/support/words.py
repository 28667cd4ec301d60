"""Words of a picture that lie over a line, an edge or each other, judged by the picture alone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from rosephys.scene.letters import extent
from rosephys.scene.picture import Arrow, Ellipses, Lines, Picture, Polygon, Polyline, Text


def segments(picture: Picture) -> Iterator[tuple[Any, Any]]:
    """The straight lines that are drawn, from end to end."""
    for shape in picture.shapes:
        if isinstance(shape, Lines):
            yield from zip(shape.starts, shape.ends, strict=True)
        elif isinstance(shape, Arrow):
            yield shape.start, np.add(shape.start, shape.vector)
        elif isinstance(shape, Polyline):
            yield from zip(shape.points[:-1], shape.points[1:], strict=True)
        elif isinstance(shape, Polygon) and shape.outline:
            yield from zip(shape.points, np.roll(shape.points, -1, axis=0), strict=True)


def meets(low: np.ndarray, high: np.ndarray, start: Any, end: Any) -> bool:
    """Whether a line enters a box (Liang, Barsky 1984)."""
    start, way = np.asarray(start), np.subtract(end, start)
    first, last = 0.0, 1.0
    for k in range(2):
        if abs(way[k]) < 1e-12:
            if not low[k] < start[k] < high[k]:
                return False
            continue
        a, b = sorted(((low[k] - start[k]) / way[k], (high[k] - start[k]) / way[k]))
        first, last = max(first, a), min(last, b)
    return first < last


def crossed(low: np.ndarray, high: np.ndarray, shape: Ellipses) -> bool:
    """Whether the edge of an ellipse enters a box, or a dot lies in it."""
    for centre, radii in zip(np.asarray(shape.centres), np.asarray(shape.radii), strict=True):
        a, b = (low - centre) / radii, (high - centre) / radii  # the ellipse is the unit circle now
        nearest = np.hypot(*np.clip(0.0, a, b))
        farthest = np.hypot(*np.maximum(abs(a), abs(b)))
        if nearest < 1 < farthest or (not shape.outline and nearest < 1):
            return True
    return False


def covered(picture: Picture) -> list[str]:
    """The words that lie over a line, an edge or each other."""
    boxes = []
    for shape in picture.shapes:
        if isinstance(shape, Text):
            half = np.array(extent(shape.text, shape.size)) / 2
            boxes.append((shape.text, shape.position - half, shape.position + half))
    lines = list(segments(picture))
    found = []
    for k, (text, low, high) in enumerate(boxes):
        over = any(meets(low, high, *line) for line in lines)
        over |= any(crossed(low, high, s) for s in picture.shapes if isinstance(s, Ellipses))
        over |= any((low < b).all() and (a < high).all() for _, a, b in boxes[:k])
        found += [text] * over
    return found
