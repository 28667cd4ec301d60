r"""Rigid bodies in the plane, with impulses, contact with level ground, springs and soft joints.

A body has a centre x, an angle θ, a velocity v, an angular velocity ω, a mass m and a moment of inertia I. Its
point at the offset o of its own frame is at x + r, r = R(θ) o, and moves with u = v + ω (-r_y, r_x). All
impulses of a step are found from the motion before it and summed. An impulse J at the offset r from the centre
gives

    Δv += J / m,    Δω += r × J / I,    and, at an instant τ of the step,    Δx -= τ J / m,    Δθ -= τ r × J / I

for the change of velocity was not yet there until τ. A step of length dt under gravity g, which drags with the
factor γ on velocities, is then

    v' = γ v + Δv - dt (0, g)    x' = x + dt v' + Δx    ω' = γ ω + Δω    θ' = θ + dt ω' + Δθ.

*Contact.* A point at p with u_y < 0, gravity of the step included, that would be below the ground at
p⁺ = p + dt u meets it at τ = (ground - p_y) / u_y, or at once where it is below already. With restitution e and
friction μ it gets, at p⁺,

    J_y = -(1 + e) u_y / (1/m + r_x²/I),     J_x = -u_x / (1/m + r_y²/I), at most μ J_y either way.

As published, r is that before the step, and the impulse turns the body as if it acted at p⁺, so that the energy
of an elastic collision is kept to O(dt²) only. Two corners that land in one step are summed, each as if it were
alone: a box of half extents w, h that lands flat gets 2 (1 + e) / (1 + 3 w² / (w² + h²)) times what would stop
it, so that one with h > √2 w gains energy where e = 1, and rises where e = 0; the impulses of
`rosephys/physics/rigid/` do not. Without τ, that is by the naive rule Δx = 0 and Δθ = 0, the
derivative of where a body ends with respect to where it began is wrong, in places by sign: see
docs/rigid_robots.md.

*Springs.* One from p_a to p_b, of stiffness k and rest length L, with d = p_a - p_b and ℓ = |d| + 1e-4, gives a
the impulse -dt k (ℓ - L) / ℓ d, and b its opposite.

*Joints.* A spring of rest length 0 and an impulse that stops the relative velocity q = u_a - u_b of its ends:
with s = |q| + 0.1 and e = q / s, a gets -(dt k d + q / C), and b its opposite, where C is the sum of
1/m + (e × r)²/I of both. There are no iterations, so joints are soft.

Source: the rigid bodies of DiffTaichi (Hu et al., ICLR 2020), sections 4 and 5. Units are the user's own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, TypeAlias

import numpy as np

import rose_ad as ra
from rosephys.limit import Limit

from ..checked import checked
from ..quantities import (
    ABOVE_0,
    FROM_0,
    Array,
    Axes,
    Index,
    NotNegative,
    NumberOf,
    NumpyArray,
    PlaneVector,
    Positive,
    Scalar,
    Share,
    Vector,
)

Halves: TypeAlias = Annotated[NumpyArray, Axes("bodies", 2), ABOVE_0]
"""(n, 2), the half extents of boxes."""

SOFTENING = 1e-4  # of a spring's length, which keeps its direction finite
SLOWEST = 1e-3  # a point that sinks more slowly has no time of impact that means anything
AROUND = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)])  # the corners of a box
JOINT_SOFTENING = 0.1  # of the relative speed of a joint's ends


@checked
@ra.struct
class Motion:
    """Centres (n, 2), angles (n,), velocities (n, 2) and angular velocities (n,) of n bodies."""

    position: Annotated[Array, Axes("bodies", 2)]
    angle: Annotated[Array, Axes("bodies")]
    velocity: Annotated[Array, Axes("bodies", 2)]
    spin: Annotated[Array, Axes("bodies")]


@checked
@dataclass(frozen=True)
class RigidBodies:
    """What n bodies are: masses (n,), moments of inertia (n,), and the m points, each with its `owner` (m,)
    and its offset (m, 2) in the owner's frame, that may touch the ground."""

    mass: Annotated[Array, Axes("bodies"), ABOVE_0]
    inertia: Annotated[Array, Axes("bodies"), ABOVE_0]
    owner: Annotated[NumpyArray, Axes("points"), NumberOf("bodies")]
    offset: Annotated[NumpyArray, Axes("points", 2)]


@checked
@dataclass(frozen=True)
class Links:
    """m springs or joints: the bodies (m, 2) that each joins, the offsets (m, 2, 2) of its ends in their
    frames, its stiffness (m,)."""

    ends: Annotated[NumpyArray, Axes("links", 2), NumberOf("bodies")]
    offset: Annotated[NumpyArray, Axes("links", 2, 2)]
    stiffness: Annotated[NumpyArray, Axes("links"), FROM_0]


