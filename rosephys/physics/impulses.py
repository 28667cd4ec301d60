r"""Rigid contact by impulses, with Coulomb friction: impacts first, then what rests.

A step of length h is, with g the gravity and K_c the response of a pair's two points to impulses along n,

    1  impacts    a point that would meet within the step at more than SLOWEST gets -e times its approach: the
                  pair's impulses P solve  0 ≤ P ⟂ K P + u + e u ≥ 0.  Pairs act one after the other until no
                  point approaches, each as a collision of its own.
    2  v ← v + h g / 2, and impulses 0 ≤ P ⟂ u + gap / h ≥ 0, so that no gap closes; overlaps open by a share.
    3  x ← x + h v - Σ τ P / m, the last for impacts: before its time τ an impact has moved nothing.
    4  v ← v + h g / 2, and impulses 0 ≤ P ⟂ u ≥ 0 at the points that were held in 2.

Friction is, at each point, the impulse -u_t / k_t along the tangent, within ±μ P. 2 and 4 are sweeps of
projected Gauss-Seidel over the rounds of pairs, and start from the impulses of the phase before. Free flight is
exact (steps 2 to 4 are leapfrog), and so is the rebound from a plane, whose energy is kept with e = 1.

Why this and not another: with impacts as collisions of pairs, one after the other, the last ball of a
cradle takes all the speed, touching or nearly so; one simultaneous solution would share it out. With a time of
impact, where and when things meet is differentiated. With gravity outside the impacts nothing that rests
rebounds. Both phases have the impulses of the last, which makes a stack of ten stand with eight sweeps.

The derivative is that of the program, and so exact for it, on each smooth piece. It is that of the motion as
far as the program is the motion: to rounding for collisions of circles and for bodies that fall and rebound;
to the size of a step for what slides and rolls; to what the sweeps leave for stacks. It does not exist where a
contact is gained or lost, where sticking turns into sliding, or where a different pair of features meets; a
gradient there is that of one side.

Sources: Guendelman, Bridson, Fedkiw, *Nonconvex rigid bodies with stacking*, SIGGRAPH 2003 (impacts before
contacts); Andersen, *RATTLE*, J. Comput. Phys. 52, 1983 (positions and velocities each constrained); Moreau,
1988 (impulses of contact); Catto, *Iterative dynamics with temporal coherence*, GDC 2005 (warm starts, two
points at once); Smith et al., *Reflections on simultaneous impact*, SIGGRAPH 2012.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import rose_ad as ra

from . import collide, joints
from .bodies import Bodies, World
from .collide import Outlines

SLOP = 1e-4
"""An overlap below this share of what counts as near is left."""
SLOWEST = 0.01
"""Approaches below this, in m/s, are no impacts: what rests does not rebound."""
SHARE = 0.1
"""The share of an overlap that one step takes away."""
FASTEST = 1.0
"""How fast an overlap opens at most, in m/s."""
LATER = 1e6
"""A speed that nothing has: the demand on a point that is not constrained is less than minus this."""

Visit = Callable[[Any, Any], Any]


@ra.struct
class Pairs:
    """What acts on the motions (n, 3) of all bodies, their velocities and spins, and how they respond.

    `near` (p,) is 1 for pairs that may touch. A pair has four rows, a point's normal and tangent and those of
    the other: `rows` (p, 4, 6) give how fast its bodies part along each for their motions, one after the
    other; `given` (p, 4, 6) how an impulse along each changes those, `response` (p, 4, 4) how fast it makes
    the pair part. `friction` is of shape (p,).
    """

    near: ra.Vec
    rows: ra.Vec
    given: ra.Vec
    response: ra.Vec
    friction: ra.Vec

    def of(self, p: Any) -> tuple[Any, Any, Any, Any]:
        """Those of one pair."""
        return self.rows[p], self.given[p], self.response[p], self.friction[p]


def step(world: World, state: Bodies, dt: Any, sweeps: int = 8, impacts: int = 32) -> Bodies:
    """The state after a step of `dt` seconds.

    `sweeps` are those of each of the solutions, `impacts` the most over the pairs that collide.
    """
    n = len(world.bodies)
    x = ra.build(n, lambda k: ra.array([*_two(state.position[k]), state.angle[k]]))
    motion = ra.build(n, lambda k: ra.array([*_two(state.velocity[k]), state.spin[k]]))
    touching = _Touching(world, state, dt, sweeps) if len(world.contacts.pairs) else None
    if touching:
        motion, x = _impacts(touching, motion, x, impacts)
    pull = world.pull

    def half(h: Any, now: Any) -> Any:
        """Half of gravity, what is held, and in the first half of the step where that leads."""
        x, motion, touch, hold = now
        motion += 0.5 * dt * pull
        first = h == 0
        motion, touch, hold = _held(
            touching, _Linked(world, x, dt, first), first, motion, touch, hold, sweeps
        )
        drift = touching.parted(first, motion) if touching else motion
        return ra.where(first, x + dt * drift, x), motion, touch, hold

    touch = touching.kept(state.touch) if touching else state.touch
    x, motion, touch, hold = ra.fori_loop(0, 2, half, (x, motion, touch, state.hold))
    return Bodies(x[:, :2], x[:, 2], motion[:, :2], motion[:, 2], touch, hold)


def _two(v: Any) -> tuple[Any, Any]:
    return v[0], v[1]


class _Touching:
    """The contacts of one step, and what they do."""

    def __init__(self, world: World, state: Bodies, dt: Any, sweeps: int) -> None:
        self.world, self.dt, self.sweeps = world, dt, sweeps
        self.contacts = collide.find(world, state, dt)
        self.pairs = _pairs(world, self.contacts)

    def kept(self, touch: Any) -> Any:
        """The impulses (p, 4) of pairs that have not parted."""
        near = self.contacts.near
        return ra.build(touch.shape[0], lambda k: ra.where(near[k] > 0, touch[k], 0.0))

    def aims(self, first: Any, touch: Any) -> Any:
        """The least speeds (p, 2): none that closes where impulses `touch` (p, 4) are held; else, in the first
        half of a step, none that closes a gap within it.

        In the second half a gap says nothing: at an impact it is 0 to rounding.
        """
        gap = self.contacts.gap

        def aim(k: Any) -> Any:
            least = ra.where(first, -ra.maximum(gap[k], 0.0) / self.dt, -LATER)
            return ra.where(touch[k, ::2] > 0, 0.0, least)

        return ra.build(touch.shape[0], aim)

    def swept(self, motion: Any, visit: Visit) -> Any:
        """The motion (n, 3) after each near pair's visit has added to it, round after round.

        A visit is given the pair's number and its two motions, one after the other (6,), and returns their
        change; what it adds elsewhere is added in the same branch.
        """
        bodies = ra.array(self.world.contacts.pairs)

        def one(motion: Any, bounds: Any) -> tuple[Any, None]:
            change = ra.accum(motion.shape)
            for p in ra.range(bounds[0], bounds[1]):
                with ra.when(self.pairs.near[p] > 0):
                    i, j = bodies[p, 0], bodies[p, 1]
                    more = visit(p, ra.concat([motion[i], motion[j]]))
                    change[i] += more[:3]
                    change[j] += more[3:]
            return motion + change.freeze(), None

        return ra.scan(one, motion, self.world.contacts.bounds)[0]

    def parted(self, first: Any, motion: Any) -> Any:
        """The motion (n, 3), faster in the first half of a step where that opens a share of the overlaps.

        It leads to where bodies are after this step, and is no velocity.
        """
        slop = SLOP * Outlines(self.world).reach
        deep = -slop - self.contacts.gap

        def visit(p: Any, motions: Any) -> Any:
            rows, given, response, _ = self.pairs.of(p)
            opening = ra.minimum(SHARE * deep[p] / self.dt, FASTEST)
            aim = ra.where(deep[p] > 0, opening, -LATER)
            return _resolved(rows, given, response, 0.0, motions, ra.zeros(4), aim)[1]

        def part() -> Any:
            return ra.fori_loop(0, self.sweeps, lambda _, m: self.swept(m, visit), motion)

        return ra.cond(first & ra.any(deep > 0), part, lambda: motion)


def _pairs(world: World, contacts: collide.Contacts) -> Pairs:
    p = len(world.contacts.pairs)
    inverse, bodies = ra.array(world.inverse), ra.array(world.contacts.pairs)
    friction = ra.array(world.friction)
    rows, given = ra.accum((p, 4, 6)), ra.accum((p, 4, 6))
    response, mu = ra.accum((p, 4, 4)), ra.accum(p)
    for k in ra.range(p):
        with ra.when(contacts.near[k] > 0):
            i, j = bodies[k, 0], bodies[k, 1]
            n, arms = contacts.normal[k], contacts.arms[k]
            found, moved, parts = _responses(n, arms, ra.concat([inverse[i], inverse[j]]))
            rows[k] += found
            given[k] += moved
            response[k] += parts
            mu[k] += ra.sqrt(friction[i] * friction[j])
    return Pairs(contacts.near, rows.freeze(), given.freeze(), response.freeze(), mu.freeze())


def _impacts(touching: _Touching, motion: Any, x: Any, most: int) -> tuple[Any, Any]:
    """The motion after the impacts, and x (n, 3) less what the impulses have not moved before their time."""
    world, contacts, pairs = touching.world, touching.contacts, touching.pairs
    bodies, e = ra.array(world.contacts.pairs), ra.array(world.restitution)
    pull, dt = ra.array(world.pull), touching.dt

    def sweep(now: Any) -> Any:
        motion, x, _ = now
        early, count = ra.accum(x.shape), ra.accum(1)

        def visit(p: Any, motions: Any) -> Any:
            t, i, j = contacts.time[p], bodies[p, 0], bodies[p, 1]
            motions += t * ra.concat([pull[i], pull[j]])
            approach = ra.array([ra.dot(pairs.rows[p, r], motions) for r in (0, 2)])
            struck = (approach < -SLOWEST) & (contacts.gap[p] + (dt - t) * approach < 0)
            aim = ra.where(struck, -ra.maximum(e[i], e[j]) * approach, -LATER)
            more = ra.cond(
                ra.any(struck),
                lambda: _resolved(*pairs.of(p), motions, ra.zeros(4), aim)[1],
                lambda: ra.zeros(6),
            )
            with ra.when(ra.any(struck)):
                early[i] += t * more[:3]
                early[j] += t * more[3:]
                count[0] += collide.YES
            return more

        motion = touching.swept(motion, visit)
        return motion, x - early.freeze(), count.freeze()[0]

    motion, x, _ = ra.while_loop(lambda now: now[2] > 0, sweep, (motion, x, 1.0), max_steps=most)
    return motion, x


class _Linked:
    """What the joints do in one half of a step."""

    def __init__(self, world: World, x: Any, dt: Any, first: Any) -> None:
        self.world, self.x, self.dt, self.first = world, x, dt, first
        self.links = joints.links(world, x) if world.joints else None

    def start(self, motion: Any, hold: Any) -> Any:
        """The motion with the impulses of the half before."""
        if self.links is None:
            return motion
        return joints.started(self.world, self.links, motion, hold)

    def sweep(self, motion: Any, hold: Any) -> tuple[Any, Any]:
        """Motion and impulses after each joint's visit."""
        if self.links is None:
            return motion, hold
        return joints.swept(self.world, self.links, self.x, motion, hold, self.dt, self.first)


