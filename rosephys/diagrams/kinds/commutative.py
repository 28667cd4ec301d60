"""Commutative diagrams: objects in rows and columns, and arrows between them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from ..diagram import Diagram
from ..errors import DiagramError, asked_at
from ..shapes import Shape
from ..style import Style
from .edges import named


def commutative(
    rows: Sequence[Sequence[str]],
    arrows: Iterable[Sequence[str]],
    *,
    dashed: Iterable[Sequence[str]] = (),
    spacing: tuple[float, float] = (150.0, 110.0),
    width: float = 600.0,
    height: float = 400.0,
    style: Style | None = None,
) -> Diagram:
    """Objects in rows, "" where there is none, and arrows: names of both ends, and a label. `dashed` ones are
    those that exist by what the diagram says. Objects of one name are told apart as "A", "A'", "A''"."""
    d = Diagram(width, height, style=style)
    placed: dict[str, Shape] = {}
    grid: dict[tuple[int, int], Shape] = {}
    for i, row in enumerate(rows):
        for j, name in enumerate(row):
            if name:
                placed[name] = grid[i, j] = d.text(name)
    across, down = spacing
    first = next(iter(grid), None)
    for (i, j), shape in grid.items():
        if first is not None and (i, j) != first:
            d.offset(grid[first], shape, (across * (j - first[1]), -down * (i - first[0])))
    for arrow, broken in [
        *((a, False) for a in named(arrows)),
        *((a, True) for a in named(dashed)),
    ]:
        one, other = (_object(placed, name) for name in arrow[:2])
        line = d.arrow(one, other, *arrow[2:3], dashed=broken)
        for shape in placed.values():
            if shape not in line.ends:
                d.disjoint(line, shape, gap=3.0)
    return d


def _object(placed: Mapping[str, Shape], name: str) -> Shape:
    if name not in placed:
        raise DiagramError(
            f"there is no object {name!r}; there are {', '.join(placed)}, {asked_at()}"
        )
    return placed[name]
