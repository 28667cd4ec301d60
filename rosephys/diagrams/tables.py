"""A diagram as arrays: what its energy reads, and where a layout begins."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .description import Description
from .energy import SCALE, Measure, Places, Tables
from .errors import DiagramError
from .implied import rules
from .relations import HUNDRED, Relation
from .shapes import Shape

Floats = NDArray[np.float64]

PENALTY = -1.0  # the weight of what must hold
IN_PIXELS = {
    Measure.DISTANCE,
    Measure.OFFSET,
    Measure.LENGTH,
    Measure.GAP,
    Measure.DEPTH,
    Measure.SIZE,
}


def relations(diagram: Description) -> list[Relation]:
    """What is said of a diagram, and what goes without saying."""
    return [*diagram.relations, *rules(diagram)]


def tables(
    diagram: Description, said: Sequence[Relation], early: bool = False, exact: bool = False
) -> Tables:
    """The arrays, of lengths that are rounded up unless they are to be `exact`; `early`, without what is said
    of labels."""
    lengths = (len(diagram.points), len(diagram.sizes), diagram.rows, max(len(said), 1))
    if not exact:
        points, sizes, rows = (room(length) for length in lengths[:3])
        lengths = (points, sizes, rows, room(len(said), 256))
    points, sizes, rows, count = lengths
    shapes = np.zeros((rows, 6), np.int64)
    solid = [shape for shape in diagram.shapes if not shape.corners]
    shapes[: len(solid)] = [(s.start, s.end, *s.sizes) for s in solid]
    kept = [r for r in said if not (early and r.late)]

    def column(values: list[Any], kind: Any, *more: int) -> Any:
        out = np.zeros((count, *more), kind)
        if values:
            out[: len(values)] = values
        return out

    return Tables(
        _padded([point.free for point in diagram.points], points),
        _padded([size.free for size in diagram.sizes], sizes),
        shapes,
        column([int(r.measure) for r in kept], np.int64),
        column([r.ends for r in kept], np.int64, 4),
        column([r.numbers for r in kept], np.float64, 2),
        column([r.low for r in kept], np.float64),
        column([r.high for r in kept], np.float64),
        column([_weight(r) for r in kept], np.float64),
    )


def room(count: int, least: int = 32) -> int:
    """The length that an array for so many is given: one of few, so that few programs are compiled."""
    return max(least, 1 << (count - 1).bit_length())


def _weight(relation: Relation) -> float:
    if relation.weight is None:
        return PENALTY
    return relation.weight / (HUNDRED**2 if relation.measure in IN_PIXELS else 1.0)


def _padded(values: Sequence[Any], length: int) -> Floats:
    out = np.zeros(length)
    out[: len(values)] = values
    return out


def start(diagram: Description, random: np.random.Generator) -> Places:
    """Where a layout begins: places and sizes at random, but for what is given; labels by what they name."""
    half = 0.32 * np.array([diagram.width, diagram.height])
    points = np.zeros((room(len(diagram.points)), 2))
    for k, point in enumerate(diagram.points):
        if point.at is not None:
            points[k] = point.at
            if point.free:
                points[k] += random.normal(0, 4, 2)
        elif point.beside:
            points[k] = points[list(point.beside)].mean(axis=0) + random.normal(0, 4, 2)
        else:
            points[k] = random.uniform(-half, half)
    sizes = _padded([size.value for size in diagram.sizes], room(len(diagram.sizes)))
    for k, size in enumerate(diagram.sizes):
        if size.free:
            sizes[k] *= random.uniform(0.7, 1.4)
    _round_polygons(diagram, points, random)
    _between(diagram, points, sizes)
    return Places(points, sizes)


def _round_polygons(diagram: Description, points: Floats, random: np.random.Generator) -> None:
    """The free corners of polygons begin in order about their middle."""
    for shape in diagram.shapes:
        places = [corner.start for corner in shape.corners]
        if places and all(diagram.points[place].free for place in places):
            turn = random.uniform(0, 2 * math.pi) + 2 * math.pi * np.arange(len(places)) / len(
                places
            )
            middle = points[places].mean(axis=0)
            points[places] = middle + 5 * diagram.style.smallest * np.stack(
                [np.cos(turn), np.sin(turn)], axis=1
            )


def _between(diagram: Description, points: Floats, sizes: Floats) -> None:
    """Lines that separate shapes begin half way between them."""
    for line in diagram.separators:
        one, other = (_middle(points, shapes) for shapes in (line.one, line.other))
        angle = math.atan2(*(other - one)[::-1])
        sizes[line.angle] = angle * SCALE / 2
        sizes[line.offset] = (one + other) @ (math.cos(angle), math.sin(angle)) / 2


def _middle(points: Floats, shapes: Sequence[Shape]) -> Floats:
    return np.asarray(points[[shape.start for shape in shapes]].mean(axis=0))


def check(diagram: Description) -> None:
    """Raise DiagramError for a diagram without shapes."""
    if len(diagram.shapes) < 2:
        raise DiagramError('a diagram without shapes has no layout; add one, as by d.circle("A")')
