r"""Implicit contact: velocities at the end of a step, and the forces of contact that they call for.

A step of length h first makes the impacts that have restitution, each at its instant (`impacts`). Then, with W
the inverse masses and G the rows of all points of contact and of all joints, it is one of backward Euler's,

    v' = v + h g + W Gᵀ P(G v')          x' = x + h v'

A point that will overlap by δ = -(gap + h u_n) at the end of the step, and slides at u_t, has the impulses

    P_n = h f(k δ) s(u_n)    P_t = -μ P_n u_t / √(u_t² + c²)    f(F) = F² / 4F₀ from 0 to 2F₀, then F - F₀

with s(u) = (1 - (u / u₀)²)² for what parts, up to u₀, then 0: so what overlaps at the start parts at less than
u₀ = OPENING, however deep it is.

A joint is a spring of the stiffness k along each of its rows, P = -h k C(x'), with the rows G of the chord
from x to x' (`chords`), for which G (x' - x) = C(x') - C(x). So the work that a joint does, h P · G v' =
-k C' · (C' - C), is never more than the energy k |C|² / 2 that it loses, and motion and springs together gain
nothing, for any graph, mass and step. With the rows at one end of the step they would: a light link under a
load turns far in it. A motor is a damper as stiff, with at most its torque.

Newton's method finds v'; its steps are halved until the residual falls. Without joints and friction v' is the
minimum of a strictly convex function, so there is one, and no other, whatever h and k. With friction that holds
for small μ, as it does in Coulomb's problem. With joints that turn far within a step Newton's method may find
none: then the rest of the step is made in halves.

So no step is too long for a stiffness. As k grows the contact becomes Moreau's, rigid and plastic, with an
error of 1/k. What rests overlaps by its weight over k, and what should stick creeps at less than c. All is
solved at once: an impact without restitution goes through a pile, and through joints, within a step. Backward
Euler takes energy, and free flight is of order 1.

The derivative is that of the solution, by the implicit function theorem, not that of the iteration. The laws
are continuously differentiable. What is left of jumps is where an impact with restitution is gained or lost,
and where the features change that meet. It is that of the motion to the order of a step.

Sources: Moreau, *Unilateral contact and dry friction in finite freedom dynamics*, 1988; Todorov, *Convex and
analytically-invertible dynamics with contacts and constraints*, ICRA 2014; Castro et al., *An unconstrained
convex formulation of compliant contact*, IEEE Trans. Robotics 39, 2023; Gonzalez, *Mechanical systems subject
to holonomic constraints*, Physica D 132, 1999 (chords); Deuflhard, *Newton Methods for Nonlinear Problems*,
2004 (damping).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np

import rose_ad as ra

from ..checked import checked
from ..quantities import Array, Condition, Count, Index, Positive, Scalar, Sums
from .bodies import Bodies, Poses, Twists, World
from .chords import chord
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
CLOSE = 1e-8
"""A residual below this share of the motion is that of a solution."""
ROUNDING = 1e-14
"""What sums of places are off by, as a share of them."""
LEAST, PARTS = 2.0**-8, 512
"""The least share of a step that is made at once, and how many parts are tried."""

_Found: TypeAlias = tuple[Twists, Twists, Condition]
"""v, the residual there, and whether the last step made it smaller."""
_Part: TypeAlias = tuple[Poses, Twists, Scalar, Scalar]
"""x and v, and the shares of the step that are left and that is tried."""
_Tried: TypeAlias = tuple[Scalar, Twists, Twists]
"""The share of a step, v after it, and the residual there."""


@checked
def step(
    world: World,
    state: Bodies,
    dt: Positive,
    stiffness: Positive = 1e6,
    onset: Positive = 1.0,
    slip: Positive = 1e-3,
    most: Count = 256,
) -> Bodies:
    """The state after a step of `dt` seconds.

    `stiffness` k in N/m, `onset` F₀ in N, below which a contact is softer, `slip` c in m/s, below which
    friction is less than Coulomb's; `most` are the impacts that are made in a step.
    """
    n = len(world.bodies)
    x, motion = moving(state)
    contact: Callable[[Poses, Scalar], Force] | None = None

    # impacts that have restitution, each at its instant; then the contacts that are left
    if len(world.contacts.pairs):
        left = after_impacts(world, state, dt, most, plastic=False)
        motion, x = left.motion, left.x
        start, pairs, gap = x, left.pairs, _gaps(world, left, dt)

        def contact(x: Poses, h: Scalar) -> Force:
            opened = gap + _parting(world, pairs, x - start)
            return _contact(world, pairs, opened, h, stiffness, onset, slip)

    def solved(x: Poses, v: Twists, h: Scalar) -> tuple[Twists, Condition]:
        """v' = v + h g + W Gᵀ P(G v'), and whether it was found."""
        forces = [contact(x, h)] if contact else []
        forces += [_joined(world, x, h, stiffness)] if world.joints else []
        free = v + h * world.pull

        def excess(u: Twists) -> Twists:
            change = ra.accum((n, 3))
            for force in forces:
                force(u, change)
            return u - free - change.freeze()

        u = ra.custom_root(excess, v, lambda f, start: _root(f, start, MOST)) if forces else free
        # a stiff spring makes much of the rounding of places
        far = stiffness * h * ra.max(ra.array(world.inverse)) * (1 + ra.max(abs(x)))
        close = CLOSE * ra.sqrt(1 + _size(u)) + ROUNDING * far
        left = _size(excess(u))
        # of what is not a number there is no solution, and no shorter step has one
        return ra.where(left == left, u, np.nan), ~(left > close * close)

    if world.joints:
        x, v = _in_parts(solved, x, motion, dt)
    else:
        v, _ = solved(x, motion, dt)
        x += dt * v
    return Bodies(x[:, :2], x[:, 2], v[:, :2], v[:, 2], state.touch, state.hold)


@checked
def stored(world: World, state: Bodies, stiffness: Positive = 1e6) -> Scalar:
    """The energy k |C|² / 2 of the springs that joints are, in J, with `stiffness` k in N/m."""
    if not world.joints:
        return 0.0
    table, total = Table(world), ra.accum()
    for k in ra.range(len(world.joints)):
        (i, j), x, angle = table.pairs[k], state.position, state.angle
        ends = ra.array([x[i, 0], x[i, 1], angle[i], x[j, 0], x[j, 1], angle[j]])
        off = table.look(k, ends)[1]
        total += 0.5 * stiffness * ra.dot(off, off)
    return total.freeze()


def _in_parts(
    solved: Callable[[Poses, Twists, Scalar], tuple[Twists, Condition]],
    x: Poses,
    v: Twists,
    dt: Scalar,
) -> tuple[Poses, Twists]:
    """x and v (n, 3) after a step; where no solution is found the rest of it is made in halves."""

    def part(now: _Part) -> _Part:
        x, v, left, share = now
        u, found = solved(x, v, share * dt)
        made = found | (share < LEAST)
        left = ra.where(made, left - share, left)
        following = ra.minimum(ra.where(made, 2 * share, 0.5 * share), left)
        return ra.where(made, x + share * dt * u, x), ra.where(made, u, v), left, following

    return ra.while_loop(lambda now: now[2] > 0, part, (x, v, 1.0, 1.0), max_steps=PARTS)[:2]


def _gaps(world: World, left: Rest, dt: Scalar) -> Array:
    """The gaps (p, 2) at the start of the step, from which elastic bodies that move on meet if and only if
    they rest."""
    at, v, count = left.contacts, left.motion, len(world.contacts.pairs)
    time, rests = ra.reshape(at.time, (count, 1)), ra.reshape(left.rests, (count, 1))
    gap = at.gap - time * _parting(world, left.pairs, v)
    end = gap + dt * _parting(world, left.pairs, v + dt * world.pull)
    return gap + (1 - rests) * ra.maximum(-end, 0.0)


def _parting(world: World, pairs: Pairs, motion: Twists) -> Array:
    """How fast (p, 2) points part along their normals when bodies move so (n, 3)."""
    bodies = ra.array(world.contacts.pairs)

    def parting(p: Index) -> Array:
        return speeds(pairs.row(p), ra.concat([motion[bodies[p, 0]], motion[bodies[p, 1]]]))[
            NORMALS
        ]

    return ra.build(len(world.contacts.pairs), parting)


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
            before = ra.concat([x[i], x[j]])
            rows = chord(table.kind[k], table.anchors[k], before, motion, ra.zeros(3), dt)[0]
            off = table.look(k, before + dt * motion)[1]
            wrong = ra.where(table.kind[k] == MOTOR, table.speed[k] - rows @ motion, -off / dt)
            most = dt * table.torque[k]
            more = ra.clip(stiffness * dt * dt * wrong, -most, most) @ rows
            change[i] += inverse[i] * more[:3]
            change[j] += inverse[j] * more[3:]

    return force


def _root(f: Callable[[Twists], Twists], start: Twists, most: int) -> Twists:
    """v with f(v) = 0, by Newton's method; a step is halved until the residual is smaller."""

    def newer(now: _Found) -> _Found:
        v, value, _ = now
        way = ra.dense_solve(ra.linearize(f, v)[1], value)

        def shorter(tried: _Tried) -> _Tried:
            share = 0.5 * tried[0]
            there = v - share * way
            return share, there, f(there)

        def worse(tried: _Tried) -> Condition:
            return (tried[0] > SHORTEST) & ~(_size(tried[2]) < _size(value))

        untried = ra.full(value.shape, np.inf)
        share, v, value = ra.while_loop(worse, shorter, (2.0, v, untried))
        return v, value, share > SHORTEST

    def further(now: _Found) -> Condition:
        return now[2] & (_size(now[1]) > TOLERANCE * TOLERANCE)

    return ra.while_loop(further, newer, (start, f(start), True), max_steps=most)[0]


def _size(v: Twists) -> Scalar:
    """The square of motions (n, 3)."""
    return ra.sum(v * v)
