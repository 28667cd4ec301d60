r"""Compliant contact: where bodies overlap, springs and dampers push them apart.

At each point of contact with the overlap δ = -gap > 0, the speed of parting u_n and the slip u_t,

    f_n = k δ max(1 - d u_n, 0)          f_t = -μ f_n u_t / √(u_t² + s²)

A step is `substeps` steps of the semi-implicit Euler method; each must be short beside √(m / k), about how long
an impact lasts. There is no coefficient of restitution: a slow impact of speed v keeps about 1 - 2 d v / 3 of
it. What rests overlaps by its weight over k, and what should stick creeps, at up to about s: these are the
model's errors against rigid contact.

The derivative exists everywhere but where a contact begins or ends, and there the motion has no jump: it is
that of the compliant motion to the order of a substep. Through an impact it grows with √(k / m), so that stiff
contacts give large gradients that hold for short distances only.

Sources: Hunt, Crossley, *Coefficient of restitution interpreted as damping in vibroimpact*, J. Appl. Mech. 42,
1975; Cundall, Strack, *A discrete numerical model for granular assemblies*, Géotechnique 29, 1979.
"""

from __future__ import annotations

import numpy as np

import rose_ad as ra
from rosephys.errors import SceneError
from rosephys.limit import Limit

from ..quantities import Array, Index, Scalar
from . import collide
from .bodies import Bodies, World


def step(
    world: World,
    state: Bodies,
    dt: Scalar,
    substeps: int = 16,
    stiffness: Scalar = 1e4,
    dissipation: Scalar = 0.3,
    slip: Scalar = 0.05,
) -> Bodies:
    """The state after a step of `dt` seconds.

    `stiffness` in N/m, `dissipation` d in s/m, `slip` in m/s, below which friction is less than Coulomb's.
    Raises SceneError for a world with joints, which impulses hold.
    """
    if world.joints:
        raise SceneError("the penalty model holds no joints; use the model of impulses")
    h = dt / substeps
    pull, inverse = world.pull, ra.array(world.inverse)

    def part(_: Index, s: Bodies) -> Bodies:
        force = _forces(world, s, h, stiffness, dissipation, slip)
        kick = h * (pull + force * inverse)
        v, w = s.velocity + kick[:, :2], s.spin + kick[:, 2]
        return Bodies(s.position + h * v, s.angle + h * w, v, w, s.touch, s.hold)

    return ra.fori_loop(0, substeps, part, state)


def penalty_limit(world: World, dt: Scalar, substeps: int = 16, stiffness: Scalar = 1e4) -> Limit:
    """Where contacts are stable: h ω ≤ 2 for a substep h and ω² = 16 k / m of the lightest body.

    That is the sum over two points of contact of k (1/m + 3/m) for each of two bodies, with 3/m for the turning
    of a box about its centre by a force at its corner.
    """
    inverse = ra.max(ra.array(world.inverse)[:, 0])
    fastest = ra.sqrt(16 * stiffness * inverse)
    name = f"what contact allows, {{}} rad/s fast, in steps of {substeps} parts"
    return Limit(name, dt, 2 * substeps / fastest, numbers=[fastest])


def _forces(
    world: World, state: Bodies, h: Scalar, stiffness: Scalar, dissipation: Scalar, slip: Scalar
) -> Array:
    """Forces and torques (n, 3) of all contacts."""
    if not len(world.contacts.pairs):
        return np.zeros((len(world.bodies), 3))
    pairs, friction = ra.array(world.contacts.pairs), ra.array(world.friction)
    force = ra.accum((len(world.bodies), 3))
    contacts = collide.find(world, state, h, meeting=False)
    for p in ra.range(len(world.contacts.pairs)):
        for c in ra.range(2):
            overlap = -contacts.gap[p, c]
            with ra.when((contacts.near[p] > 0) & (overlap > 0)):
                i, j, n = pairs[p, 0], pairs[p, 1], contacts.normal[p]
                a, b = contacts.arms[p, c, 0], contacts.arms[p, c, 1]
                va, vb = state.velocity[i], state.velocity[j]
                wa, wb = state.spin[i], state.spin[j]
                # how fast the point of the second moves past that of the first: parting, and slip
                u0 = vb[0] - wb * b[1] - va[0] + wa * a[1]
                u1 = vb[1] + wb * b[0] - va[1] - wa * a[0]
                parting = u0 * n[0] + u1 * n[1]
                # f_n and f_t
                push = stiffness * overlap * ra.maximum(1 - dissipation * parting, 0.0)
                slide = u1 * n[0] - u0 * n[1]
                mu = ra.sqrt(friction[i] * friction[j])
                drag = -mu * push * slide / ra.hypot(slide, slip)
                # both as a force, and its torques
                fx, fy = push * n[0] - drag * n[1], push * n[1] + drag * n[0]
                force[i] -= ra.array([fx, fy, a[0] * fy - a[1] * fx])
                force[j] += ra.array([fx, fy, b[0] * fy - b[1] * fx])
    return force.freeze()
