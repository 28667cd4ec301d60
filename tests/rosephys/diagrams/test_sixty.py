"""Sixty diagrams of eight kinds: what must hold does, and no word lies over a line that is drawn.

The second is judged by what is in the picture alone: boxes of words against lines, edges and outlines.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from rosephys.scene.letters import extent
from rosephys.scene.picture import Arrow, Ellipses, Lines, Picture, Polygon, Polyline, Text
from tests.docs.test_examples import example

EXAMPLES = example("diagrams").examples()
ONE_OF_EACH = [
    next(n for n in EXAMPLES if n.startswith(k))
    for k in dict.fromkeys(n.split(",")[0] for n in EXAMPLES)
]
TOLERANCE = 1e-3


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


def check(name: str) -> None:
    layout = EXAMPLES[name]().layout()
    assert layout.violation < TOLERANCE and not layout.off()
    assert covered(layout.picture) == []


def test_there_are_sixty() -> None:
    assert len(EXAMPLES) == 60


@pytest.mark.parametrize("name", ONE_OF_EACH)
def test_a_diagram_of_each_kind_is_as_it_should(name: str) -> None:
    check(name)


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in EXAMPLES if name not in ONE_OF_EACH])
def test_diagrams_are_as_they_should(name: str) -> None:
    check(name)


def test_a_word_over_a_line_is_found() -> None:
    word = Text(np.zeros(2), "word", "text", 16.0, scaled=True)
    for over in (
        Lines([(-50.0, 3.0)], [(50.0, -3.0)], "dim"),
        Ellipses(np.array([(0.0, 0.0)]), np.array([(10.0, 10.0)]), "", "dim"),
        Ellipses(np.array([(0.0, 0.0)]), np.array([(3.0, 3.0)]), "dim"),
        Text(np.array([5.0, 2.0]), "other", "text", 16.0, scaled=True),
    ):
        assert covered(Picture((over, word), (-60.0, -40.0, 60.0, 40.0)))
    beside = Lines([(-50.0, 30.0)], [(50.0, 30.0)], "dim")
    around = Ellipses(np.array([(0.0, 0.0)]), np.array([(40.0, 30.0)]), "dim", "dim")
    assert not covered(Picture((beside, around, word), (-60.0, -40.0, 60.0, 40.0)))
