r"""The same game in time steps, to compare with: friction, impacts, cushions and pockets as in `shot.py`.

A step of length dt changes the velocity of a ball that slips by friction, -μ_s g dt û, or by -2/7 u where
that ends the slip, and that of one that rolls by -μ_r g dt v̂; then it moves. Balls that overlap at the end of
the step, or are in a cushion, and approach, have their impact there and then.

**Derivative:** that of this program, in which the instant of an impact is the end of a step, whatever the
shot: it is wrong wherever balls meet (docs/contact.md), and does not get better with dt. Values are wrong by
the order of dt, until an impact is missed or another one happens.
"""

from __future__ import annotations

import rose_ad as ra

from ..checked import checked
from ..quantities import Count, Index, PlaneVectors, Positive, Scalar
from .ball import POCKETED, Ball, Constants, put, row, slip, unit
from .impacts import balls_meet, cushion_rebound
from .table import Table


@checked
def play_in_steps(
    table: Table, balls: Ball, constants: Constants, dt: Positive, steps: Count
) -> Ball:
    """The balls after so many steps of length dt."""
    return ra.fori_loop(0, steps, lambda _, b: _step(table, b, constants, dt), balls)


def _step(table: Table, balls: Ball, constants: Constants, dt: Scalar) -> Ball:
    n = balls.count
    balls = ra.build(n, lambda k: _moved(row(balls, k), constants, dt))
    for i in range(n):
        for j in range(i + 1, n):
            balls = _pair(balls, i, j, constants)
    balls = ra.build(n, lambda k: _edges(table, row(balls, k), constants))
    return ra.build(n, lambda k: _pockets(table, row(balls, k)))


def _moved(ball: Ball, c: Constants, dt: Scalar) -> Ball:
    """A ball after friction, where it has gone with the velocity that is left."""
    g, (wx, wy, wz) = c.gravity, ball.spin
    u = slip(ball.velocity, ball.spin, c.radius)
    ends = ra.norm(u) <= 3.5 * c.sliding * g * dt
    push = ra.where(ends, -2 / 7 * u, -c.sliding * g * dt * unit(u))
    velocity = ball.velocity + push
    turn = 2.5 / c.radius
    speed, slows = ra.norm(velocity), ra.where(ends, c.rolling * g * dt, 0.0)
    velocity = velocity - ra.minimum(speed, slows) * unit(velocity)
    wx = ra.where(ends, -velocity[1] / c.radius, wx + turn * push[1])
    wy = ra.where(ends, velocity[0] / c.radius, wy - turn * push[0])
    lost = 2.5 * c.spinning * g / c.radius * dt
    wz = ra.where(abs(wz) > lost, wz - lost * ra.sign(wz), 0.0)
    spin = ra.array([wx, wy, wz])
    still = ball.phase == POCKETED
    moved = _with(ball, ball.position + dt * velocity, velocity, spin)
    return ra.cond(still, lambda: ball, lambda: moved)


def _with(ball: Ball, position: PlaneVectors, velocity: PlaneVectors, spin: PlaneVectors) -> Ball:
    return Ball(ball.since, position, velocity, spin, ball.push, ball.phase)


def _pair(balls: Ball, i: Index, j: Index, c: Constants) -> Ball:
    a, b = row(balls, i), row(balls, j)
    gap = b.position - a.position
    near = ra.dot(gap, gap) < 4 * c.radius * c.radius
    nearer = ra.dot(gap, b.velocity - a.velocity) < 0
    there = (a.phase != POCKETED) & (b.phase != POCKETED)

    def meet() -> Ball:
        first, second = balls_meet(a, b, 0.0, c)
        return put(put(balls, i, first), j, second)

    return ra.cond(near & nearer & there, meet, lambda: balls)


def _edges(table: Table, ball: Ball, c: Constants) -> Ball:
    """A ball after the cushions and jaws that it is in."""
    for start, way, span in zip(table.starts, table.ways, table.spans, strict=True):
        nx, ny = -way[1], way[0]
        gap = ball.position - start
        along, away = ra.dot(gap, way), nx * gap[0] + ny * gap[1]
        inside = (along >= 0) & (along <= span) & (away < c.radius) & (away > 0)
        ball = _back(ball, inside, ra.array([nx, ny]), c)
    for centre, radius in zip(table.jaws, table.jaw_radii, strict=True):
        gap = ball.position - centre
        inside = ra.dot(gap, gap) < (radius + c.radius) ** 2
        ball = _back(ball, inside, unit(gap), c)
    return ball


def _back(ball: Ball, inside: Index, normal: PlaneVectors, c: Constants) -> Ball:
    """A ball that goes into a cushion, thrown back."""
    into = inside & (ra.dot(normal, ball.velocity) < 0) & (ball.phase != POCKETED)
    return ra.cond(into, lambda: cushion_rebound(ball, normal, 0.0, c), lambda: ball)


def _pockets(table: Table, ball: Ball) -> Ball:
    for centre, radius in zip(table.pockets, table.pocket_radii, strict=True):
        gap, held = ball.position - centre, ball
        rest = ra.zeros(2)
        dropped = Ball(held.since, 1.0 * ra.array(centre), rest, ra.zeros(3), rest, POCKETED)
        ball = ra.cond(
            ra.dot(gap, gap) < radius * radius,
            lambda dropped=dropped: dropped,
            lambda held=held: held,
        )
    return ball
