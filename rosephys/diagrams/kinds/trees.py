"""Trees: each generation in a row, parents over the middle of their children."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

from ..diagram import Diagram
from ..shapes import Kind, Shape
from ..style import Style

CENTRED = 20.0  # weight of what a parent wants


def tree(
    children: Mapping[str, Any],
    *,
    kind: Kind = "box",
    level: float = 70.0,
    width: float = 600.0,
    height: float = 400.0,
    style: Style | None = None,
) -> Diagram:
    """A tree as nested dicts: {"root": {"left": {}, "right": {"leaf": {}}}}. Rows are `level` pixels apart."""
    d = Diagram(width, height, style=style)
    rows: list[list[Shape]] = []
    for name, below in children.items():
        _grow(d, rows, None, name, below, 0, kind, level)
    for row in rows:
        if len(row) > 1:
            d.row(*row)
        for one, other in pairwise(row):
            d.left_of(one, other, by=2 * d.style.font)
            d.disjoint(one, other, gap=14.0)
            d.near(one, other, weight=0.2)
    return d


def _grow(
    d: Diagram,
    rows: list[list[Shape]],
    parent: Shape | None,
    name: str,
    below: Mapping[str, Any],
    depth: int,
    kind: Kind,
    level: float,
) -> Shape:
    node = d.node(name, kind=kind)
    if depth == len(rows):
        rows.append([])
    rows[depth].append(node)
    if parent is not None:
        d.line(parent, node)
        d.offset(parent, node, (None, -level))
    young = [
        _grow(d, rows, node, *child, depth + 1, kind, level) for child in (below or {}).items()
    ]
    if young:
        d.amid(node, young[0], young[-1], weight=CENTRED)
    return node
