r"""When a distance first falls through zero: of a ball from a line, a quadratic, and from a point, a quartic.

A distance s(t) is a polynomial in the time t from now to a horizon h. What is looked for is the first t in
[0, h] at which it falls through zero. A body that touches now, s(0) = 0 up to rounding, falls through at once
if it approaches, and not before it has left and come back if it does not; an approach slower than `RESTING` is
none.

**Quadratic.** At most one of the roots is a falling one; it is taken in the form in which nothing cancels.

**Quartic.** The roots of p'' are those of a quadratic; between them p' is monotone, so it has at most one root
in each part; between those p is monotone, and the first part at whose ends its sign falls has the root. Each
root is found by Newton's method, kept within a bracket that bisection shrinks where it would leave it.
Ferrari's formula has the same roots, but loses half of its digits or all where two of them nearly meet, which
is where a ball grazes another.

**Derivative:** none; nothing here is differentiated. `shot.py` has that of the root that it makes use of.
"""

from __future__ import annotations

import math
from itertools import pairwise

import rose_ad as ra

from ..quantities import Array, Index, PlaneVector, Scalar

RESTING = 1e-9  # m/s; what approaches no faster does not approach
BEHIND = 1e-3  # m; what is farther behind has not touched: it is somewhere else
_ROUNDS = 100


@ra.fn
def falls_to_line(c: Scalar, b: Scalar, a: Scalar, horizon: Scalar) -> Scalar:
    """The first time in [0, horizon] at which c + b t + a t² falls through 0; infinity if there is none."""
    square = b * b - 4 * a * c
    leaves = b > 0

    def later() -> Scalar:
        root = ra.sqrt(square)
        return ra.where(leaves, (b + root) / (-2 * a), 2 * c / (root - b))

    comes = (square > RESTING * RESTING) & ((a < 0) | ((b < 0) & (c > -BEHIND)))
    time = ra.maximum(ra.cond(comes, later, lambda: math.inf), 0.0)
    return ra.where((time <= horizon) & ((c > -BEHIND) | leaves), time, math.inf)


@ra.fn
def falls_to_circle(
    gap: PlaneVector, velocity: PlaneVector, push: PlaneVector, distance: Scalar, horizon: Scalar
) -> Scalar:
    """The first time in [0, horizon] at which a point at `gap` + `velocity` t + `push` t²/2 from another comes
    nearer to it than `distance`; infinity if there is none."""
    half = 0.5 * push
    square = ra.dot(gap, gap)
    along, bent = ra.dot(gap, velocity), ra.dot(gap, half)
    # along the gap it must come as near at least
    last = square + horizon * (along + horizon * bent)
    turn = ra.where(bent > 0, -0.5 * along / ra.where(bent > 0, bent, 1.0), horizon)
    turned = square + turn * (along + turn * bent)
    nearest = ra.where((turn > 0) & (turn < horizon), ra.minimum(turned, last), last)
    nearest = ra.minimum(nearest, square)

    def solve() -> Scalar:
        v2 = ra.dot(velocity, velocity)
        p = ra.array(
            [
                square - distance * distance,
                2 * along,
                v2 + 2 * bent,
                2 * ra.dot(velocity, half),
                ra.dot(half, half),
            ]
        )
        return _first_fall(p, 2 * RESTING * distance, horizon)

    near = ra.maximum(nearest, 0.0)
    may = near * near < distance * distance * square
    return ra.cond(may, solve, lambda: math.inf)


@ra.fn
def _first_fall(p: Array, slow: Scalar, horizon: Scalar) -> Scalar:
    """The first time in [0, horizon] at which a quartic (5,), its constant first, falls through 0."""
    slope = ra.array([p[1], 2 * p[2], 3 * p[3], 4 * p[4]])
    bends = _quadratic_roots(slope[1], 2 * slope[2], 3 * slope[3], horizon)
    parts = (0.0, *bends, horizon)
    turns = [_root(slope, low, high) for low, high in pairwise(parts)]
    nodes = (0.0, *turns, horizon)
    first: Scalar = math.inf
    for low, high in reversed(list(pairwise(nodes))):
        falls = (_value(p, low) > 0) & (_value(p, high) <= 0)
        first = ra.cond(falls, lambda low=low, high=high: _root(p, low, high), lambda f=first: f)
    first = ra.where((p[0] <= 0) & (p[1] < 0), 0.0, first)
    return ra.where(_value(slope, ra.minimum(first, horizon)) < -slow, first, math.inf)


def _quadratic_roots(c: Scalar, b: Scalar, a: Scalar, horizon: Scalar) -> tuple[Scalar, Scalar]:
    """The roots of c + b t + a t² in order, moved into [0, horizon]; both at its end if there are none."""
    square = b * b - 4 * a * c
    q = -0.5 * (b + ra.where(b < 0, -1.0, 1.0) * ra.sqrt(ra.maximum(square, 0.0)))
    one = ra.where(a != 0, q / ra.where(a != 0, a, 1.0), horizon)
    other = ra.where(q != 0, c / ra.where(q != 0, q, 1.0), horizon)
    one, other = (ra.where(square > 0, ra.clip(t, 0.0, horizon), horizon) for t in (one, other))
    return ra.minimum(one, other), ra.maximum(one, other)


def _value(p: Array, t: Scalar) -> Scalar:
    value: Scalar = p[p.shape[0] - 1]
    for k in reversed(range(p.shape[0] - 1)):
        value = value * t + p[k]
    return value


@ra.fn
def _root(p: Array, low: Scalar, high: Scalar) -> Scalar:
    """The root of a polynomial that is monotone from `low` to `high`; `high` if it has none there."""
    n = p.shape[0]
    slope = ra.array([k * p[k] for k in range(1, n)])
    rises = _value(p, high) > 0

    def improve(carry: tuple[Scalar, Scalar, Scalar, Scalar]) -> tuple[Scalar, ...]:
        low, high, t, _ = carry
        value = _value(p, t)
        left = (value > 0) != rises
        low, high = ra.where(left, t, low), ra.where(left, high, t)
        newton = t - value / _value(slope, t)
        inside = (newton > low) & (newton < high)  # neither holds for NaN
        new = ra.where(value == 0, t, ra.where(inside, newton, 0.5 * (low + high)))
        return low, high, new, abs(new - t)

    def moving(carry: tuple[Scalar, Scalar, Scalar, Scalar]) -> Index:
        low, high, t, moved = carry
        return moved > 4e-16 * (abs(t) + high - low)

    def solve() -> Scalar:
        start = (low, high, 0.5 * (low + high), math.inf)
        return ra.while_loop(moving, improve, start, max_steps=_ROUNDS)[2]

    crosses = (_value(p, low) > 0) != rises
    return ra.cond(crosses & (high > low), solve, lambda: high)