@checked
def boxes(half: Halves) -> RigidBodies:
    """Boxes of half extents (n, 2) and density 1, which touch the ground with their corners."""
    mass = 4 * half[:, 0] * half[:, 1]
    inertia = mass / 3 * (half**2).sum(axis=1)
    corners = half[:, None] * AROUND
    return RigidBodies(mass, inertia, np.repeat(np.arange(len(half)), 4), corners.reshape(-1, 2))


@checked
class Impulses:
    """The impulses of one step on bodies in a motion, as they are summed."""

    def __init__(self, bodies: RigidBodies, motion: Motion) -> None:
        n = len(bodies.mass)
        self.motion = motion = ra.map_leaves(ra.array, motion)
        self.frame = ra.stack([ra.cos(motion.angle), ra.sin(motion.angle)], axis=1)
        self.by_mass = ra.array(1 / bodies.mass)
        self.by_inertia = ra.array(1 / bodies.inertia)
        self.velocity, self.spin = ra.accum((n, 2)), ra.accum(n)
        self.position, self.angle = ra.accum((n, 2)), ra.accum(n)

    @property
    def sizes(self) -> dict[str, int]:
        """How many bodies there are."""
        return {"bodies": self.motion.position.shape[0]}

    def arm(self, i: Index, offset: Vector) -> Vector:
        """The offset (2,) from the centre of body i, turned as the body is."""
        c, s = self.frame[i, 0], self.frame[i, 1]
        return ra.array([c * offset[0] - s * offset[1], s * offset[0] + c * offset[1]])

    def speed(self, i: Index, arm: Vector) -> Vector:
        """The velocity (2,) of the point of body i at that arm."""
        v, w = self.motion.velocity[i], self.motion.spin[i]
        return ra.array([v[0] - w * arm[1], v[1] + w * arm[0]])

    def compliance(self, i: Index, arm: Vector, direction: Vector) -> Scalar:
        """How fast the point of body i at that arm goes along a direction, for a unit of impulse along it."""
        return self.by_mass[i] + self.by_inertia[i] * cross(arm, direction) ** 2

    def add(self, i: Index, impulse: Vector, arm: Vector, instant: Scalar | None = None) -> None:
        """An impulse (2,) on body i at that arm, at an instant of the step or, if None, at its start."""
        dv, dw = self.by_mass[i] * impulse, self.by_inertia[i] * cross(arm, impulse)
        self.velocity[i] += dv
        self.spin[i] += dw
        if instant is not None:
            self.position[i] -= instant * dv
            self.angle[i] -= instant * dw


@checked
def cross(a: PlaneVector, b: PlaneVector) -> Scalar:
    """a × b of two vectors of the plane, a number."""
    return a[0] * b[1] - a[1] * b[0]


@checked
def touch_ground(
    impulses: Impulses,
    bodies: RigidBodies,
    *,
    ground: Scalar,
    gravity: Scalar,
    restitution: Share,
    friction: NotNegative,
    dt: Positive,
    time_of_impact: bool = True,
) -> None:
    """Add the impulses of contact with level ground; without `time_of_impact`, by the naive rule."""
    owner, offset = ra.array(bodies.owner), ra.array(bodies.offset)
    for k in ra.range(len(bodies.owner)):
        i = owner[k]
        arm = impulses.arm(i, offset[k])
        falling = impulses.speed(i, arm)
        speed = ra.array([falling[0], falling[1] - dt * gravity])
        height = impulses.motion.position[i, 1] + arm[1] - ground
        with ra.when((speed[1] < 0) & (height + dt * speed[1] < 0)):
            by_mass, by_inertia = impulses.by_mass[i], impulses.by_inertia[i]
            up = -(1 + restitution) * speed[1] / (by_mass + by_inertia * arm[0] ** 2)
            along = -speed[0] / (by_mass + by_inertia * arm[1] ** 2)
            grip = friction * up
            impulse = ra.array([ra.clip(along, -grip, grip), up])
            instant = None
            if time_of_impact:
                instant = ra.clip(height / -ra.minimum(speed[1], -SLOWEST), 0.0, dt)
            impulses.add(i, impulse, arm + dt * speed, instant)


@checked
def ground_limit(bodies: RigidBodies, motion: Motion, dt: Positive) -> Limit:
    """Where contact with the ground is answered well: no point of a body may go farther in a step than half its
    distance from the centre, for the impulse acts at its arm moved by dt u. Points at the centre have no arm,
    and no limit."""
    reach = np.linalg.norm(bodies.offset, axis=1)
    name = "half of what the points that touch are from their centres, at {} a second"
    turned = [k for k in range(len(reach)) if reach[k] > 0]
    if not turned:
        return Limit(name, dt, float("inf"), numbers=[0.0])
    fastest: Scalar = 1e-300
    for k in turned:
        i = int(bodies.owner[k])
        speed = ra.norm(motion.velocity[i]) + ra.abs(motion.spin[i]) * reach[k]
        fastest = ra.maximum(fastest, speed / (0.5 * reach[k]))
    return Limit(name, dt, 1 / fastest, numbers=[fastest])


