"""The energy of a diagram: one program for all diagrams, of which each is data.

A diagram is arrays: `points` (n, 2), `sizes` (m,), `shapes` (s, 6), rows of indices into them, and relations,
of which each is a measure of up to four shapes that should be between a low and a high:

    energy = Σ weight (measure - clip(measure, low, high))²,    weight = `hard` for what must hold

What must hold is so by an exterior-point penalty (Fiacco, McCormick 1968): `hard` grows from one descent to
the next. Nothing of a diagram is in the program but the lengths of these arrays, which are rounded up to a
few: so the program is compiled once, kept on disk, and a new diagram needs no compiling.
"""

from __future__ import annotations

import math
from enum import IntEnum
from typing import Any

import rose_ad as ra

from .measures import TINY, Outline, apart_along_an_axis, depth, gap

SCALE = 100.0  # pixels that a sine, a cosine or 2 radians are worth


class Measure(IntEnum):
    """What a relation bounds; i, j, k, l are its shapes, a and b its numbers."""

    GAP = 0  # how far i and j are apart
    DEPTH = 1  # how far j is within i
    DISTANCE = 2  # of the centres of i and j
    OFFSET = 3  # (i - j - k + l)·(a, b), of centres
    SIZE = 4  # size i - a size j - b size k
    LENGTH = 5  # of the line i less a times that of j
    CROSS = 6  # SCALE times the sine between lines i and j
    DOT = 7  # SCALE times the cosine
    NEARNESS = 8  # a over the distance of the centres of i and j
    SIDE = 9  # how far i is on one side, by the sign a, of the line at the angle size j and the offset size k
    BESIDE = 10  # how far i is to the left of the line j, or to its right where a < 0


@ra.struct
class Places:
    """What can move: points (n, 2) and sizes (m,)."""

    points: ra.Vec
    sizes: ra.Vec


@ra.struct
class Tables:
    """A diagram's description: `shapes` (s, 6) has for each the two points of its line and the sizes w, h, a,
    b; `free_points` (n,) and `free_sizes` (m,) are 1 for what may move and 0 for what is fixed; relations are
    `measures` (t,), `ends` (t, 4), `numbers` (t, 2), `low`, `high`, `weights` (t,), a negative weight for what
    must hold."""

    free_points: ra.Vec
    free_sizes: ra.Vec
    shapes: ra.Vec
    measures: ra.Vec
    ends: ra.Vec
    numbers: ra.Vec
    low: ra.Vec
    high: ra.Vec
    weights: ra.Vec


def held(layout: Places, tables: Tables) -> Places:
    """The layout with what is fixed held fixed: it has no derivative."""
    points, sizes, n = layout.points, layout.sizes, layout.points.shape[0]
    fixed, stiff = ra.stop_gradient(points), ra.stop_gradient(sizes)
    free = tables.free_points
    return Places(
        ra.build(n, lambda i: ra.where(free[i] > 0, points[i], fixed[i])),
        ra.where(tables.free_sizes > 0, sizes, stiff),
    )


def outline(layout: Places, tables: Tables, i: Any) -> Outline:
    """The shape i."""
    row = tables.shapes[i]
    p, q = layout.points[row[0]], layout.points[row[1]]
    w, h, a, b = (layout.sizes[row[k]] for k in range(2, 6))
    return Outline(
        0.5 * (p[0] + q[0]),
        0.5 * (p[1] + q[1]),
        w,
        h,
        a,
        b,
        0.5 * (q[0] - p[0]),
        0.5 * (q[1] - p[1]),
    )


@ra.fn
def energy(places: Places, tables: Tables, hard: ra.Real, soft: ra.Real) -> Any:
    """The energy, of what must hold times `hard` and what is wanted times `soft`."""
    now = held(places, tables)
    total = ra.accum()
    for t in ra.range(tables.measures.shape[0]):
        weight = tables.weights[t]
        for kind in Measure:
            with ra.when((tables.measures[t] == int(kind)) & (weight != 0)):
                with ra.when(_matters(kind, now, tables, t)):
                    excess = _excess(kind, now, tables, t)
                    total += ra.where(weight < 0, -hard, soft) * weight * excess * excess
    return total.freeze()


