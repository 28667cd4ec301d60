"""Sets as closed curves: Venn and Euler diagrams."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations

from ..diagram import Diagram
from ..errors import DiagramError, asked_at
from ..shapes import Shape
from ..style import Style

Pairs = Iterable[tuple[str, str]]


def venn(*sets: str, style: Style | None = None) -> Diagram:
    """Sets of which any may share members: circles of one size that overlap."""
    d = euler(sets, overlapping=[sets] if len(sets) > 1 else [], style=style)
    circles = [shape for shape in d.shapes if shape.kind == "circle"]
    if len(circles) > 1:
        d.equal(*circles)
    for one, other in combinations(circles, 2):
        d.near(one, other, distance=90.0)
    return d


def euler(
    sets: Sequence[str],
    *,
    subsets: Pairs = (),
    disjoint: Iterable[Sequence[str]] = (),
    overlapping: Iterable[Sequence[str]] = (),
    members: Mapping[str, str | Sequence[str]] | None = None,
    shape: str = "circle",
    width: float = 600.0,
    height: float = 400.0,
    style: Style | None = None,
) -> Diagram:
    """Sets by names, each a circle or an ellipse.

    `subsets` are pairs (inner, outer); sets of `disjoint` share nothing, those of `overlapping` something.
    `members` are points by name with the sets that they are in; of sets that overlap those, they are in no
    other.
    """
    if shape not in ("circle", "ellipse"):
        raise DiagramError(f'sets are a "circle" or an "ellipse" each, not {shape!r}, {asked_at()}')
    for k, name in enumerate(sets):
        if name in sets[:k]:
            raise DiagramError(f"there are two sets {name!r}, {asked_at()}")
    d = Diagram(width, height, style=style)
    drawn: dict[str, Shape] = {
        name: d.circle(name) if shape == "circle" else d.ellipse(name) for name in sets
    }

    def of(names: Sequence[str]) -> list[Shape]:
        for name in names:
            if name not in drawn:
                raise DiagramError(
                    f"there is no set {name!r}; there are {', '.join(drawn)}, {asked_at()}"
                )
        return [drawn[name] for name in names]

    around: dict[Shape, set[Shape]] = {shape: {shape} for shape in drawn.values()}
    for inner, outer in subsets:
        large, small = of((outer, inner))
        d.contains(large, small)
        around[small].add(large)
    for apart in disjoint:
        d.disjoint(*of(apart))
    overlaps = [of(names) for names in overlapping]
    for shapes in overlaps:
        d.overlapping(*shapes)
    points = []
    for name, homes in (members or {}).items():
        inside = of([homes] if isinstance(homes, str) else homes)
        points.append(_member(d, name, inside, _supersets(inside, around), overlaps))
    if len(points) > 1:
        d.disjoint(*points, gap=3 * d.style.font)
    return d


def _member(
    d: Diagram,
    name: str,
    inside: Sequence[Shape],
    homes: set[Shape],
    overlaps: Sequence[Sequence[Shape]],
) -> Shape:
    """A point in these sets, and in none that overlaps any of `homes`, the sets that it is in."""
    point = d.point(name)
    for home in inside:
        d.contains(home, point)
    beside = dict.fromkeys(shape for shapes in overlaps if homes & set(shapes) for shape in shapes)
    for other in beside:
        if other not in homes:
            d.disjoint(point, other)
    return point


def _supersets(sets: Iterable[Shape], around: Mapping[Shape, set[Shape]]) -> set[Shape]:
    """These sets and all that they are said to be subsets of."""
    found: set[Shape] = set()
    new = set(sets)
    while new:
        found |= new
        new = set().union(*(around[one] for one in new)) - found
    return found
