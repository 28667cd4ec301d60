"""Boxes and arrows: what leads to what."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ...scene.letters import extent
from ..diagram import Diagram
from ..errors import DiagramError, asked_at
from ..shapes import Shape
from ..style import Style
from .edges import named


def flow(
    arrows: Iterable[Sequence[str]],
    *,
    direction: str = "down",
    back: Iterable[Sequence[str]] = (),
    length: float = 95.0,
    width: float | None = None,
    height: float | None = None,
    style: Style | None = None,
) -> Diagram:
    """Arrows as pairs of names, or triples with a label; they lead "down" or to the "right", those of `back`
    anyhow. The canvas is 600 by 400 pixels, or as large as the longest way needs.

    Raises DiagramError for what is no arrow, and for arrows that lead in a circle.
    """
    if direction not in ("down", "right"):
        raise DiagramError(f'a flow leads "down" or "right", not {direction!r}, {asked_at()}')
    forth, again = named(arrows), named(back)
    names = dict.fromkeys(name for a in (*forth, *again) for name in a[:2])
    steps = _longest(names, [(a[0], a[1]) for a in forth if a[0] != a[1]])
    style = style or Style()
    wide = max((extent(name, style.font)[0] for name in names), default=0.0)
    each = length if direction == "down" else max(length, wide + 0.4 * length)
    way = each * (steps + 1)
    across = wide + 4 * length
    size = (across, way) if direction == "down" else (way, across)
    d = Diagram(width or max(600.0, size[0]), height or max(400.0, size[1]), style=style)
    boxes: dict[str, Shape] = {name: d.node(name, kind="box") for name in names}
    order = d.above if direction == "down" else d.left_of
    for a in (*forth, *again):
        one, other = boxes[a[0]], boxes[a[1]]
        arrow = d.arrow(one, other, *a[2:3])
        if one is not other:
            d.near(one, other, distance=each, weight=2.0)
        if a in forth and one is not other:
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


def _longest(names: Iterable[str], arrows: Sequence[tuple[str, str]]) -> int:
    """The most arrows in a row. Raises DiagramError where they lead in a circle."""
    ahead: dict[str, list[str]] = {name: [] for name in names}
    for one, other in arrows:
        ahead[one].append(other)
    level = dict.fromkeys(ahead, 0)
    for _ in ahead:
        moved = [(b, level[a] + 1) for a in ahead for b in ahead[a] if level[b] <= level[a]]
        if not moved:
            return max(level.values(), default=0)
        level.update(moved)
    round_about = [name for name in ahead if level[name] >= len(ahead)]
    raise DiagramError(
        f"these arrows lead in a circle, by {round_about[0]!r}: give the one that leads back by back=,"
        f" {asked_at()}"
    )
