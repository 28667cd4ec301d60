"""Graphs: nodes and edges."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from ..diagram import Diagram
from ..shapes import Shape
from ..style import Style


def graph(
    edges: Iterable[Sequence[str]],
    *,
    nodes: Sequence[str] = (),
    directed: bool = False,
    length: float = 85.0,
    width: float = 600.0,
    height: float = 400.0,
    style: Style | None = None,
) -> Diagram:
    """Edges as pairs of names, or triples with the edge's label; `nodes` are further ones, or tell the order.

    Edges are wanted of one length, nodes far apart; no edge runs over a node.
    """
    d = Diagram(width, height, style=style)
    pairs = [tuple(map(str, edge)) for edge in edges]
    names = dict.fromkeys([*map(str, nodes), *(name for pair in pairs for name in pair[:2])])
    drawn: dict[str, Shape] = {name: d.node(name) for name in names}
    line: Any = d.arrow if directed else d.line
    lines = [line(drawn[pair[0]], drawn[pair[1]], *pair[2:3]) for pair in pairs]
    shapes = list(drawn.values())
    if len(shapes) > 1:
        d.disjoint(*shapes)
        d.repel(*shapes, weight=0.3)
    for edge in lines:
        d.near(*edge.ends, distance=length, weight=4.0)
        for node in shapes:
            if node not in edge.ends:
                d.disjoint(edge, node, gap=4.0)
    return d
