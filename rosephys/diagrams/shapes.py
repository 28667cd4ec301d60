"""A shape of a diagram: which of the diagram's numbers it is made of, and how it looks."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Kind = Literal[
    "circle", "ellipse", "box", "polygon", "point", "line", "arrow", "loop", "text", "canvas"
]
CLOSED = ("circle", "ellipse", "box", "polygon")
LINES = ("line", "arrow")
LOOP = 14.0  # pixels: the radius of a loop
OPEN = 0.9  # rad: half of what is missing of it, where its shape is


@dataclass(frozen=True)
class Look:
    """The colours of a shape and how it is drawn; nothing fills one without `fill`, or goes round it without
    `outline`."""

    fill: str = ""
    outline: str = ""
    opacity: float = 1.0
    width: float = 2.0
    dashed: bool = False
    text: str = ""
    size: float = 16.0
    double: bool = False  # of a line: two side by side
    head: bool = False  # of a loop: an arrow's


@dataclass(frozen=True, eq=False)
class Shape:
    """A shape of a diagram, as `Diagram` makes it and its statements take it.

    `number` is its row among the diagram's shapes, `start` and `end` are the points of its line, the same for
    one that is none, and `sizes` those of its half-sizes and radii. A polygon has `corners`, and edges between
    them that are lines.
    """

    kind: Kind
    name: str
    number: int
    start: int
    end: int
    sizes: tuple[int, int, int, int]
    look: Look = Look()
    corners: tuple[Shape, ...] = ()
    edges: tuple[Shape, ...] = ()
    ends: tuple[Shape, ...] = field(default=(), repr=False)  # of a line or a loop: what it joins

    @property
    def closed(self) -> bool:
        """Whether there is an inside."""
        return self.kind in CLOSED

    @property
    def straight(self) -> bool:
        """Whether it is a line or an arrow."""
        return self.kind in LINES

    def __repr__(self) -> str:
        return self.name


@dataclass(frozen=True)
class Label:
    """A word that names a shape: in it, or else beside it."""

    word: Shape
    owner: Shape
    inside: bool


def parts(shape: Shape) -> tuple[Shape, ...]:
    """The corners of a polygon, or the shape itself: what must lie where the whole does."""
    return shape.corners or (shape,)
