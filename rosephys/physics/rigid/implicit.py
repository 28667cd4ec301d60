r"""Implicit contact: velocities at the end of a step, and the forces of contact that they call for.

A step of length h first makes the impacts that have restitution, each at its instant (`impacts`). Then, with W
the inverse masses and G the rows of all points of contact and of all joints, it is one of backward Euler's,

    v' = v + h g + W Gᵀ P(G v')          x' = x + h v'

A point that will overlap by δ = -(gap + h u_n) at the end of the step, and slides at u_t, has the impulses

    P_n = h f(k δ) s(u_n)    P_t = -μ P_n u_t / √(u_t² + c²)    f(F) = F² / 4F₀ from 0 to 2F₀, then F - F₀

with s(u) = (1 - (u / u₀)²)² for what parts, up to u₀, then 0: so what overlaps at the start parts at less than
u₀ = OPENING, however deep it is.

A joint is a spring of the stiffness k along each of its rows, P = -h k C(x + h v'), with the rows at the end
of the step, too: those at its start would throw about a light link under a load. A motor is a damper as stiff,
with at most its torque. Without friction v' is the minimum of a strictly convex function, so there is one, and
no other, whatever h and k. With friction that holds for small μ, as it does in Coulomb's problem. Newton's
method finds it; its steps are halved until the residual falls.

So no step is too long for a stiffness. As k grows the contact becomes Moreau's, rigid and plastic, with an
error of 1/k. What rests overlaps by its weight over k, and what should stick creeps at less than c. All is
solved at once: an impact without restitution goes through a pile, and through joints, within a step. Backward
Euler takes energy, and free flight is of order 1.

The derivative is that of the solution, by the implicit function theorem, not that of the iteration. The laws
are continuously differentiable. What is left of jumps is where an impact with restitution is gained or lost,
and where the features change that meet. It is that of the motion to the order of a step.

Sources: Moreau, *Unilateral contact and dry friction in finite freedom dynamics*, 1988; Todorov, *Convex and
analytically-invertible dynamics with contacts and constraints*, ICRA 2014; Castro et al., *An unconstrained
convex formulation of compliant contact*, IEEE Trans. Robotics 39, 2023; Deuflhard, *Newton Methods for
Nonlinear Problems*, 2004 (damping).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np

import rose_ad as ra

from ..quantities import Array, Condition, Index, Scalar, Sums
from .bodies import Bodies, Poses, Twists, World
from .flight import moving
from .impacts import Rest, after_impacts
from .joints import MOTOR, Table
from .pairs import NORMALS, Pairs, changes, speeds

Force: TypeAlias = Callable[[Twists, Sums], None]
"""`force(v, change)` adds to the change of the motions what it does while bodies move with v."""

TOLERANCE = 1e-11
"""The residual at which the solution ends, in m/s and rad/s."""
MOST = 50
"""How many steps of Newton's method are made."""
OPENING = 0.1
"""How fast an overlap opens at most, in m/s."""
SHORTEST = 2.0**-40
"""The shortest share of a step of Newton's that is tried."""

_Found: TypeAlias = tuple[Twists, Twists, Condition]
"""v, the residual there, and whether the last step made it smaller."""
_Tried: TypeAlias = tuple[Scalar, Twists, Twists]
"""The share of a step, v after it, and the residual there."""


def step(
    world: World,
    state: Bodies,
    dt: Scalar,
    stiffness: Scalar = 1e6,
    onset: Scalar = 1.0,
    slip: Scalar = 1e-3,
    most: int = 256,
) -> Bodies:
    """The state after a step of `dt` seconds.

    `stiffness` k in N/m, `onset` F₀ in N, below which a contact is softer, `slip` c in m/s, below which
    friction is less than Coulomb's; `most` are the impacts that are made in a step.
    """
    n = len(world.bodies)
    x, motion = moving(state)
    forces: list[Force] = []

    # impacts that have restitution, each at its instant; then the contacts that are left
    if len(world.contacts.pairs):
        left = after_impacts(world, state, dt, most, plastic=False)
        motion, x = left.motion, left.x
        gap = _gaps(world, left, dt)
        forces.append(_contact(world, left.pairs, gap, dt, stiffness, onset, slip))

    # joints, as springs
    if world.joints:
        forces.append(_joined(world, x, dt, stiffness))

    # v' = v + h g + W Gᵀ P(G v')
    free = motion + dt * world.pull

    def excess(v: Twists) -> Twists:
        change = ra.accum((n, 3))
        for force in forces:
            force(v, change)
        return v - free - change.freeze()

    v = ra.custom_root(excess, motion, lambda f, start: _root(f, start, MOST)) if forces else free

    # x' = x + h v'
    x += dt * v
    return Bodies(x[:, :2], x[:, 2], v[:, :2], v[:, 2], state.touch, state.hold)


