r"""A rigid body in space whose corners meet a level floor, with restitution and friction.

Let corner k have the arm r_k from the centre of mass, the height z_k and the velocity u_k = v + ω × r_k. In a
step of length h the body flies freely, on a parabola and turning, until the first corner meets the floor at τ,
or to the step's end; z_k + u_kz τ - g τ² / 2 = 0 says when, and one step of Newton's method says it of corners
that turn. At that instant every corner that touches and sinks gets an impulse P_k = (P_t, P_n) with

    P_n ≥ 0,    u_n' ≥ -e u_n,    P_n (u_n' + e u_n) = 0        restitution e
    |P_t| ≤ μ P_n,    u_t' = 0 where |P_t| < μ P_n              Coulomb friction μ

found for all corners together by projected Gauss-Seidel sweeps until they no longer change, with
v' = v + Σ P_k / m and L' = L + Σ r_k × P_k. Then the body flies on, to the next impact or the step's end; a
step resolves at most `IMPACTS`. So the instant of an impact is differentiated, as is its place. A corner found
below the floor, as there was no time left for it, meets it at once, where it has come from; it leaves with the
speed that takes back a share of its depth in a step, but not faster than it came.

So without friction energy never grows: flight keeps it, whenever an impact is made, and
ΔE = ½ Σ P_k · (u_k + u_k') ≤ 0; with e = 1 it is kept. With friction and e > 0 an impact may gain energy, as it
may by Newton's law of restitution (Kane's paradox).

Sources: Catto, *Iterative dynamics with temporal coherence*, GDC 2005 (sequential impulses); Zhong et al.,
L4DC 2023 (the instant of impact).
"""

from __future__ import annotations

from typing import Annotated, TypeAlias

import numpy as np

import rose_ad as ra

from ..checked import checked
from ..quantities import (
    Array,
    Axes,
    Condition,
    Index,
    Matrix,
    NotNegative,
    Positive,
    Scalar,
    Share,
    SpaceVector,
    Vector,
    Vectors,
)
from .body3d import Moments, Quaternion, rotated, rotation_matrix, turn

SWEEPS = 200  # at most
SETTLED = 1e-14  # the share of the impulses by which a last sweep changes them
IMPACTS = 3  # that a step resolves one after the other
TOUCHING = 1e-4  # metres; corners nearer to the floor than this touch it when another does
SLOWEST = (
    1e-3  # m/s; a corner that sinks more slowly meets nothing, at no instant that has a meaning
)
RECOVERY = 0.1  # the share of its depth that a corner takes back in a step

_Pushed: TypeAlias = tuple[Vector, Vector, Vectors]
"""Velocity and spin of a body, and the impulses (n, 3) on its corners so far."""
_Swept: TypeAlias = tuple[Vector, Vector, Vectors, Condition]
"""The same, and whether the last sweep has changed them."""


@checked
@ra.struct
class RigidBody:
    """Mass (kg), principal moments (3,) (kg m²), and corners (n, 3) from the centre of mass (m)."""

    mass: Positive
    moments: Moments
    corners: Annotated[Array, Axes("n", 3)]


@checked
@ra.struct
class Motion:
    """Place of the centre of mass and velocity (3,), orientation (4,), angular momentum of the world (3,)."""

    position: SpaceVector
    velocity: SpaceVector
    orientation: Quaternion
    momentum: SpaceVector


@checked
@ra.fn
def drift(body: RigidBody, now: Motion, gravity: Scalar, dt: Scalar) -> Motion:
    """The motion a time dt later, in free flight."""
    turned = turn(now.orientation, now.momentum, body.moments, dt)
    fall = -gravity * dt * np.array([0.0, 0.0, 1.0])
    place = now.position + dt * (now.velocity + 0.5 * fall)
    return Motion(place, now.velocity + fall, turned, now.momentum)


@checked
def advance_over_floor(
    body: RigidBody,
    now: Motion,
    restitution: Share,
    friction: NotNegative,
    dt: Positive,
    gravity: NotNegative = 0.0,
) -> Motion:
    """The motion a time dt later over a floor at z = 0, under `gravity` downwards, in m/s²."""

    def to_impact(_: Index, state: tuple[Motion, Scalar]) -> tuple[Motion, Scalar]:
        now, left = state
        meets, instant = _first_impact(body, now, gravity, left, dt)

        def collide() -> tuple[Motion, Scalar]:
            met = drift(body, now, gravity, instant)
            return _pushed(body, met, restitution, friction, dt), left - instant

        return ra.cond(meets, collide, lambda: (now, left))

    met, left = ra.fori_loop(0, IMPACTS, to_impact, (now, dt))
    return drift(body, met, gravity, left)