def _held(
    touching: _Touching | None,
    linked: _Linked,
    first: Any,
    motion: Any,
    touch: Any,
    hold: Any,
    sweeps: int,
) -> tuple[Any, Any, Any]:
    """Motion and impulses, found from `touch` (p, 4) and `hold` (j, 3), with which joints hold and no contact
    closes."""

    def touched(motion: Any, touch: Any) -> tuple[Any, Any]:
        if touching is None:
            return motion, touch
        more = ra.accum(touch.shape)

        def visit(p: Any, motions: Any) -> Any:
            new, change = _resolved(*touching.pairs.of(p), motions, touch[p], aim[p])
            more[p] += new - touch[p]
            return change

        motion = touching.swept(motion, visit)
        return motion, touch + more.freeze()

    def sweep(_: Any, now: Any) -> Any:
        motion, touch, hold = now
        motion, hold = linked.sweep(motion, hold)
        return *touched(motion, touch), hold

    if touching:
        aim = touching.aims(first, touch)
        motion = touching.swept(motion, lambda p, _: touch[p] @ touching.pairs.given[p])
    motion = linked.start(motion, hold)
    result: tuple[Any, Any, Any] = ra.fori_loop(0, sweeps, sweep, (motion, touch, hold))
    return result


# ---------------------------------------------------------------------------------------- one pair


