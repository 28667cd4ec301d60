"""Graphs: nodes and edges."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

from ...scene.letters import extent
from ..diagram import Diagram
from ..shapes import Kind, Shape
from ..style import Style
from .edges import named

LONG = 4.0  # heights of its letters: a longer word makes too large a circle


def graph(
    edges: Iterable[Sequence[str]],
    *,
    nodes: Sequence[str] = (),
    directed: bool = False,
    kind: Kind | None = None,
    length: float = 85.0,
    width: float | None = None,
    height: float | None = None,
    style: Style | None = None,
) -> Diagram:
    """Edges as pairs of names, or triples with the edge's label; `nodes` are further ones, or tell the order.

    Edges are wanted of one length, nodes far apart; no edge runs over a node. Nodes are circles, or boxes where
    a word is long; the canvas is 600 by 400 pixels, or as large as so many need. Raises DiagramError for what
    is no edge.
    """
    pairs = named(edges)
    names = dict.fromkeys([*map(str, nodes), *(name for pair in pairs for name in pair[:2])])
    style = style or Style()
    widths = [extent(name, style.font)[0] for name in names]
    widest = max(widths, default=0.0)
    kind = kind or ("box" if widest > LONG * style.font else "circle")
    room = max(1.0, math.sqrt(sum(w + length for w in widths) * length / 1.2e5))
    d = Diagram(width or 600.0 * room, height or 400.0 * room, style=style)
    drawn: dict[str, Shape] = {name: d.node(name, kind=kind) for name in names}
    line: Any = d.arrow if directed else d.line
    lines = [line(drawn[pair[0]], drawn[pair[1]], *pair[2:3]) for pair in pairs]
    shapes = list(drawn.values())
    if len(shapes) > 1:
        d.disjoint(*shapes)
        d.repel(*shapes, weight=0.3)
    for edge in lines:
        if edge.straight:
            d.near(*edge.ends, distance=max(length, 0.5 * (widest + length)), weight=4.0)
        for node in shapes:
            if node not in edge.ends:
                d.disjoint(edge, node, gap=4.0)
    return d
