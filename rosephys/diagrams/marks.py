"""What a diagram looks like where its shapes are: closed shapes first, then lines, points and words."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from ..scene.picture import Arrow, Ellipses, Lines, Picture, Polygon, Polyline, Text
from ..scene.picture import Shape as Mark
from .description import Description
from .parallels import asides
from .shapes import LOOP, OPEN, Look, Shape

APART = 2.0  # pixels from the edge of a shape to where an arrow begins or ends
SMALL = 1e-9
HEAD = 0.7  # rad of a loop that its arrow's head takes
DOUBLE = 2.0  # widths from the middle of a double line to either of its lines


def drawn(diagram: Description, points: Any, sizes: Any, numbers: Any) -> Picture:
    """The picture for points (n, 2) and sizes (m,): of numpy with `numbers` numpy, traced ones with rose_ad."""
    half = (diagram.width / 2, diagram.height / 2)
    shapes = [shape for shape in diagram.shapes if shape is not diagram.canvas]
    marks = [
        *_closed([shape for shape in shapes if shape.closed], points, sizes, numbers),
        *_lines(
            [shape for shape in shapes if shape.straight and shape.look.outline],
            points,
            sizes,
            numbers,
        ),
        *(mark for s in shapes if s.kind == "loop" for mark in _loop(s, points, numbers)),
        *_dots([s for s in shapes if s.kind == "point" and s.look.fill], diagram.style.dot, points),
        *(
            Text(points[s.start], s.look.text, s.look.fill, s.look.size, scaled=True)
            for s in shapes
            if s.kind == "text"
        ),
    ]
    return Picture(tuple(marks), (-half[0], -half[1], half[0], half[1]), "canvas")


def _closed(shapes: Sequence[Shape], points: Any, sizes: Any, numbers: Any) -> Iterator[Mark]:
    """Boxes and polygons, then circles and ellipses, those of one look as one mark."""
    looks: dict[Look, list[Shape]] = {}
    for shape in shapes:
        if shape.kind in ("circle", "ellipse"):
            looks.setdefault(shape.look, []).append(shape)
        else:
            yield from _angular(shape, points, sizes, numbers)
    for alike in looks.values():
        yield _ellipses(alike, points, sizes)


def _ellipses(shapes: Sequence[Shape], points: Any, sizes: Any) -> Ellipses:
    look = shapes[0].look
    centres = points[np.array([shape.start for shape in shapes])]
    radii = sizes[np.array([shape.sizes[2:] for shape in shapes])]
    return Ellipses(centres, radii, look.fill, look.outline, look.width, look.opacity)


def _angular(shape: Shape, points: Any, sizes: Any, numbers: Any) -> Iterator[Mark]:
    if shape.corners:
        around = points[np.array([corner.start for corner in shape.corners])]
    else:
        half = sizes[np.array(shape.sizes[:2])]
        around = points[shape.start] + np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)]) * half
    look = shape.look
    if look.fill:
        yield Polygon(around, look.fill, look.outline, look.width, look.opacity)
    elif look.outline:
        closed = numbers.concatenate([around, around[:1]])
        yield Polyline(closed, look.outline, look.width)


def _lines(shapes: Sequence[Shape], points: Any, sizes: Any, numbers: Any) -> Iterator[Mark]:
    """Lines of one look as one mark; each arrow is one."""
    looks: dict[Look, list[Shape]] = {}
    aside = asides(shapes)
    for shape in shapes:
        looks.setdefault(shape.look, []).append(shape)
    for look, alike in looks.items():
        starts, ends = _clipped(alike, points, sizes, numbers)
        left = np.array([aside.get(shape, 0.0) for shape in alike])
        if left.any():
            starts, ends = _moved(starts, ends, left, numbers)
        plain = np.array([k for k, shape in enumerate(alike) if shape.kind == "line"], int)
        if len(plain) and not look.dashed:
            yield from _plain(look, starts[plain], ends[plain], numbers)
        for k, shape in enumerate(alike):
            if shape.kind == "arrow":
                yield Arrow(starts[k], ends[k] - starts[k], look.outline, look.width)
            elif look.dashed:
                yield Polyline(numbers.stack([starts[k], ends[k]]), look.outline, look.width, True)


def _loop(shape: Shape, points: Any, numbers: Any) -> Iterator[Mark]:
    """Most of a circle about its own point, open towards the shape that it joins."""
    centre, look = points[shape.start], shape.look
    gap = points[shape.ends[0].start] - centre
    way = gap / numbers.sqrt(numbers.sum(gap * gap) + SMALL)
    across = numbers.stack([-way[1], way[0]])
    last = 2 * math.pi - OPEN
    turns = np.append(np.linspace(OPEN, last - HEAD, 20), last)[:, None]
    around = centre + LOOP * (np.cos(turns) * way + np.sin(turns) * across)
    yield Polyline(around[:-1], look.outline, look.width, look.dashed)
    start, end = around[-2], around[-1]
    if look.head:
        yield Arrow(start, end - start, look.outline, look.width)
    else:
        yield Polyline(around[-2:], look.outline, look.width, look.dashed)


def _plain(look: Look, starts: Any, ends: Any, numbers: Any) -> Iterator[Mark]:
    if not look.double:
        yield Lines(starts, ends, look.outline, look.width)
        return
    for side in (-DOUBLE * look.width, DOUBLE * look.width):
        left = np.full(len(starts), side)
        yield Lines(*_moved(starts, ends, left, numbers), look.outline, look.width)


def _moved(starts: Any, ends: Any, left: Any, numbers: Any) -> tuple[Any, Any]:
    """Lines (n, 2), so many pixels (n,) to their left."""
    along = ends - starts
    length = numbers.sqrt(numbers.sum(along * along, axis=1) + SMALL)
    aside = numbers.stack([-along[:, 1] / length, along[:, 0] / length], axis=1) * left[:, None]
    return starts + aside, ends + aside


def _clipped(shapes: Sequence[Shape], points: Any, sizes: Any, numbers: Any) -> tuple[Any, Any]:
    """Where lines (n, 2) begin and end: at the edges of the shapes that they join."""
    one, other = (points[np.array([getattr(s, end) for s in shapes])] for end in ("start", "end"))
    along = other - one
    length = numbers.sqrt(numbers.sum(along * along, axis=1) + SMALL)
    way = along / length[:, None]
    begin, finish = (
        numbers.minimum(_edge([s.ends[k] for s in shapes], way, sizes, numbers), 0.45 * length)
        for k in (0, 1)
    )
    return one + begin[:, None] * way, other - finish[:, None] * way


def _edge(shapes: Sequence[Shape], way: Any, sizes: Any, numbers: Any) -> Any:
    """How far from their centres the edges of shapes are, (n,), in these directions (n, 2)."""
    size = sizes[np.array([shape.sizes for shape in shapes])]
    box, oval = size[:, :2], size[:, 2:]
    across = abs(way) + SMALL
    to_side = numbers.minimum(box[:, 0] / across[:, 0], box[:, 1] / across[:, 1])
    u, v = way[:, 0] / (oval[:, 0] + SMALL), way[:, 1] / (oval[:, 1] + SMALL)
    to_rim = 1 / numbers.sqrt(u * u + v * v + SMALL)
    solid = np.array([shape.closed or shape.kind == "text" for shape in shapes])
    return numbers.maximum(to_side, to_rim) + np.where(solid, APART, 0.0)


def _dots(shapes: Sequence[Shape], radius: float, points: Any) -> Iterator[Mark]:
    looks: dict[str, list[Shape]] = {}
    for shape in shapes:
        looks.setdefault(shape.look.fill, []).append(shape)
    for colour, alike in looks.items():
        centres = points[np.array([shape.start for shape in alike])]
        yield Ellipses(centres, np.full((len(alike), 2), radius), colour)
