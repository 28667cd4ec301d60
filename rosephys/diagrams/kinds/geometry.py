"""Plane geometry: a triangle and what proofs draw in it."""

from __future__ import annotations

from ..diagram import Diagram
from ..errors import DiagramError, asked_at
from ..shapes import Shape
from ..style import Style

MARK = 11.0  # pixels: the side of the square that marks a right angle


def triangle(
    a: str = "A",
    b: str = "B",
    c: str = "C",
    *,
    right: str = "",
    equal: tuple[str, ...] = (),
    altitude: str = "",
    median: str = "",
    medians: bool = False,
    midsegment: bool = False,
    circumcircle: bool = False,
    incircle: bool = False,
    width: float = 460.0,
    height: float = 380.0,
    style: Style | None = None,
) -> Diagram:
    """A triangle by the names of its corners.

    `right` names the corner of a right angle, `equal` sides as "AB"; `altitude` and `median` the corner that
    they come from. `midsegment` joins the middles of the sides at the first corner.
    """
    d = Diagram(width, height, style=style)
    points = {name: d.point(name) for name in (a, b, c)}
    shape = d.polygon(*points.values())
    sides = {frozenset((e.ends[0].name, e.ends[1].name)): e for e in shape.edges}
    unknown = {right, altitude, median} - {"", *points}
    if unknown:
        raise DiagramError(f"the triangle has no corner {min(unknown)!r}, {asked_at()}")

    def opposite(name: str) -> Shape:
        return next(edge for corners, edge in sides.items() if name not in corners)

    for edge in shape.edges:
        d.length(edge, 110.0, 280.0)
    if equal:
        d.equal(*(sides[frozenset(side)] for side in equal))
    if right:
        legs = [edge for corners, edge in sides.items() if right in corners]
        d.perpendicular(*legs)
        right_angle(d, points[right], *legs)
    if altitude:
        _altitude(d, points[altitude], opposite(altitude))
    for k, name in enumerate([median] if median else (a, b, c) if medians else ()):
        one, other = opposite(name).ends
        d.line(points[name], _middle(d, one, other, "M" if median else f"M{'abc'[k]}"))
    if midsegment:
        d.line(_middle(d, points[a], points[b], "P"), _middle(d, points[a], points[c], "Q"))
    if circumcircle:
        _circumcircle(d, tuple(points.values()))
    if incircle:
        inner = d.circle(fill="", outline=d.style.colours[2])
        for edge in shape.edges:
            d.tangent(inner, edge)
    return d


def _altitude(d: Diagram, corner: Shape, base: Shape) -> None:
    foot = d.point("H")
    line = d.line(corner, foot)
    d.on(foot, base)
    d.perpendicular(line, base)
    for end in base.ends:
        d.distance_between(foot, end, low=25.0)
    right_angle(d, foot, line, base)


def _circumcircle(d: Diagram, corners: tuple[Shape, ...]) -> None:
    ring = d.circle(fill="", outline=d.style.colours[1])
    for corner in corners:
        d.on(corner, ring)
    for shape in d.shapes:  # all other points are on sides
        if shape.kind == "point" and shape.look.fill and shape not in corners:
            d.contains(ring, shape, padding=1.0)


def right_angle(d: Diagram, corner: Shape, one: Shape, other: Shape) -> None:
    """Mark a right angle between two lines by a small square."""
    ends = [d.point(seen=False) for _ in range(2)]
    last = d.point(seen=False)
    for point, line in zip(ends, (one, other), strict=True):
        d.on(point, line)
        d.distance(point, corner, MARK)
        d.line(point, last, width=1.5)
    d.parallelogram(corner, ends[0], last, ends[1])


def _middle(d: Diagram, one: Shape, other: Shape, name: str) -> Shape:
    point = d.point(name)
    d.midpoint(point, one, other)
    return point
