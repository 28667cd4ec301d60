"""Molecules: atoms and bonds."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations

from ..diagram import Diagram
from ..errors import DiagramError, asked_at
from ..shapes import Shape
from ..style import Style

COLOURS = {
    "H": "dim",
    "C": "text",
    "N": "curve",
    "O": "bad",
    "S": "first",
    "F": "good",
    "Cl": "good",
    "P": "first",
}
BOND = 62.0  # pixels


def molecule(
    atoms: Mapping[str, str] | Sequence[str],
    bonds: Iterable[Sequence[object]],
    *,
    angle: float = 120.0,
    width: float = 460.0,
    height: float = 380.0,
    style: Style | None = None,
) -> Diagram:
    """Atoms by names, each its element or that with a number, as "C1", or {name: element}; bonds as pairs of
    names, or triples with 2 for a double one. Bonds are of one length; those of an atom are wanted at `angle`
    degrees."""
    d = Diagram(width, height, style=style)
    elements = (
        atoms if isinstance(atoms, Mapping) else {name: name.rstrip("0123456789") for name in atoms}
    )
    drawn: dict[str, Shape] = {
        name: d.node(element, fill=COLOURS.get(element, "third"))
        for name, element in elements.items()
    }
    neighbours: dict[str, list[str]] = {name: [] for name in drawn}
    for one, other, *order in bonds:
        names = str(one), str(other)
        for name in names:
            if name not in drawn:
                raise DiagramError(
                    f"there is no atom {name!r}; there are {', '.join(drawn)}, {asked_at()}"
                )
        double = bool(order) and order[0] == 2
        line = d.line(drawn[names[0]], drawn[names[1]], double=double)
        d.length(line, BOND)
        for atom in drawn.values():
            if atom not in line.ends:
                d.disjoint(line, atom, gap=5.0)
        neighbours[names[0]].append(names[1])
        neighbours[names[1]].append(names[0])
    for around in neighbours.values():
        spread = math.radians({2: angle, 3: 120.0}.get(len(around), 90.0))
        for one, other in combinations(around, 2):
            d.near(drawn[one], drawn[other], distance=2 * BOND * math.sin(spread / 2), weight=5.0)
    shapes = list(drawn.values())
    if len(shapes) > 1:
        d.disjoint(*shapes, gap=5.0)
        d.repel(*shapes, weight=0.3)
    return d