def _gaps(world: World, left: Rest, dt: Scalar) -> Array:
    """The gaps (p, 2) at the start of the step, from which elastic bodies that move on meet if and only if
    they rest."""
    bodies, at, pull = ra.array(world.contacts.pairs), left.contacts, world.pull

    def before(p: Index) -> Array:
        v = left.motion
        i, j = bodies[p, 0], bodies[p, 1]
        gap = at.gap[p] - at.time[p] * speeds(left.pairs.row(p), ra.concat([v[i], v[j]]))[NORMALS]
        v += dt * pull
        end = gap + dt * speeds(left.pairs.row(p), ra.concat([v[i], v[j]]))[NORMALS]
        return gap + (1 - left.rests[p]) * ra.maximum(-end, 0.0)

    return ra.build(len(world.contacts.pairs), before)


def _contact(
    world: World,
    pairs: Pairs,
    gap: Array,
    dt: Scalar,
    stiffness: Scalar,
    onset: Scalar,
    slip: Scalar,
) -> Force:
    """What points with these gaps (p, 2) do in a step to bodies that move with v (n, 3)."""
    bodies = ra.array(world.contacts.pairs)

    def push(overlap: Scalar) -> Scalar:
        hard = stiffness * overlap
        soft = ra.clip(hard, 0.0, 2 * onset)
        return dt * (soft * soft / (4 * onset) + ra.maximum(hard - 2 * onset, 0.0))

    def force(v: Twists, change: Sums) -> None:
        for p in ra.range(len(world.contacts.pairs)):
            with ra.when(pairs.near[p] > 0):
                i, j = bodies[p, 0], bodies[p, 1]
                u = speeds(pairs.row(p), ra.concat([v[i], v[j]]))
                impulses = []
                for c in (0, 1):
                    parting = ra.clip(u[2 * c] / OPENING, 0.0, 1.0)
                    normal = push(-(gap[p, c] + dt * u[2 * c])) * (1 - parting**2) ** 2
                    along = u[2 * c + 1]
                    drag = -pairs.friction[p] * normal * along / ra.hypot(along, slip)
                    impulses += [normal, drag]
                more = changes(pairs.row(p), impulses)
                change[i] += more[:3]
                change[j] += more[3:]

    return force


def _joined(world: World, x: Poses, dt: Scalar, stiffness: Scalar) -> Force:
    """What joints do in a step to bodies at x (n, 3) that move with v (n, 3): as they are at its end."""
    table, inverse = Table(world), ra.array(world.inverse)

    def force(v: Twists, change: Sums) -> None:
        for k in ra.range(len(world.joints)):
            i, j = table.pairs[k, 0], table.pairs[k, 1]
            motion = ra.concat([v[i], v[j]])
            rows, off = table.look(k, ra.concat([x[i], x[j]]) + dt * motion)
            wrong = ra.where(table.kind[k] == MOTOR, table.speed[k] - rows @ motion, -off / dt)
            most = dt * table.torque[k]
            more = ra.clip(stiffness * dt * dt * wrong, -most, most) @ rows
            change[i] += inverse[i] * more[:3]
            change[j] += inverse[j] * more[3:]

    return force


def _root(f: Callable[[Twists], Twists], start: Twists, most: int) -> Twists:
    """v with f(v) = 0, by Newton's method; a step is halved until the residual is smaller."""

    def size(value: Twists) -> Scalar:
        return ra.sum(value * value)

    def newer(now: _Found) -> _Found:
        v, value, _ = now
        way = ra.dense_solve(ra.linearize(f, v)[1], value)

        def shorter(tried: _Tried) -> _Tried:
            share = 0.5 * tried[0]
            there = v - share * way
            return share, there, f(there)

        def worse(tried: _Tried) -> Condition:
            return (tried[0] > SHORTEST) & ~(size(tried[2]) < size(value))

        untried = ra.full(value.shape, np.inf)
        share, v, value = ra.while_loop(worse, shorter, (2.0, v, untried))
        return v, value, share > SHORTEST

    def further(now: _Found) -> Condition:
        return now[2] & (size(now[1]) > TOLERANCE * TOLERANCE)

    return ra.while_loop(further, newer, (start, f(start), True), max_steps=most)[0]
