"""Edges by the names of what they join, as graphs, flows and commutative diagrams take them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ..errors import DiagramError, asked_at


def named(edges: Iterable[Sequence[str]]) -> list[tuple[str, ...]]:
    """Pairs of names, or triples with a label. Raises DiagramError for anything else."""
    found = []
    for edge in edges:
        if not isinstance(edge, (tuple, list, str)) or len(edge) not in (2, 3):
            raise DiagramError(
                f"an edge is two names, or two names and a label, not {edge!r}, {asked_at()}"
            )
        found.append(tuple(map(str, edge)))
    return found
