"""What is measured of shapes, so that relations between them are bounds of numbers.

A shape is convex and symmetric about its centre c. It is given by its support function, how far it reaches from
c in the direction n, a unit vector:

    h(n) = w |nx| + h |ny| + sqrt((d·n)² + (a nx)² + (b ny)²)

which is a box of half-sizes w, h, rounded by an ellipse of radii a, b; or, where d is not 0, a straight line
from c - d to c + d that is as thick as its a and b say. Two numbers describe how shapes A and B lie to each
other, with the same minimum over all directions n:

    gap   = -min (hA + hB - (cB - cA)·n)     how far apart they are; negative, by how much they overlap
    depth =  min (hA - hB - (cB - cA)·n)     how far B is within A; negative, by how much it sticks out

The minimum is found by samples and a search in ever smaller steps. At a minimum the direction does not matter
to first order (Danskin 1967), so the derivative of either number is that of the bracket with n held fixed,
exactly.

Source: Schneider, *Convex bodies: the Brunn-Minkowski theory*, second edition, 2014, 1.7 and 3.2.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

import rose_ad as ra

SAMPLES = (
    16  # of all directions; those along the axes, where boxes have their sides, are among them
)
HALVINGS = 14  # of the step from one sample to the next
TINY = 1e-12  # square pixels: what keeps lengths differentiable where they vanish

_ANGLES = 2 * np.pi * np.arange(SAMPLES) / SAMPLES
_DIRECTIONS = np.round(np.stack([np.cos(_ANGLES), np.sin(_ANGLES)], axis=1), 15)
_STEPS = 2 * math.pi / SAMPLES / 2.0 ** np.arange(1, HALVINGS + 1)
_TURNS = np.stack([np.cos(_STEPS), np.sin(_STEPS)], axis=1)


class Outline(NamedTuple):
    """A shape's numbers: centre, half-sizes of its box, radii of its ellipse, and half of its line."""

    x: Any
    y: Any
    wide: Any
    high: Any
    a: Any
    b: Any
    dx: Any
    dy: Any

    def reach(self, nx: Any, ny: Any) -> Any:
        """h(n)"""
        along = self.dx * nx + self.dy * ny
        a, b = self.a * nx, self.b * ny
        box = self.wide * ra.abs(nx) + self.high * ra.abs(ny)
        return box + ra.sqrt(along * along + a * a + b * b + TINY)


def gap(one: Outline, other: Outline) -> Any:
    """How far two shapes are apart; negative, by how much they overlap."""
    return -_least(one, other, 1.0)


def depth(outer: Outline, inner: Outline) -> Any:
    """How far a shape is within another; negative, by how much it sticks out."""
    return _least(outer, inner, -1.0)


def apart_along_an_axis(one: Outline, other: Outline) -> Any:
    """How far their bounding boxes are apart: at most their gap, and quickly computed."""
    across = abs(other.x - one.x) - one.reach(1.0, 0.0) - other.reach(1.0, 0.0)
    along = abs(other.y - one.y) - one.reach(0.0, 1.0) - other.reach(0.0, 1.0)
    return ra.maximum(across, along)


def _least(one: Outline, other: Outline, sign: float) -> Any:
    held = [ra.to_real(ra.stop_gradient(x)) for x in (*one, *other)]
    nx, ny = _direction(Outline(*held[:8]), Outline(*held[8:]), sign)
    return _bracket(one, other, sign, nx, ny)


def _bracket(one: Outline, other: Outline, sign: float, nx: Any, ny: Any) -> Any:
    between = (other.x - one.x) * nx + (other.y - one.y) * ny
    return one.reach(nx, ny) + sign * other.reach(nx, ny) - between


@ra.fn
def _direction(one: Outline, other: Outline, sign: ra.Real) -> tuple[Any, Any]:
    """The n of the minimum."""

    def better(best: tuple[Any, Any, Any], nx: Any, ny: Any) -> tuple[Any, Any, Any]:
        value = _bracket(one, other, sign, nx, ny)
        closer = value < best[0]
        return tuple(
            ra.where(closer, new, old) for new, old in zip((value, nx, ny), best, strict=True)
        )

    def sampled(k: Any, best: tuple[Any, Any, Any]) -> tuple[Any, Any, Any]:
        way = ra.array(_DIRECTIONS)[k]
        return better(best, way[0], way[1])

    def turned(k: Any, best: tuple[Any, Any, Any]) -> tuple[Any, Any, Any]:
        _, nx, ny = best
        turn = ra.array(_TURNS)[k]
        c, s = turn[0], turn[1]
        best = better(best, c * nx - s * ny, s * nx + c * ny)
        return better(best, c * nx + s * ny, c * ny - s * nx)

    def searched() -> tuple[Any, Any]:
        best = ra.fori_loop(0, SAMPLES, sampled, (math.inf, 1.0, 0.0))
        found = ra.fori_loop(0, HALVINGS, turned, best)
        return found[1], found[2]

    def straight() -> tuple[Any, Any]:
        x, y = other.x - one.x, other.y - one.y
        far = ra.sqrt(x * x + y * y + TINY)
        return x / far, y / far

    return ra.cond(_round(one) & _round(other), straight, searched)  # type: ignore[no-any-return]


def _round(shape: Outline) -> Any:
    box = (shape.wide == 0) & (shape.high == 0)
    return box & (shape.a == shape.b) & (shape.dx == 0) & (shape.dy == 0)
