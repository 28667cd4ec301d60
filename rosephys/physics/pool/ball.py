r"""One ball on the cloth: how it slides, rolls and spins, from the last event that it was in.

With position x and velocity v (2,), angular velocity ω (3,), z upwards, radius R, and the slip u of the point
where the ball touches the cloth,

    u = v + R ẑ × ω,

a ball is in one of five phases, in each of which its acceleration a is constant and its path a parabola:

    sliding      u ≠ 0     a = -μ_s g û,    dω/dt = -(5 / 2R) ẑ × a,    until 2 |u| / (7 μ_s g)
    rolling      u = 0     a = -μ_r g v̂,    ω = ẑ × v / R,              until |v| / (μ_r g)
    spinning     v = 0     a = 0,           ω along z,                  until 2 R |ω_z| / (5 μ_sp g)
    stationary, pocketed   no motion

and ω_z falls by 5 μ_sp g / (2 R) in a second in the first three. What was at the start of a phase, and when, is
all that is kept of a ball: where it is at a time is computed from that, without steps.

**Derivative:** exact, that of the closed forms; the ends of phases are functions of the state as well. The
least distance from a point (`nearest`) is found by Newton's method, and its derivative by the envelope theorem.

Source: Leckie, Greenspan, *An event-based pool physics simulator*, ACG 2005; Alciatore, *Pool physics:
technical proofs* TP 4.1 and TP A.4 (billiards.colostate.edu). Units are SI.
"""

from __future__ import annotations

import math

import rose_ad as ra

from ..checked import checked
from ..quantities import (
    Array,
    Condition,
    Index,
    NotNegative,
    PlaneVector,
    Positive,
    Quantity,
    Scalar,
    Share,
    SpaceVector,
)

STATIONARY, SPINNING, SLIDING, ROLLING, POCKETED = range(5)


@checked
@ra.struct
class Constants:
    """What balls, cloth and cushions are like; SI units.

    `friction` of two balls is a + b exp(-c s) at the slip s between them (Alciatore, TP A.14); `rebound` and
    `grip` are restitution and friction of cushions, `nose` the height at which they touch a ball.
    """

    radius: Positive
    sliding: Positive
    rolling: Positive
    spinning: Positive
    gravity: Positive
    restitution: Share
    friction: SpaceVector
    rebound: Share
    grip: NotNegative
    nose: Positive


@ra.struct
class Ball:
    """A ball since the last event that it was in; with one more axis in front, several of them.

    The time of that event, and just after it position (2,), velocity (2,), spin (3,), acceleration (2,), phase.
    """

    since: Quantity
    position: Array
    velocity: Array
    spin: Array
    push: Array
    phase: Quantity

    @property
    def count(self) -> int:
        """How many, where there are several."""
        return self.position.shape[0]


def sliding(
    time: Scalar,
    position: PlaneVector,
    velocity: PlaneVector,
    spin: SpaceVector,
    constants: Constants,
) -> Ball:
    """A ball that has been struck: it slides, if only for no time at all."""
    push = -constants.sliding * constants.gravity * unit(slip(velocity, spin, constants.radius))
    return Ball(time, position, velocity, spin, push, SLIDING)


def slip(velocity: PlaneVector, spin: SpaceVector, radius: Scalar) -> PlaneVector:
    """u (2,), the velocity over the cloth of the point that touches it."""
    return ra.array([velocity[0] - radius * spin[1], velocity[1] + radius * spin[0]])


def unit(vector: PlaneVector) -> PlaneVector:
    """A vector of length 1 in its direction; 0, with the derivative 0, of one that has none."""
    length = ra.norm(vector)
    return vector / ra.where(length > 0, length, 1.0)


def at(ball: Ball, time: Scalar, constants: Constants) -> Ball:
    """The ball at a time of the phase that it is in."""
    lasted = time - ball.since
    moved = lasted * ball.velocity + 0.5 * lasted * lasted * ball.push
    r, (ax, ay), (wx, wy, wz) = constants.radius, ball.push, ball.spin
    turned = ra.where(ball.phase == SLIDING, 2.5, -1.0) * lasted / r
    lost = 2.5 * constants.spinning * constants.gravity / r * lasted
    left = ra.where(abs(wz) > lost, wz - lost * ra.sign(wz), 0.0)
    spin = ra.array([wx + turned * ay, wy - turned * ax, left])
    velocity = ball.velocity + lasted * ball.push
    return Ball(time, ball.position + moved, velocity, spin, ball.push, ball.phase)


