"""What is said of shapes: each statement as bounds of measures.

A statement holds, or, with a `weight`, is only wanted, the more the greater it is. Objectives are wanted
always; of weight 1, being off by 100 pixels costs 1.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise
from typing import Any

from .energy import SCALE, Measure
from .errors import DiagramError, asked_at
from .shapes import LINES, Shape, parts
from .style import Style

HUNDRED = 100.0  # pixels


@dataclass(frozen=True)
class Relation:
    """A measure of shapes or sizes that should be between `low` and `high`; it must, where there is no weight.
    `late` ones are of labels, which are placed when shapes are."""

    words: str
    where: str
    measure: Measure
    ends: tuple[int, int, int, int]
    numbers: tuple[float, float] = (0.0, 0.0)
    low: float = -math.inf
    high: float = math.inf
    weight: float | None = None
    late: bool = False


@dataclass(frozen=True)
class Separator:
    """A straight line, at the angle and the offset that these sizes say, with shapes on either side of it."""

    angle: int
    offset: int
    one: tuple[Shape, ...]
    other: tuple[Shape, ...]


class Relations:
    """The statements of a diagram; `Diagram` adds the shapes that they are of."""

    style: Style

    def __init__(self) -> None:
        self.relations: list[Relation] = []
        self.separators: list[Separator] = []
        self.within: set[tuple[Shape, Shape]] = set()  # (outer, inner)
        self.apart: set[frozenset[Shape]] = set()

    # ---- Sets ----

    def contains(
        self, outer: Shape, *inner: Shape, padding: float | None = None, weight: float | None = None
    ) -> None:
        """Shapes are in another, so far from its edge as `padding` says."""
        self._check("contains", outer, *inner, closed=1)
        padding = self.style.padding if padding is None else padding
        for shape in inner:
            words = f"contains({outer}, {shape})"
            self.within.add((outer, shape))
            for part in parts(shape):
                self._contain(words, outer, part, padding, weight)

    def _contain(
        self,
        words: str,
        outer: Shape,
        part: Shape,
        padding: float,
        weight: float | None,
        late: bool = False,
    ) -> None:
        for edge in outer.edges:
            self._say(words, Measure.BESIDE, part, edge, low=padding, weight=weight, late=late)
        if not outer.edges:
            self._say(words, Measure.DEPTH, outer, part, low=padding, weight=weight, late=late)

    def disjoint(
        self, *shapes: Shape, gap: float | None = None, weight: float | None = None
    ) -> None:
        """Each two of these shapes are apart, by `gap` or more."""
        self._check("disjoint", *shapes, least=2)
        gap = self.style.gap if gap is None else gap
        for one, other in combinations(shapes, 2):
            self.apart.add(frozenset((one, other)))
            self._part(f"disjoint({one}, {other})", one, other, gap, weight)

    def _part(
        self,
        words: str,
        one: Shape,
        other: Shape,
        gap: float,
        weight: float | None = None,
        late: bool = False,
    ) -> None:
        if not one.corners and not other.corners:
            self._say(words, Measure.GAP, one, other, low=gap, weight=weight, late=late)
            return
        angle, offset = self._size(0.0), self._size(0.0)
        self.separators.append(Separator(angle, offset, parts(one), parts(other)))
        for side, shapes in ((-1.0, parts(one)), (1.0, parts(other))):
            for shape in shapes:
                self._relate(
                    Relation(
                        words,
                        asked_at(),
                        Measure.SIDE,
                        (shape.number, angle, offset, 0),
                        (side, 0.0),
                        low=gap / 2,
                        weight=weight,
                        late=late,
                    )
                )

    def overlapping(
        self, *shapes: Shape, depth: float | None = None, weight: float | None = None
    ) -> None:
        """Each two of these shapes overlap, and none is in another; what three or more share is not empty.

        Overlaps are as deep as `depth` says, and as much of each shape sticks out.
        """
        self._check("overlapping", *shapes, least=2, whole=True)
        depth = 1.5 * self.style.smallest if depth is None else depth
        for one, other in combinations(shapes, 2):
            words = f"overlapping({one}, {other})"
            self._say(words, Measure.GAP, one, other, high=-depth, weight=weight)
            for a, b in ((one, other), (other, one)):
                self._say(words, Measure.DEPTH, a, b, high=-depth, weight=weight)
        if len(shapes) > 2:
            shared = self._spot(f"what {', '.join(map(str, shapes))} share")
            words = f"overlapping({', '.join(map(str, shapes))})"
            for shape in shapes:
                self._say(words, Measure.DEPTH, shape, shared, low=depth / 2, weight=weight)

    def touching(self, one: Shape, other: Shape, *, weight: float | None = None) -> None:
        """Two shapes touch from outside."""
        self._check("touching", one, other, whole=True)
        words = f"touching({one}, {other})"
        self._say(words, Measure.GAP, one, other, low=0.0, high=0.0, weight=weight)

    def touching_within(self, outer: Shape, inner: Shape, *, weight: float | None = None) -> None:
        """A shape touches another from inside."""
        self._check("touching_within", outer, inner, closed=1, whole=True)
        self.within.add((outer, inner))
        words = f"touching_within({outer}, {inner})"
        self._say(words, Measure.DEPTH, outer, inner, low=0.0, high=0.0, weight=weight)

    def on(self, point: Shape, shape: Shape, *, weight: float | None = None) -> None:
        """A point is on the edge of a shape, or on a line between its ends."""
        self._check("on", point, shape, whole=True)
        words = f"on({point}, {shape})"
        if shape.straight:
            self._say(words, Measure.BESIDE, point, shape, low=0.0, high=0.0, weight=weight)
            self._say(words, Measure.GAP, point, shape, high=0.0, weight=weight)
        else:
            self._say(words, Measure.DEPTH, shape, point, low=0.0, high=0.0, weight=weight)

    def tangent(self, circle: Shape, line: Shape, *, weight: float | None = None) -> None:
        """A circle, or another shape, touches a line from its left, as seen from its start."""
        self._check("tangent", circle, line, whole=True)
        words = f"tangent({circle}, {line})"
        self._say(words, Measure.BESIDE, circle, line, low=0.0, high=0.0, weight=weight)

    # ---- Places ----

    def at(self, shape: Shape, x: float, y: float, *, weight: float | None = None) -> None:
        """The centre of a shape is there; the middle of the canvas is (0, 0), and y points up."""
        self._check("at", shape, whole=True)
        origin = self._fixed(0.0, 0.0)
        for way, value in (((1.0, 0.0), x), ((0.0, 1.0), y)):
            self._offset(f"at({shape}, {x}, {y})", (shape, origin), way, value, value, weight)

    def left_of(self, *shapes: Shape, by: float = 40.0, weight: float | None = None) -> None:
        """The centres of shapes go from left to right, by so many pixels or more."""
        self._ordered("left_of", shapes, (1.0, 0.0), by, weight)

    def above(self, *shapes: Shape, by: float = 40.0, weight: float | None = None) -> None:
        """The centres of shapes go from the upper to the lower, by so many pixels or more."""
        self._ordered("above", shapes, (0.0, -1.0), by, weight)

    def offset(
        self,
        one: Shape,
        other: Shape,
        way: tuple[float | None, float | None],
        *,
        weight: float | None = None,
    ) -> None:
        """The centre of one shape is so far from that of another along x and y; None says nothing."""
        self._check("offset", one, other, whole=True)
        for axis, value in zip(((1.0, 0.0), (0.0, 1.0)), way, strict=True):
            if value is not None:
                words = f"offset({one}, {other}, {way})"
                self._offset(words, (other, one), axis, value, value, weight)

    def _ordered(
        self,
        name: str,
        shapes: Sequence[Shape],
        way: tuple[float, float],
        by: float,
        weight: float | None,
    ) -> None:
        self._check(name, *shapes, least=2, whole=True)
        for one, other in pairwise(shapes):
            self._offset(f"{name}({one}, {other})", (other, one), way, by, math.inf, weight)

    def row(self, *shapes: Shape, weight: float | None = None) -> None:
        """The centres of shapes are at one height."""
        self._level("row", shapes, (0.0, 1.0), weight)

    def column(self, *shapes: Shape, weight: float | None = None) -> None:
        """The centres of shapes are one above the other."""
        self._level("column", shapes, (1.0, 0.0), weight)

    def _level(
        self, name: str, shapes: Sequence[Shape], way: tuple[float, float], weight: float | None
    ) -> None:
        self._check(name, *shapes, least=2, whole=True)
        for one, other in pairwise(shapes):
            self._offset(f"{name}({one}, {other})", (other, one), way, 0.0, 0.0, weight)

    def midpoint(
        self, middle: Shape, one: Shape, other: Shape, *, weight: float | None = None
    ) -> None:
        """A point is in the middle between two others."""
        self._parallelogram("midpoint", (one, middle, middle, other), weight)

    def parallelogram(
        self, a: Shape, b: Shape, c: Shape, d: Shape, *, weight: float | None = None
    ) -> None:
        """Four points are the corners of a parallelogram, in this order around it."""
        self._parallelogram("parallelogram", (a, b, d, c), weight)

    def _parallelogram(self, name: str, four: tuple[Shape, ...], weight: float | None) -> None:
        self._check(name, *four, whole=True)
        words = f"{name}({', '.join(map(str, dict.fromkeys(four)))})"
        for way in ((0.5, 0.0), (0.0, 0.5)):
            self._offset(words, four, way, 0.0, 0.0, weight)

    def _offset(
        self,
        words: str,
        shapes: Sequence[Shape],
        way: tuple[float, float],
        low: float,
        high: float,
        weight: float | None,
    ) -> None:
        four = shapes if len(shapes) == 4 else (*shapes, shapes[0], shapes[0])
        self._say(words, Measure.OFFSET, *four, numbers=way, low=low, high=high, weight=weight)

    # ---- Lengths and angles ----

    def distance(
        self, one: Shape, other: Shape, value: float, *, weight: float | None = None
    ) -> None:
        """The centres of two shapes are so far apart."""
        self._check("distance", one, other, whole=True)
        words = f"distance({one}, {other}, {value:g})"
        self._say(words, Measure.DISTANCE, one, other, low=value, high=value, weight=weight)

    def distance_between(
        self,
        one: Shape,
        other: Shape,
        *,
        low: float = 0.0,
        high: float = math.inf,
        weight: float | None = None,
    ) -> None:
        """The centres of two shapes are between `low` and `high` apart."""
        self._check("distance_between", one, other, whole=True)
        words = f"distance_between({one}, {other})"
        self._say(words, Measure.DISTANCE, one, other, low=low, high=high, weight=weight)

    def length(
        self, line: Shape, low: float, high: float | None = None, *, weight: float | None = None
    ) -> None:
        """A line is so long, or of a length from `low` to `high`."""
        self._check("length", line, lines=True)
        words, ends = f"length({line})", line.ends
        high = low if high is None else high
        self._say(words, Measure.DISTANCE, *ends, low=low, high=high, weight=weight)

    def equal(self, *shapes: Shape, weight: float | None = None) -> None:
        """Shapes of one kind are of one size; lines are of one length."""
        self._check("equal", *shapes, least=2, whole=True)
        if len({shape.straight or shape.kind for shape in shapes}) > 1:
            kinds = ", ".join(f"{shape} is a {shape.kind}" for shape in shapes)
            raise DiagramError(f"equal takes shapes of one kind: {kinds}, {asked_at()}")
        for one, other in pairwise(shapes):
            words = f"equal({one}, {other})"
            if one.straight:
                self._say(
                    words,
                    Measure.LENGTH,
                    one,
                    other,
                    numbers=(1.0, 0.0),
                    low=0.0,
                    high=0.0,
                    weight=weight,
                )
            for this, that in set(zip(one.sizes, other.sizes, strict=True)):
                if this != that:
                    self._relate(_same(words, this, that, weight))

    def perpendicular(self, one: Shape, other: Shape, *, weight: float | None = None) -> None:
        """Two lines are at right angles."""
        self._angle("perpendicular", one, other, Measure.DOT, 0.0, weight)

    def parallel(self, one: Shape, other: Shape, *, weight: float | None = None) -> None:
        """Two lines are parallel."""
        self._angle("parallel", one, other, Measure.CROSS, 0.0, weight)

    def angle(
        self, one: Shape, other: Shape, degrees: float, *, weight: float | None = None
    ) -> None:
        """Two lines, each seen from its start, are at this angle."""
        cosine = SCALE * math.cos(math.radians(degrees))
        self._angle("angle", one, other, Measure.DOT, cosine, weight)

    def _angle(
        self,
        name: str,
        one: Shape,
        other: Shape,
        measure: Measure,
        value: float,
        weight: float | None,
    ) -> None:
        self._check(name, one, other, lines=True)
        self._say(
            f"{name}({one}, {other})", measure, one, other, low=value, high=value, weight=weight
        )

    # ---- Objectives ----

    def near(self, one: Shape, other: Shape, *, distance: float = 0.0, weight: float = 1.0) -> None:
        """The centres of two shapes are wanted near each other, or so far apart."""
        self._check("near", one, other, whole=True)
        words = f"near({one}, {other})"
        self._say(words, Measure.DISTANCE, one, other, low=distance, high=distance, weight=weight)

    def repel(self, *shapes: Shape, weight: float = 1.0) -> None:
        """Each two of these shapes are wanted far apart: at 100 pixels that costs 1, at 50 pixels 4."""
        self._check("repel", *shapes, least=2, whole=True)
        for one, other in combinations(shapes, 2):
            self._say(
                f"repel({one}, {other})",
                Measure.NEARNESS,
                one,
                other,
                numbers=(HUNDRED, 0.0),
                low=0.0,
                high=0.0,
                weight=weight,
            )

    def balanced(self, *shapes: Shape, weight: float = 1.0) -> None:
        """Shapes are wanted with the same way from each to the next."""
        self._check("balanced", *shapes, least=3, whole=True)
        for a, b, c in zip(shapes, shapes[1:], shapes[2:], strict=False):
            for way in ((1.0, 0.0), (0.0, 1.0)):
                self._offset(f"balanced({a}, {b}, {c})", (a, b, b, c), way, 0.0, 0.0, weight)

    def amid(
        self, middle: Shape, one: Shape, other: Shape, *, axis: str = "x", weight: float = 1.0
    ) -> None:
        """A shape is wanted half way between two others along an axis."""
        self._check("amid", middle, one, whole=True)
        way = (0.5, 0.0) if axis == "x" else (0.0, 0.5)
        four = (one, middle, middle, other)
        self._offset(f"amid({middle}, {one}, {other})", four, way, 0.0, 0.0, weight)

    def aligned(self, *shapes: Shape, axis: str = "x", weight: float = 1.0) -> None:
        """Shapes are wanted in a row, axis "x", or in a column, axis "y"."""
        if axis not in ("x", "y"):
            raise DiagramError(f'aligned takes the axis "x" or "y", not {axis!r}, {asked_at()}')
        self._level("aligned", shapes, (0.0, 1.0) if axis == "x" else (1.0, 0.0), weight)

    # ---- What they are made of ----

    def _say(
        self,
        words: str,
        measure: Measure,
        *shapes: Shape,
        numbers: tuple[float, float] = (0.0, 0.0),
        low: float = -math.inf,
        high: float = math.inf,
        weight: float | None = None,
        late: bool = False,
    ) -> None:
        ends = [shape.number for shape in shapes] + [0] * (4 - len(shapes))
        i, j, k, l = ends
        self._relate(
            Relation(words, asked_at(), measure, (i, j, k, l), numbers, low, high, weight, late)
        )

    def _relate(self, relation: Relation) -> None:
        bounds = relation.low, relation.high
        if not -math.inf <= relation.low <= relation.high <= math.inf or math.inf in (
            relation.low,
            -relation.high,
        ):
            raise DiagramError(
                f"{relation.words} is from {bounds[0]:g} to {bounds[1]:g}, {relation.where}"
            )
        if relation.weight is not None and not 0 < relation.weight < math.inf:
            raise DiagramError(
                f"{relation.words} has the weight {relation.weight}; wanted a number above 0, {relation.where}"
            )
        self.relations.append(relation)

    def _check(
        self,
        name: str,
        *shapes: Any,
        least: int = 1,
        closed: int = 0,
        whole: bool = False,
        lines: bool = False,
    ) -> None:
        """Raise DiagramError for what is no shape of this diagram, or not of the kind that a statement
        takes."""
        what = ""
        for k, shape in enumerate(shapes):
            if not isinstance(shape, Shape):
                what = f"takes shapes of the diagram, not {shape!r}"
            elif not self._own(shape):
                what = f"was given {shape}, a shape of another diagram"
            elif k < closed and not shape.closed:
                what = f"was given {shape}, a {shape.kind}, which has no inside"
            elif whole and shape.corners:
                what = f"was given {shape}, a polygon; state it of its corners or edges"
            elif lines and shape.kind not in LINES:
                what = f"takes lines and arrows, not {shape}, a {shape.kind}"
            elif shape in shapes[:k] and name not in ("midpoint", "length"):
                what = f"was given {shape} twice"
            if what:
                break
        if not what and len(shapes) < least:
            what = f"takes {least} shapes or more, not {len(shapes)}"
        if what:
            raise DiagramError(f"{name} {what}, {asked_at()}")

    def _own(self, shape: Shape) -> bool:
        raise NotImplementedError

    def _size(self, start: float) -> int:
        raise NotImplementedError

    def _spot(self, name: str) -> Shape:
        raise NotImplementedError

    def _fixed(self, x: float, y: float) -> Shape:
        raise NotImplementedError


def _same(words: str, one: int, other: int, weight: float | None) -> Relation:
    """Two sizes are equal."""
    ends = (one, other, 0, 0)
    return Relation(words, asked_at(), Measure.SIZE, ends, (1.0, 0.0), 0.0, 0.0, weight)