@ra.fn
def excesses(places: Places, tables: Tables) -> Any:
    """By how much each relation (t,) is off."""
    now = held(places, tables)
    total = ra.accum(tables.measures.shape[0])
    for t in ra.range(tables.measures.shape[0]):
        for kind in Measure:
            with ra.when((tables.measures[t] == int(kind)) & (tables.weights[t] != 0)):
                total[t] += _excess(kind, now, tables, t)
    return total.freeze()


def _excess(kind: Measure, now: Places, tables: Tables, t: Any) -> Any:
    value = MEASURES[kind](now, tables, tables.ends[t], tables.numbers[t])
    return value - ra.clip(value, tables.low[t], tables.high[t])


def _matters(kind: Measure, now: Places, tables: Tables, t: Any) -> Any:
    """Whether a relation can be off: shapes whose bounding boxes are apart are."""
    if kind is not Measure.GAP:
        return True
    apart = apart_along_an_axis(*_pair(now, tables, tables.ends[t]))
    return (apart < tables.low[t]) | (tables.high[t] < math.inf)


def _pair(now: Places, tables: Tables, ends: Any) -> tuple[Outline, Outline]:
    return outline(now, tables, ends[0]), outline(now, tables, ends[1])


def _distance(now: Places, tables: Tables, ends: Any, numbers: Any) -> Any:
    one, other = _pair(now, tables, ends)
    x, y = other.x - one.x, other.y - one.y
    return ra.sqrt(x * x + y * y + TINY)


def _offset(now: Places, tables: Tables, ends: Any, numbers: Any) -> Any:
    i, j, k, l = (outline(now, tables, ends[m]) for m in range(4))
    return numbers[0] * (i.x - j.x - k.x + l.x) + numbers[1] * (i.y - j.y - k.y + l.y)


def _size(now: Places, tables: Tables, ends: Any, numbers: Any) -> Any:
    z = now.sizes
    return z[ends[0]] - numbers[0] * z[ends[1]] - numbers[1] * z[ends[2]]


def _lengths(now: Places, tables: Tables, ends: Any) -> tuple[Outline, Outline, Any, Any]:
    one, other = _pair(now, tables, ends)
    return one, other, *(ra.sqrt(s.dx * s.dx + s.dy * s.dy + TINY) for s in (one, other))


def _length(now: Places, tables: Tables, ends: Any, numbers: Any) -> Any:
    _, _, this, that = _lengths(now, tables, ends)
    return 2 * (this - numbers[0] * that)


def _cross(now: Places, tables: Tables, ends: Any, numbers: Any) -> Any:
    one, other, this, that = _lengths(now, tables, ends)
    return SCALE * (one.dx * other.dy - one.dy * other.dx) / (this * that)


def _dot(now: Places, tables: Tables, ends: Any, numbers: Any) -> Any:
    one, other, this, that = _lengths(now, tables, ends)
    return SCALE * (one.dx * other.dx + one.dy * other.dy) / (this * that)


def _beside(now: Places, tables: Tables, ends: Any, numbers: Any) -> Any:
    shape, line = _pair(now, tables, ends)
    length = ra.sqrt(line.dx * line.dx + line.dy * line.dy + TINY)
    nx, ny = -line.dy / length, line.dx / length
    beyond = (shape.x - line.x) * nx + (shape.y - line.y) * ny
    return ra.where(numbers[0] < 0, -beyond, beyond) - shape.reach(nx, ny)


def _side(now: Places, tables: Tables, ends: Any, numbers: Any) -> Any:
    shape = outline(now, tables, ends[0])
    angle = now.sizes[ends[1]] * (2 / SCALE)
    nx, ny = ra.cos(angle), ra.sin(angle)
    beyond = shape.x * nx + shape.y * ny - now.sizes[ends[2]]
    return numbers[0] * beyond - shape.reach(nx, ny)


MEASURES: dict[Measure, Any] = {
    Measure.GAP: lambda now, tables, ends, numbers: gap(*_pair(now, tables, ends)),
    Measure.DEPTH: lambda now, tables, ends, numbers: depth(*_pair(now, tables, ends)),
    Measure.DISTANCE: _distance,
    Measure.OFFSET: _offset,
    Measure.SIZE: _size,
    Measure.LENGTH: _length,
    Measure.CROSS: _cross,
    Measure.DOT: _dot,
    Measure.NEARNESS: lambda *what: what[3][0] / (1.0 + _distance(*what)),
    Measure.SIDE: _side,
    Measure.BESIDE: _beside,
}