def place_at(ball: Ball, time: Scalar) -> tuple[PlaneVector, PlaneVector]:
    """Position and velocity at a time of the phase."""
    lasted = time - ball.since
    velocity = ball.velocity + lasted * ball.push
    return ball.position + 0.5 * lasted * (ball.velocity + velocity), velocity


def ends(ball: Ball, constants: Constants) -> Scalar:
    """When the phase of a ball ends, if nothing is in its way: infinity for one that does not move."""
    g = constants.gravity

    def slides() -> Scalar:
        slipping = ra.norm(slip(ball.velocity, ball.spin, constants.radius))
        return ball.since + 2 * slipping / (7 * constants.sliding * g)

    def rolls() -> Scalar:
        return ball.since + ra.norm(ball.velocity) / (constants.rolling * g)

    def spins() -> Scalar:
        lasts = 2 * constants.radius * abs(ball.spin[2]) / (5 * constants.spinning * g)
        return ball.since + lasts

    def never() -> Scalar:
        return math.inf

    return ra.switch(ball.phase, [never, spins, slides, rolls, never])


def next_phase(ball: Ball, time: Scalar, constants: Constants) -> Ball:
    """The ball at the end of its phase, in the next."""
    then = at(ball, time, constants)
    (vx, vy), wz, r = then.velocity, then.spin[2], constants.radius
    rest = ra.zeros(2)

    def rolls() -> Ball:
        push = -constants.rolling * constants.gravity * unit(then.velocity)
        spin = ra.array([-vy / r, vx / r, wz])
        return Ball(time, then.position, then.velocity, spin, push, ROLLING)

    def spins() -> Ball:
        phase = ra.where(wz != 0, SPINNING, STATIONARY)
        return Ball(time, then.position, rest, ra.array([0.0, 0.0, wz]), rest, phase)

    def stands() -> Ball:
        return Ball(time, then.position, rest, ra.zeros(3), rest, STATIONARY)

    return ra.switch(ball.phase - SPINNING, [stands, rolls, spins])


def nearest(ball: Ball, until: Scalar, point: PlaneVector) -> Scalar:
    """The square of the least distance of a ball from a point (2,), from its last event to a later time.

    Infinity where it comes nearer all the time: then it is nearest where its next stretch begins.
    """
    gap, velocity, push = ball.position - point, ball.velocity, ball.push
    held = ra.map_leaves(ra.stop_gradient, (gap, velocity, push, until - ball.since))
    start, going, pushed, lasts = held
    fast = ra.dot(going, going)
    time = ra.clip(-ra.dot(start, going) / ra.where(fast > 0, fast, 1.0), 0.0, lasts)
    for _ in range(4):
        time = ra.clip(_nearer(start, going, pushed, time), 0.0, lasts)
    within = (time > 0) & (time < lasts)
    time = ra.where(within, _nearer(gap, velocity, push, time), time)
    away = gap + time * velocity + 0.5 * time * time * push
    return ra.where(time < lasts, ra.dot(away, away), math.inf)


def _nearer(gap: PlaneVector, velocity: PlaneVector, push: PlaneVector, time: Scalar) -> Scalar:
    """When a parabola is nearest to 0: a step of Newton's method."""
    place, moving = gap + time * (velocity + 0.5 * time * push), velocity + time * push
    bend = ra.dot(moving, moving) + ra.dot(place, push)
    good = bend > 0
    return time - ra.where(good, ra.dot(place, moving) / ra.where(good, bend, 1.0), 0.0)


def moves(ball: Ball) -> Condition:
    """Whether it goes anywhere."""
    return (ball.phase == SLIDING) | (ball.phase == ROLLING)


def energy(ball: Ball, radius: Scalar) -> Scalar:
    """Its kinetic energy per mass, |v|²/2 + R²|ω|²/5, in m²/s²."""
    v, w = ball.velocity, ball.spin
    return 0.5 * ra.dot(v, v) + 0.2 * radius * radius * ra.dot(w, w)


def row(balls: Ball, k: Index) -> Ball:
    """One ball of several."""
    one: Ball = ra.map_leaves(lambda rows: rows[k], balls)
    return one


def put(balls: Ball, k: Index, ball: Ball) -> Ball:
    """The balls, one of them changed."""

    def instead(rows: Array, row: Array) -> Array:
        return ra.build(balls.count, lambda i: ra.where(i == k, row, rows[i]))

    changed: Ball = ra.map_leaves(instead, balls, ball)
    return changed
