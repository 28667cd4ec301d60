"""A diagram in words: shapes, and what is said of them. Where they are is found by `layout`.

    d = Diagram()
    a, b = d.circle("A"), d.circle("B")
    d.overlapping(a, b)
    d.layout().svg("venn.svg")

The canvas is `width` by `height` pixels; (0, 0) is its middle, and y points up. All shapes are on it, a word
that names a shape is in it or beside it, and none lies over a line: that need not be said.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from ..scene.letters import extent
from .description import PLAIN, Description, Place
from .energy import Measure
from .errors import DiagramError, asked_at
from .layout import Layout, layouts
from .relations import Relation
from .shapes import LOOP, OPEN, Kind, Label, Look, Shape


class Diagram(Description):
    """Shapes, statements and a style; see the top of this file."""

    # ---- Shapes ----

    def circle(
        self,
        label: str = "",
        *,
        radius: float | None = None,
        at: Place | None = None,
        centre: Shape | None = None,
        fill: str | None = None,
        outline: str | None = None,
    ) -> Shape:
        """A circle, of a radius that is found where none is given; its label is in it. `centre` may be a
        point."""
        place = centre.start if centre is not None else self._point(at)
        size = self._half(radius, 3.5)
        look = self._look(fill, outline)
        shape = self._shape("circle", label or self._nth("circle"), place, (0, 0, size, size), look)
        self._bounded(shape, (size,), radius)
        self._name(shape, label, inside=True)
        return shape

    def ellipse(
        self,
        label: str = "",
        *,
        width: float | None = None,
        height: float | None = None,
        at: Place | None = None,
        fill: str | None = None,
        outline: str | None = None,
    ) -> Shape:
        """An ellipse with its axes along x and y; its label is in it."""
        sizes = self._halves(width, height, 4.5, 3.0)
        look = self._look(fill, outline)
        name = label or self._nth("ellipse")
        shape = self._shape("ellipse", name, self._point(at), (0, 0, *sizes), look)
        self._bounded(shape, sizes, width, height)
        self._name(shape, label, inside=True)
        return shape

    def box(
        self,
        label: str = "",
        *,
        width: float | None = None,
        height: float | None = None,
        at: Place | None = None,
        fill: str | None = None,
        outline: str | None = None,
    ) -> Shape:
        """A box, of a size that is found where none is given; its label is in it."""
        sizes = self._halves(width, height, 4.5, 3.5)
        look = self._look(fill, outline)
        name = label or self._nth("box")
        shape = self._shape("box", name, self._point(at), (*sizes, 0, 0), look)
        self._bounded(shape, sizes, width, height)
        self._name(shape, label, inside=True)
        return shape

    def node(
        self,
        label: str,
        *,
        kind: Kind = "circle",
        at: Place | None = None,
        fill: str | None = None,
        outline: str | None = None,
    ) -> Shape:
        """A "circle", an "ellipse" or a "box" that is as large as the word in its middle needs."""
        wide, high = extent(label, self.style.font)
        pad = self.style.padding
        if kind == "circle":
            size = self._constant(max(((wide / 2) ** 2 + (high / 2) ** 2) ** 0.5 + pad / 2, high))
            sizes = (0, 0, size, size)
        elif kind == "ellipse":
            across, along = (self._constant(0.5**0.5 * x + pad) for x in (wide, high))
            sizes = (0, 0, across, along)
        elif kind == "box":
            across, along = (self._constant(x / 2 + pad) for x in (wide, high))
            sizes = (across, along, 0, 0)
        else:
            raise DiagramError(
                f'a node is a "circle", "ellipse" or "box", not {kind!r}, {asked_at()}'
            )
        look = self._look(fill, outline)
        shape = self._shape(kind, label, self._point(at), sizes, look)
        self.labels.append(Label(self._word(label, shape.start), shape, True))
        return shape

    def point(self, label: str = "", *, at: Place | None = None, seen: bool = True) -> Shape:
        """A point, drawn as a dot; its label is beside it."""
        name = label or self._nth("point")
        look = Look(fill=self.style.lines if seen else "")
        shape = self._shape("point", name, self._point(at), (0, 0, 0, 0), look)
        self._name(shape, label, inside=False)
        return shape

    def line(self, start: Shape | Place, end: Shape | Place, label: str = "", **look: Any) -> Shape:
        """A straight line from one shape to another, or between places; its label is beside it.

        Of a closed shape it begins at the edge. Those that join the same shapes run side by side, and one from
        a shape to itself is a loop. `colour`, `width`, `dashed` and `double` say how it is drawn.
        """
        return self._straight("line", start, end, label, look)

    def arrow(
        self, start: Shape | Place, end: Shape | Place, label: str = "", **look: Any
    ) -> Shape:
        """The same with a head at its end."""
        return self._straight("arrow", start, end, label, look)

    def polygon(
        self,
        *corners: Shape,
        label: str = "",
        fill: str | None = None,
        outline: str | None = None,
    ) -> Shape:
        """A convex polygon; its corners are points that go round it anticlockwise, its label is in it."""
        self._check("polygon", *corners, least=3, whole=True)
        name = label or "".join(map(str, corners)) or self._nth("polygon")
        look = self._look(fill, outline)
        edges = tuple(
            self._edge(one, other, PLAIN)
            for one, other in zip(corners, (*corners[1:], corners[0]), strict=True)
        )
        shape = Shape(
            "polygon", name, -1 - len(self.shapes), 0, 0, (0, 0, 0, 0), look, tuple(corners), edges
        )
        self._add(shape)
        self._convex(shape)
        self._name(shape, label, inside=True)
        return shape

    def text(self, text: str, *, at: Place | None = None, colour: str | None = None) -> Shape:
        """Words by themselves."""
        if not text:
            raise DiagramError(f"text needs at least a letter, {asked_at()}")
        return self._word(text, self._point(at), colour)

    # ---- Layouts ----

    def layout(self, seed: int = 0, starts: int = 4) -> Layout:
        """The best layout of those found from so many starts, drawn from a seed, and from more where lines
        cross in all of them; with one start, that one's, if what must hold does.

        Raises DiagramError for a diagram without shapes, and, with the statements that contradict each other,
        for one that has no layout.
        """
        return self.layouts(1, seed, starts)[0]

    def layouts(self, count: int, seed: int = 0, starts: int | None = None) -> list[Layout]:
        """Several layouts to choose from, the best first. Raises as `layout` does."""
        return layouts(self, count, seed, max(count, 4) if starts is None else starts)

    # ---- What shapes are made of ----

    def _straight(
        self, kind: Kind, start: Shape | Place, end: Shape | Place, label: str, look: dict[str, Any]
    ) -> Shape:
        one, other = (p if isinstance(p, Shape) else self._fixed(*p) for p in (start, end))
        loops = one is other and (one.closed or one.kind == "text")
        self._check(kind, *((one,) if loops else (one, other)), whole=True)
        known = {"colour", "width", "dashed", "double"}
        if look.keys() - known:
            raise DiagramError(
                f"a {kind} has no {', '.join(look.keys() - known)};"
                f" there are {', '.join(sorted(known))}, {asked_at()}"
            )
        colour = look.pop("colour", self.style.lines)
        drawn = Look(outline=colour, **{"width": self.style.line_width, **look})
        name = label or f"{kind} {one}{other}"
        if loops:
            return self._loop(one, name, label, replace(drawn, head=kind == "arrow"))
        shape = self._edge(one, other, drawn, kind, name)
        if label:
            word = self._word(
                label, self._point(None, beside=(one.start, other.start)), colour=None
            )
            self.labels.append(Label(word, shape, False))
        return shape

    def _loop(self, owner: Shape, name: str, label: str, look: Look) -> Shape:
        """Most of a circle, which begins and ends at the edge of a shape."""
        size, place = self._constant(LOOP), self._point(None, beside=(owner.start,))
        shape = self._shape("loop", name, place, (0, 0, size, size), look, ends=(owner, owner))
        within = -LOOP * (1 - math.cos(OPEN))
        self._say(f"{name} is at {owner}", Measure.GAP, owner, shape, low=within, high=within)
        if label:
            word = self._word(label, self._point(None, beside=(place,)))
            self.labels.append(Label(word, shape, False))
        return shape

    def _convex(self, shape: Shape) -> None:
        words = f"{shape} is convex, its corners anticlockwise"
        for edge in shape.edges:
            for corner in shape.corners:
                if corner not in edge.ends:
                    self._contain(
                        words, replace(shape, edges=(edge,)), corner, self.style.smallest, None
                    )

    def _name(self, shape: Shape, label: str, inside: bool) -> None:
        if label:
            places = [corner.start for corner in shape.corners] or [shape.start]
            word = self._word(label, self._point(None, beside=tuple(places)))
            self.labels.append(Label(word, shape, inside))

    def _bounded(self, shape: Shape, sizes: Sequence[int], *given: float | None) -> None:
        """Sizes that are free are not too small to be seen."""
        for size, value in zip(sizes, given, strict=True):
            if value is None:
                words, low = f"{shape} is not too small", self.style.smallest
                self._relate(Relation(words, asked_at(), Measure.SIZE, (size, 0, 0, 0), low=low))

    def _look(self, fill: str | None, outline: str | None) -> Look:
        closed = sum(shape.closed for shape in self.shapes)
        hue = self.style.colours[closed % len(self.style.colours)]
        return Look(
            hue if fill is None else fill,
            (fill or hue) if outline is None else outline,
            self.style.opacity,
            self.style.line_width,
        )

    def _nth(self, kind: Kind) -> str:
        return f"{kind} {sum(shape.kind == kind for shape in self.shapes) + 1}"

    def _half(self, whole: float | None, start: float) -> int:
        """A half-size or radius: given, or free and so many times the smallest to begin with."""
        if whole is None:
            return self._size(start * self.style.smallest)
        if not 0 < whole < 1e5:
            raise DiagramError(f"a size is {whole}; wanted pixels above 0, {asked_at()}")
        return self._constant(float(whole))

    def _halves(
        self, width: float | None, height: float | None, wide: float, high: float
    ) -> tuple[int, int]:
        a = self._half(None if width is None else width / 2, wide)
        return a, self._half(None if height is None else height / 2, high)
