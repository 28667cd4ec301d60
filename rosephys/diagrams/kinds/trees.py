"""Trees: each generation in a row, parents over the middle of their children."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from ...scene.letters import extent
from ..diagram import Diagram
from ..shapes import Kind, Shape
from ..style import Style

CENTRED = 20.0  # weight of what a parent wants


def tree(
    children: Mapping[str, Any],
    *,
    kind: Kind = "box",
    level: float | None = None,
    width: float | None = None,
    height: float | None = None,
    style: Style | None = None,
) -> Diagram:
    """A tree as nested dicts: {"root": {"left": {}, "right": {"leaf": {}}}}.

    Rows are `level` pixels apart, 70 or as many as a wide family needs; the canvas is 600 by 400 pixels, or as
    large as they need.
    """
    style = style or Style()
    sizes = [_room(name, below, style) for name, below in children.items()]
    level = level or max([70.0, *(least for *_, least in sizes)])
    wide = sum(w for w, _, _ in sizes) + 40.0
    rows = max((h for _, h, _ in sizes), default=0)
    high = level * rows + 20.0
    d = Diagram(width or max(600.0, wide), height or max(400.0, high), style=style)
    growing = _Growing(d, kind, level, 0.5 * level * (rows - 1))
    left = 20.0 - 0.5 * wide
    for (name, below), (room, *_) in zip(children.items(), sizes, strict=True):
        growing.grow(None, name, below, 0, left)
        left += room
    _clear_rows(d, growing.rows)
    return d


def _clear_rows(d: Diagram, rows: list[list[Shape]]) -> None:
    """What is in a row is in order and apart, and no line runs over it."""
    for line in [shape for shape in d.shapes if shape.straight]:
        for node in next(row for row in rows if line.ends[1] in row):
            if node is not line.ends[1]:
                d.disjoint(line, node, gap=4.0)
    for row in rows:
        if len(row) > 1:
            d.row(*row)
        for one, other in pairwise(row):
            d.left_of(one, other, by=2 * d.style.font)
            d.disjoint(one, other, gap=14.0)
            d.near(one, other, weight=0.2)


@dataclass
class _Growing:
    """Where a tree is drawn: the rows so far, how far apart they are, and the height of the first."""

    d: Diagram
    kind: Kind
    level: float
    top: float
    rows: list[list[Shape]] = field(default_factory=list)

    def grow(
        self, parent: Shape | None, name: str, below: Mapping[str, Any], depth: int, left: float
    ) -> Shape:
        """A node and what is below it, which begin to the right of `left`, their children side by side."""
        d, room = self.d, _room(name, below, self.d.style)[0]
        node = d.node(name, kind=self.kind)
        d.begin_at(node, left + 0.5 * room, self.top - depth * self.level)
        if depth == len(self.rows):
            self.rows.append([])
        self.rows[depth].append(node)
        if parent is not None:
            d.line(parent, node)
            d.offset(parent, node, (None, -self.level))
        young = []
        for child in (below or {}).items():
            young.append(self.grow(node, *child, depth + 1, left))
            left += _room(*child, d.style)[0]
        if young:
            d.amid(node, young[0], young[-1], weight=CENTRED)
        return node


def _room(name: str, below: Mapping[str, Any], style: Style) -> tuple[float, int, float]:
    """How wide a tree is, in pixels, how many rows it has, and how far apart they are at least.

    The line to the outermost child must run above the box of the one beside it.
    """
    wide = extent(name, style.font)[0] + 2 * style.padding + 2 * style.font
    young = [_room(*child, style) for child in (below or {}).items()]
    rows = 1 + max((rows for _, rows, _ in young), default=0)
    family = sum(w for w, _, _ in young)
    free = 0.5 * min((w for w, _, _ in young), default=1.0)
    over = (0.5 * extent("", style.font)[1] + style.padding + 6.0) * family / (2 * free)
    return max(wide, family), rows, max([over, *(level for _, _, level in young)])