@checked
def links_limit(bodies: RigidBodies, links: tuple[Links, ...], dt: Positive) -> Limit:
    """Where springs and joints are stable, ω² dt² ≤ 4, by Gershgorin's bound on ω²: twice the sum of
    k (1/m + r²/I) over the links of a body, the largest of all."""
    square = np.zeros(len(bodies.mass))
    for group in links:
        for ends, offset, stiffness in zip(group.ends, group.offset, group.stiffness, strict=True):
            for body, arm in zip(ends, offset, strict=True):
                inverse = 1 / bodies.mass[body] + float(arm @ arm) / bodies.inertia[body]
                square[body] += 2 * stiffness * inverse
    fastest = float(np.sqrt(square.max(initial=0.0)))
    name = "what the stiffest motion of the springs allows, at {} rad/s"
    return Limit(name, dt, 2 / max(fastest, 1e-300), numbers=[fastest])


@checked
def pull_springs(
    impulses: Impulses, springs: Links, rest: Annotated[Array, Axes("links"), FROM_0], dt: Positive
) -> None:
    """Add the impulses of springs with rest lengths (m,)."""
    rest, stiffness = ra.array(rest), ra.array(springs.stiffness)
    for k in ra.range(len(springs.ends)):
        a, b, arm_a, arm_b, apart = _between(impulses, springs, k)
        length = ra.norm(apart) + SOFTENING
        impulse = dt * stiffness[k] * (length - rest[k]) / length * apart
        impulses.add(a, -impulse, arm_a)
        impulses.add(b, impulse, arm_b)


@checked
def hold_joints(impulses: Impulses, joints: Links, dt: Positive) -> None:
    """Add the impulses of joints."""
    stiffness = ra.array(joints.stiffness)
    for k in ra.range(len(joints.ends)):
        a, b, arm_a, arm_b, apart = _between(impulses, joints, k)
        sliding = impulses.speed(a, arm_a) - impulses.speed(b, arm_b)
        speed = ra.norm(sliding) + JOINT_SOFTENING
        along = sliding / speed
        give = impulses.compliance(a, arm_a, along) + impulses.compliance(b, arm_b, along)
        impulse = dt * stiffness[k] * apart + sliding / give
        impulses.add(a, -impulse, arm_a)
        impulses.add(b, impulse, arm_b)


def _between(
    impulses: Impulses, links: Links, k: Index
) -> tuple[Index, Index, Vector, Vector, Vector]:
    """The bodies that link k joins, the arms of its ends, and the vector from the second end to the first."""
    ends, offset = ra.array(links.ends), ra.array(links.offset)
    a, b = ends[k, 0], ends[k, 1]
    arm_a, arm_b = impulses.arm(a, offset[k, 0]), impulses.arm(b, offset[k, 1])
    x = impulses.motion.position
    return a, b, arm_a, arm_b, (x[a] + arm_a) - (x[b] + arm_b)


@checked
def advance(impulses: Impulses, *, drag: Share, gravity: Scalar, dt: Positive) -> Motion:
    """The motion after a step of length dt; `drag` is the factor γ that a medium leaves of velocities."""
    before = impulses.motion
    fall = dt * gravity * np.array([0.0, 1.0])
    velocity = drag * before.velocity + impulses.velocity.freeze() - fall
    spin = drag * before.spin + impulses.spin.freeze()
    return Motion(
        before.position + dt * velocity + impulses.position.freeze(),
        before.angle + dt * spin + impulses.angle.freeze(),
        velocity,
        spin,
    )


@checked
def box_outlines(motion: Motion, half: Halves) -> Array:
    """The corners (n, 4, 2) of boxes of half extents (n, 2), in order round each."""
    return points_of(motion, np.arange(len(half))[:, None], half[:, None] * AROUND)


@checked
def link_ends(motion: Motion, links: Links) -> Array:
    """Where the ends (m, 2, 2) of links are."""
    return points_of(motion, links.ends, links.offset)


@checked
def points_of(
    motion: Motion,
    owner: Annotated[NumpyArray, NumberOf("bodies")],
    offset: Annotated[NumpyArray, Axes(..., 2)],
) -> Array:
    """Where points of bodies are: `owner` (...) Ints, offsets and result (..., 2)."""
    c, s = ra.cos(motion.angle)[owner], ra.sin(motion.angle)[owner]
    x, y = offset[..., 0], offset[..., 1]
    return motion.position[owner] + ra.stack([c * x - s * y, s * x + c * y], axis=-1)


@checked
def kinetic_energy(motion: Motion, bodies: RigidBodies) -> Scalar:
    """The kinetic energy of the bodies."""
    v, w = motion.velocity, motion.spin
    return 0.5 * (ra.sum(bodies.mass * ra.sum(v * v, axis=1)) + ra.sum(bodies.inertia * w * w))