@ra.fn
def _responses(n: Any, arms: Any, weights: Any) -> tuple[Any, Any, Any]:
    """A pair's rows (4, 6), what impulses along them do (4, 6) and its response (4, 4).

    `n` (2,) is its normal, `arms` (2, 2, 2) are by point and body, `weights` (6,) one over the masses.
    """

    def row(r: Any) -> Any:
        across = r % 2 == 1
        d0, d1 = ra.where(across, -n[1], n[0]), ra.where(across, n[0], n[1])
        a, b = arms[r // 2, 0], arms[r // 2, 1]
        return ra.array([-d0, -d1, a[1] * d0 - a[0] * d1, d0, d1, b[0] * d1 - b[1] * d0])

    rows = ra.build(4, row)
    given = rows * weights
    return rows, given, rows @ given.T


@ra.fn
def _resolved(
    rows: Any, given: Any, k: Any, friction: Any, motions: Any, now: Any, aim: Any
) -> tuple[Any, Any]:
    """The impulses (4,) of a pair that make good `aim` (2,), and how they change its motions (6,).

    They are found from those `now`, which have led to these motions; k (4, 4) is the pair's response.
    """
    u = rows @ motions
    n1, n2 = _complementary(
        k[0, 0],
        k[0, 2],
        k[2, 2],
        u[0] - aim[0] - k[0, 0] * now[0] - k[0, 2] * now[2],
        u[2] - aim[1] - k[0, 2] * now[0] - k[2, 2] * now[2],
    )
    more1, more2 = n1 - now[0], n2 - now[2]
    slip1 = u[1] + k[1, 0] * more1 + k[1, 2] * more2
    t1 = ra.clip(now[1] - slip1 / k[1, 1], -friction * n1, friction * n1)
    slip2 = u[3] + k[3, 0] * more1 + k[3, 2] * more2 + k[3, 1] * (t1 - now[1])
    t2 = ra.clip(now[3] - slip2 / k[3, 3], -friction * n2, friction * n2)
    new = ra.array([n1, t1, n2, t2])
    return new, (new - now) @ given


def _complementary(k11: Any, k12: Any, k22: Any, b1: Any, b2: Any) -> tuple[Any, Any]:
    """The P with 0 ≤ P ⟂ K P + b ≥ 0, for two points; where both are one place, the first takes all."""
    det = k11 * k22 - k12 * k12
    regular = det > 1e-6 * k11 * k22
    det = ra.where(regular, det, 1.0)
    p1, p2 = (k12 * b2 - k22 * b1) / det, (k12 * b1 - k11 * b2) / det
    both = regular & (p1 >= 0) & (p2 >= 0)
    only1, only2 = ra.maximum(-b1 / k11, 0.0), ra.maximum(-b2 / k22, 0.0)
    first = k12 * only1 + b2 >= -1e-12 * abs(b2)
    return (
        ra.where(both, p1, ra.where(first, only1, 0.0)),
        ra.where(both, p2, ra.where(first, 0.0, only2)),
    )