def _first_impact(
    body: RigidBody, now: Motion, gravity: Scalar, left: Scalar, dt: Scalar
) -> tuple[Condition, Scalar]:
    """Whether a corner meets the floor in the time left of a step of length dt, and when the first does.

    It may have done so a little before: then it is put back on the floor along its way.
    """
    height, speed = _corners(body, now)
    square = speed * speed + 2 * gravity * height
    comes = ra.sqrt(ra.maximum(square, SLOWEST**2))  # how fast it then sinks
    below = height + left * (speed - 0.5 * gravity * left) < 0
    # not what is below already and on its way up
    meets = below & (square > SLOWEST**2) & ((height > 0) | (speed < -SLOWEST))
    up, down = (comes + speed) / ra.maximum(gravity, 1e-300), 2 * height / (comes - speed)
    late = ra.where(speed > 0, up, down)
    instants = ra.where(meets, ra.maximum(late, -0.5 * dt), left)
    first = ra.argmin(instants)
    instant = instants[first]
    # corners turn, too: a second step of Newton's method
    height, speed = _corners(body, drift(body, now, gravity, instant))
    late = height[first] / ra.minimum(speed[first], -SLOWEST)
    return ra.any(meets), ra.clip(instant - late, -0.5 * dt, left + 0.5 * dt)


def _frame(body: RigidBody, now: Motion) -> tuple[Vectors, Matrix]:
    """The corners' arms (n, 3) and the inverse of the inertia (3, 3), in the world."""
    r = rotation_matrix(now.orientation)
    return rotated(now.orientation, body.corners), (r / body.moments) @ r.T


def _velocities(now: Motion, arms: Vectors, inverse: Matrix) -> Vectors:
    """The velocities (n, 3) of the corners."""
    spin = inverse @ now.momentum
    return ra.build(len(arms), lambda k: now.velocity + ra.cross(spin, arms[k]))


@ra.fn
def _corners(body: RigidBody, now: Motion) -> tuple[Array, Array]:
    """The heights of the corners and their vertical velocities, each (n,)."""
    arms, inverse = _frame(body, now)
    return now.position[2] + arms[:, 2], _velocities(now, arms, inverse)[:, 2]


def _pushed(
    body: RigidBody, now: Motion, restitution: Scalar, friction: Scalar, dt: Scalar
) -> Motion:
    """The motion just after the floor has pushed the corners that touch it."""
    arms, inverse = _frame(body, now)
    height, sinking = now.position[2] + arms[:, 2], _velocities(now, arms, inverse)[:, 2]
    touches = (height < TOUCHING) & (sinking < 0)
    back = ra.minimum(-RECOVERY / dt * height, -sinking)
    leaving = ra.maximum(-restitution * sinking, back)
    yields = ra.build(len(arms), lambda k: _yield(body.mass, inverse, arms[k]))

    def push(k: Index, state: _Pushed) -> _Pushed:
        v, spin, impulses = state
        u = v + ra.cross(spin, arms[k])
        wanted = impulses[k] - (u - leaving[k] * np.array([0.0, 0.0, 1.0])) / yields[k]
        normal = ra.where(touches[k], ra.maximum(wanted[2], 0.0), 0.0)
        limit = friction * normal
        share = limit / ra.maximum(ra.maximum(ra.hypot(wanted[0], wanted[1]), limit), 1e-30)
        impulse = ra.array([share * wanted[0], share * wanted[1], normal])
        change = impulse - impulses[k]
        impulses = ra.build(len(arms), lambda j: ra.where(j == k, impulse, impulses[j]))
        return v + change / body.mass, spin + inverse @ ra.cross(arms[k], change), impulses

    def sweep(state: _Swept) -> _Swept:
        v, spin, impulses = ra.fori_loop(0, len(arms), push, state[:3])
        change = ra.max(ra.abs(impulses - state[2]))
        return v, spin, impulses, change > SETTLED * ra.max(ra.abs(impulses))

    start = (now.velocity, inverse @ now.momentum, np.zeros(arms.shape), True)
    velocity, _, impulses, _ = ra.while_loop(lambda s: s[3], sweep, start, max_steps=SWEEPS)
    torque = ra.sum(ra.build(len(arms), lambda k: ra.cross(arms[k], impulses[k])), axis=0)
    return Motion(now.position, velocity, now.orientation, now.momentum + torque)


def _yield(mass: Scalar, inverse: Matrix, arm: Vector) -> Vector:
    """How much a corner's velocity changes at most along each axis (3,) for an impulse of 1 along it."""

    def along(axis: int) -> Scalar:
        one = ra.where(ra.arange(3) == axis, 1.0, 0.0)
        return ra.cross(inverse @ ra.cross(arm, one), arm)[axis]

    across = ra.maximum(along(0), along(1))  # one for both, so that friction opposes the sliding
    return 1 / mass + ra.array([across, across, along(2)])
