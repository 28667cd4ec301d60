"""Bodies that overlap before anything has moved, as far as their places are known."""

from __future__ import annotations

from typing import Any

import numpy as np

from rosephys.given import is_traced
from rosephys.physics.rigid.bodies import World
from rosephys.physics.rigid.shapes import Shape

from .described import Described, Placed

DEEP = 0.01
"""The share of the smaller body's size by which two may overlap."""


def overlapping(plan: Described, world: World) -> str:
    """What is wrong if two bodies that may touch overlap at the start; "" if none do."""
    bodies = plan.bodies
    known = [
        not is_traced((p.at, p.angle, p.body.shape.corners, p.body.shape.radius)) for p in bodies
    ]
    placed = [_placed(p) if k else [] for p, k in zip(bodies, known, strict=True)]
    boxes = [[(c.min(0) - r, c.max(0) + r) for c, r in parts] for parts in placed]
    for i, j in _near(world, boxes):
        for a in placed[i]:
            for b in placed[j]:
                depth = -_apart(a, b)
                size = min(_size(a), _size(b))
                if depth > DEEP * size:
                    one, other = bodies[i].name, bodies[j].name
                    return (
                        f"{one!r} and {other!r} overlapping by {depth:.3g} m; move them apart, give both one"
                        f" group, or let them pass: w.passes({one!r}, {other!r})"
                    )
    return ""


def _near(world: World, boxes: list[list[Any]]) -> list[tuple[int, int]]:
    """The pairs of bodies whose boxes overlap."""
    pairs = np.unique(np.sort(world.contacts.pairs, axis=1), axis=0)
    low = np.array([np.min([b[0] for b in own], axis=0) if own else [np.inf] * 2 for own in boxes])
    high = np.array(
        [np.max([b[1] for b in own], axis=0) if own else [-np.inf] * 2 for own in boxes]
    )
    i, j = pairs[:, 0], pairs[:, 1]
    over = ((low[i] < high[j]) & (low[j] < high[i])).all(axis=1)
    return [(int(a), int(b)) for a, b in pairs[over]]


def _placed(p: Placed) -> list[tuple[np.ndarray[Any, Any], float]]:
    """The corners (k, 2) of each part where it begins, and its radius."""
    c, s = np.cos(float(p.angle)), np.sin(float(p.angle))
    turn = np.array([[c, s], [-s, c]])
    parts: tuple[Shape, ...] = p.body.shape.parts
    at = np.array([float(v) for v in p.at])
    return [(np.asarray(part.corners) @ turn + at, float(part.radius)) for part in parts]


def _size(part: tuple[np.ndarray[Any, Any], float]) -> float:
    corners, radius = part
    return float(np.ptp(corners, axis=0).max()) + 2 * radius


def _apart(a: tuple[np.ndarray[Any, Any], float], b: tuple[np.ndarray[Any, Any], float]) -> float:
    """How far two convex parts are apart, negative where they overlap: the most along any normal of a face, or
    from corner to corner."""
    (p, r), (q, s) = a, b
    ways = [w for c in (p, q) for w in _normals(c)]
    ways += [d / n for d in (q[:, None] - p[None]).reshape(-1, 2) if (n := np.hypot(*d)) > 0]
    if not ways:
        return -r - s
    along = np.array(ways)
    gaps = (along @ q.T).min(axis=1) - (along @ p.T).max(axis=1)
    other = (along @ p.T).min(axis=1) - (along @ q.T).max(axis=1)
    return float(max(gaps.max(), other.max())) - r - s


def _normals(corners: np.ndarray[Any, Any]) -> list[np.ndarray[Any, Any]]:
    if len(corners) < 2:
        return []
    side = np.roll(corners, -1, axis=0) - corners
    out = np.stack([side[:, 1], -side[:, 0]], axis=1)
    return list(out / np.hypot(out[:, 0], out[:, 1])[:, None])
