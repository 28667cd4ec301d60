r"""Compliant contact: where bodies overlap, springs and dampers push them apart.

At each point of contact with the overlap δ = -gap > 0, the speed of parting u_n and the slip u_t,

    f_n = k δ max(1 - d u_n, 0)          f_t = -μ f_n u_t / √(u_t² + s²)

A step is `substeps` steps of the semi-implicit Euler method, in which u_n is the speed after the push; each
must be short beside √(m / k), about how long an impact lasts. So points that overlap at the start part at no
more than 1/d, however deep they are. There is no coefficient of restitution: a slow impact of speed v keeps
about 1 - 2 d v / 3 of it. What rests overlaps by its weight over k, and what should stick creeps, at up to
about s: these are the model's errors against rigid contact.

The derivative exists everywhere but where a contact begins or ends, and there the motion has no jump: it is
that of the compliant motion to the order of a substep. Through an impact it grows with √(k / m), so that stiff
contacts give large gradients that hold for short distances only.

Sources: Hunt, Crossley, *Coefficient of restitution interpreted as damping in vibroimpact*, J. Appl. Mech. 42,
1975; Cundall, Strack, *A discrete numerical model for granular assemblies*, Géotechnique 29, 1979.
"""

from __future__ import annotations

import rose_ad as ra
from rosephys.errors import ArgumentError
from rosephys.limit import Limit

from ..checked import checked
from ..quantities import Count, Index, NotNegative, Positive, Scalar
from .bodies import Bodies, Twists, World
from .flight import find, moving
from .pairs import changes, pairs_of, speeds


@checked
def step(
    world: World,
    state: Bodies,
    dt: Positive,
    substeps: Count = 16,
    stiffness: Positive = 1e4,
    dissipation: NotNegative = 0.3,
    slip: Positive = 0.05,
) -> Bodies:
    """The state after a step of `dt` seconds.

    `stiffness` in N/m, `dissipation` d in s/m, `slip` in m/s, below which friction is less than Coulomb's.
    Raises ArgumentError for a world with joints, which impulses hold.
    """
    if world.joints:
        raise ArgumentError("step: world has joints, which penalty does not hold; wanted impulses")
    h = dt / substeps

    def part(_: Index, s: Bodies) -> Bodies:
        kick = h * world.pull + _kick(world, s, h, stiffness, dissipation, slip)
        v, w = s.velocity + kick[:, :2], s.spin + kick[:, 2]
        return Bodies(s.position + h * v, s.angle + h * w, v, w, s.touch, s.hold)

    return ra.fori_loop(0, substeps, part, state)


@checked
def penalty_limit(
    world: World, dt: Positive, substeps: Count = 16, stiffness: Positive = 1e4
) -> Limit:
    """Where contacts do not hop: h ω ≤ 2 for a substep h and ω² = 16 k / m of the lightest body.

    That is the sum over two points of contact of k (1/m + 3/m) for each of two bodies, with 3/m for the turning
    of a box about its centre by a force at its corner.
    """
    inverse = ra.max(ra.array(world.inverse)[:, 0])
    fastest = ra.sqrt(16 * stiffness * inverse)
    name = f"what contact allows, {{}} rad/s fast, in steps of {substeps} parts"
    return Limit(name, dt, 2 * substeps / fastest, numbers=[fastest])


def _kick(
    world: World, s: Bodies, h: Scalar, stiffness: Scalar, dissipation: Scalar, slip: Scalar
) -> Twists:
    """What all contacts change of the motions (n, 3) within h."""
    change = ra.accum((len(world.bodies), 3))
    if not len(world.contacts.pairs):
        return change.freeze()
    bodies, motion = ra.array(world.contacts.pairs), moving(s)[1]
    contacts = find(world, s, h)
    pairs = pairs_of(world, contacts)
    for p in ra.range(len(world.contacts.pairs)):
        with ra.when((pairs.near[p] > 0) & ra.any(contacts.gap[p] < 0)):
            i, j, pair = bodies[p, 0], bodies[p, 1], pairs.row(p)
            u, k = speeds(pair, ra.concat([motion[i], motion[j]])), pair.response
            forces = []
            for c, own in ((0, k[0]), (1, k[5])):
                parting, slide = u[2 * c], u[2 * c + 1]
                hard = stiffness * ra.maximum(-contacts.gap[p, c], 0.0)
                push = hard * ra.maximum(1 - dissipation * parting, 0.0)
                # damped with the speed after it, whatever both points give each other
                push /= 1 + h * dissipation * hard * (own + abs(k[3]))
                drag = -pair.friction * push * slide / ra.hypot(slide, slip)
                forces += [push, drag]
            more = h * changes(pair, forces)
            change[i] += more[:3]
            change[j] += more[3:]
    return change.freeze()
