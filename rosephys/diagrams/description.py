"""A diagram as data: points and sizes, the shapes that are made of them, labels, and what is said."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..scene.letters import extent
from .errors import DiagramError, asked_at
from .relations import Relations
from .shapes import Kind, Label, Look, Shape
from .style import Style

Place = tuple[float, float]
PLAIN = Look()  # of what is not drawn


def is_number(x: object) -> bool:
    """Whether it is a finite number."""
    return isinstance(x, (int, float, np.number)) and math.isfinite(float(x))


@dataclass(frozen=True)
class Point:
    """A point that shapes are made of: where it is, or where a layout begins to look, if that is known, else
    between the points `beside`."""

    at: Place | None = None
    free: bool = True
    beside: tuple[int, ...] = ()


@dataclass(frozen=True)
class Size:
    """A half-size or a radius: what it is, or begins with."""

    value: float
    free: bool = False


class Description(Relations):
    """What a diagram consists of; `Diagram` has the words for it."""

    def __init__(
        self, width: float = 600.0, height: float = 400.0, *, style: Style | None = None
    ) -> None:
        super().__init__()
        if not all(is_number(side) and 0 < side < 1e5 for side in (width, height)):
            raise DiagramError(
                f"a canvas of {width!r} by {height!r} pixels cannot be, {asked_at()}"
            )
        self.width, self.height, self.style = float(width), float(height), style or Style()
        self.points: list[Point] = []
        self.sizes: list[Size] = [Size(0.0)]
        self.shapes: list[Shape] = []
        self.labels: list[Label] = []
        self.rows = 0  # of shapes in tables: all but polygons, which are their corners
        self._mine: set[Shape] = set()
        self._known: dict[float, int] = {0.0: 0}
        half = (self._constant(self.width / 2), self._constant(self.height / 2))
        self.canvas = self._shape("canvas", "the canvas", self._point((0.0, 0.0)), (*half, 0, 0))

    def _shape(
        self,
        kind: Kind,
        name: str,
        place: int,
        sizes: Sequence[int],
        look: Look = PLAIN,
        end: int | None = None,
        ends: tuple[Shape, ...] = (),
    ) -> Shape:
        w, h, a, b = sizes
        last = place if end is None else end
        return self._add(Shape(kind, name, self.rows, place, last, (w, h, a, b), look, ends=ends))

    def _add(self, shape: Shape) -> Shape:
        self.shapes.append(shape)
        self._mine.add(shape)
        self.rows += not shape.corners
        return shape

    def _edge(
        self, one: Shape, other: Shape, look: Look, kind: Kind = "line", name: str = ""
    ) -> Shape:
        thick = self._constant(max(look.width / 2, 0.5))
        name, sizes = name or f"{one}{other}", (0, 0, thick, thick)
        return self._shape(kind, name, one.start, sizes, look, other.start, (one, other))

    def _word(self, text: str, place: int, colour: str | None = None) -> Shape:
        if not text.isprintable():
            raise DiagramError(
                f"{text!r} is not one line of letters; make a text of each line, {asked_at()}"
            )
        wide, high = extent(text, self.style.font)
        look = Look(fill=colour or self.style.ink, text=text, size=self.style.font)
        sizes = (self._constant(wide / 2), self._constant(high / 2), 0, 0)
        return self._shape("text", f'"{text}"', place, sizes, look)

    def begin_at(self, shape: Shape, x: float, y: float) -> None:
        """A layout begins to look for a shape there."""
        self.points[shape.start] = Point((x, y))

    def _point(self, at: Place | None, beside: tuple[int, ...] = ()) -> int:
        if at is not None and not (len(at) == 2 and all(map(is_number, at))):
            raise DiagramError(
                f"a place is two numbers, x and y in pixels, not {at!r}, {asked_at()}"
            )
        self.points.append(Point(at, at is None, beside))
        return len(self.points) - 1

    def _constant(self, value: float) -> int:
        if value not in self._known:
            self._known[value] = len(self.sizes)
            self.sizes.append(Size(value))
        return self._known[value]

    def _own(self, shape: Shape) -> bool:
        return shape in self._mine

    def _size(self, start: float) -> int:
        self.sizes.append(Size(start, free=True))
        return len(self.sizes) - 1

    def _spot(self, name: str) -> Shape:
        return self._shape("point", name, self._point(None), (0, 0, 0, 0))

    def _fixed(self, x: float, y: float) -> Shape:
        return self._shape("point", f"({x:g}, {y:g})", self._point((x, y)), (0, 0, 0, 0))
