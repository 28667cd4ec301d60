"""Boxes and arrows: what leads to what."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ..diagram import Diagram
from ..errors import DiagramError, asked_at
from ..shapes import Shape
from ..style import Style


def flow(
    arrows: Iterable[Sequence[str]],
    *,
    direction: str = "down",
    back: Iterable[Sequence[str]] = (),
    length: float = 95.0,
    width: float = 600.0,
    height: float = 400.0,
    style: Style | None = None,
) -> Diagram:
    """Arrows as pairs of names, or triples with a label; they lead "down" or to the "right", those of `back`
    anyhow."""
    if direction not in ("down", "right"):
        raise DiagramError(f'a flow leads "down" or "right", not {direction!r}, {asked_at()}')
    d = Diagram(width, height, style=style)
    forth, again = [tuple(map(str, a)) for a in arrows], [tuple(map(str, a)) for a in back]
    names = dict.fromkeys(name for a in (*forth, *again) for name in a[:2])
    boxes: dict[str, Shape] = {name: d.node(name, kind="box") for name in names}
    order = d.above if direction == "down" else d.left_of
    for a in (*forth, *again):
        one, other = boxes[a[0]], boxes[a[1]]
        arrow = d.arrow(one, other, *a[2:3])
        d.near(one, other, distance=length, weight=2.0)
        if a in forth:
            order(one, other, by=55.0)
            d.aligned(one, other, axis="y" if direction == "down" else "x", weight=1.0)
        for box in boxes.values():
            if box not in arrow.ends:
                d.disjoint(arrow, box, gap=6.0)
    shapes = list(boxes.values())
    if len(shapes) > 1:
        d.disjoint(*shapes, gap=18.0)
        d.repel(*shapes, weight=0.5)
    return d
