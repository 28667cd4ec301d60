"""How a described world looks: bodies as their outlines, and what links them."""

from __future__ import annotations

from typing import Any

import numpy as np

import rose_ad as ra
from rosephys.physics.rigid.bodies import placed as turned
from rosephys.scene.picture import Circles, Cross, Lines, Picture, Polygon, Polyline

from .described import WORLD, Described
from .state import WorldState

FILLS = ("#c98a3d", "#5b82bb", "#7fa650", "#b4593f", "#8c6bb1", "#4f9c95")
"""Of bodies that move, one after the other, unless they have a colour."""
EDGE = "#0e1116"
COILS, WIDE = 8, 0.06
"""Of a spring as it is drawn: its turns, and its width as a share of its length."""


def drawn(plan: Described, state: WorldState, view: tuple[float, float, float, float]) -> Picture:
    """The picture of a state."""
    ground: list[Any] = []
    bodies: list[Any] = []
    for k, placed in enumerate(plan.bodies):
        if placed.name != WORLD:
            (ground if placed.body.fixed else bodies).extend(_body(plan, state, k))
    marks = [_joints(plan, state), _triggers(plan)]
    goals = [Cross(ra.array(goal.at), "good") for goal in plan.goals]
    shapes = [*ground, *_strings(plan, state), *bodies, *(m for m in marks if m), *goals]
    return Picture(tuple(shapes), view)


def _body(plan: Described, state: WorldState, k: int) -> list[Any]:
    placed, at, angle = plan.bodies[k], state.bodies.position[k], state.bodies.angle[k]
    moving = [n for n, p in enumerate(plan.bodies) if not p.body.fixed]
    fill = placed.colour or FILLS[moving.index(k) % len(FILLS)]
    shape = placed.body.shape
    edge = "faint" if placed.body.fixed else EDGE
    if len(shape.corners) == 1:  # with a spoke, for one sees it turn
        rim = at + shape.radius * ra.array([ra.cos(angle), ra.sin(angle)])
        disc = Circles(ra.array([at]), shape.radius, (fill,), style="disc")
        return [disc, Lines(ra.array([at]), ra.array([rim]), EDGE, 2.0)]
    if shape.pieces:
        found = [Polygon(turned(at, angle, part.corners), fill) for part in shape.pieces]
        rim = turned(at, angle, shape.outline[: len(shape.outline) // 2])
        return [*found, Polyline(rim, "faint", 2.0)]
    solid = Polygon(turned(at, angle, shape.outline), fill, edge, 1.5)
    return [solid]


def _ends(plan: Described, state: WorldState, row: int) -> tuple[Any, Any]:
    """Where the ends of a row are."""
    r, x, angle = plan.rows[row], state.bodies.position, state.bodies.angle
    return tuple(
        turned(x[b], angle[b], ra.array([ra.array(anchor)]))[0]
        for b, anchor in zip(r.bodies, r.anchors, strict=True)
    )


def _strings(plan: Described, state: WorldState) -> list[Any]:
    """Rods, ropes and springs."""
    found: list[Any] = []
    bars = [name for name, link in plan.links.items() if link.kind == "bar"]
    if bars:
        found.append(_bars(plan, state, bars))
    for link in plan.links.values():
        if link.kind in ("rod", "rope"):
            a, b = _ends(plan, state, link.rows[0])
            width = 4.0 if link.kind == "rod" else 2.0
            found.append(Lines(ra.array([a]), ra.array([b]), "bone", width))
        if link.kind == "spring":
            a, b = _ends(plan, state, link.rows[0])
            found.append(Polyline(_coil(a, b), "ivory", 2.0))
    return found


def _bars(plan: Described, state: WorldState, names: list[str]) -> Lines:
    """Bars, each by its force as a share of the largest."""
    ends = [_ends(plan, state, plan.links[name].rows[0]) for name in names]
    force = ra.stack([state[name].force for name in names])
    most = ra.maximum(ra.max(abs(force)), 1e-9)
    starts, stops = (ra.stack([e[k] for e in ends]) for k in (0, 1))
    return Lines(starts, stops, "bone", 6.0, -force / most)


def _coil(a: Any, b: Any) -> Any:
    """A zigzag from a to b."""
    way, share = b - a, np.linspace(0.1, 0.9, 2 * COILS)
    side = WIDE * ra.array([-way[1], way[0]])
    swing = np.where(np.arange(2 * COILS) % 2 == 0, 1.0, -1.0)
    coil = a + share[:, None] * way + swing[:, None] * side
    return ra.concat([ra.array([a]), coil, ra.array([b])])


def _joints(plan: Described, state: WorldState) -> Circles | None:
    pins = [link.rows[0] for link in plan.links.values() if link.kind == "hinge"]
    if not pins:
        return None
    centres = ra.stack([_ends(plan, state, row)[0] for row in pins])
    return Circles(centres, 0.03, ("text",), style="disc")


def _triggers(plan: Described) -> Circles | None:
    if not plan.triggers:
        return None
    centres = ra.stack([ra.array(t.at) for t in plan.triggers.values()])
    radii = ra.stack([1.0 * ra.array(t.radius) for t in plan.triggers.values()])
    return Circles(centres, radii, ("third",), style="ring")


def seen_at_start(plan: Described) -> tuple[float, float, float, float]:
    """What is shown: all that moves or is a goal, and a margin."""
    points = [np.array(goal.at, float) for goal in plan.goals]
    for placed in plan.bodies:
        if not placed.body.fixed:
            points += list(turned(placed.at, placed.angle, placed.body.shape.outline))
    low, high = np.min(points, axis=0), np.max(points, axis=0)
    margin = 0.15 * float(max(*(high - low), 1e-3)) + 0.1
    return (
        float(low[0] - margin),
        float(low[1] - margin),
        float(high[0] + margin),
        float(high[1] + margin),
    )
