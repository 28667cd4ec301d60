r"""Rigid contact by impulses, with Coulomb friction: impacts first, then what rests.

A step of length h is, with g the gravity and u the speeds at which points part along their normals,

    1  impacts, each at its instant and of one pair after the other (`impacts`)
    2  v ← v + h g / 2, and impulses 0 ≤ P ⟂ u + gap / h ≥ 0, so that no gap closes; overlaps open by a share.
    3  x ← x + h v - Σ τ P / m, the last for impacts: before its time τ an impact has moved nothing.
    4  v ← v + h g / 2, and impulses 0 ≤ P ⟂ u ≥ 0 at the points that were held in 2.

Friction is, at each point, the impulse -u_t / k_t along the tangent, within ±μ P. 2 and 4 are sweeps of
projected Gauss-Seidel over the rounds of pairs, and start from the impulses of the phase before. Free flight is
exact (steps 2 to 4 are leapfrog), and so is the rebound from a plane, whose energy is kept with e = 1.

Where there are joints, bodies move in 2 to 4 as `linkage` says, under gravity and the impulses P as steady
forces. P is found with what joints answer (`answers`), and joints then move with it. Where that makes a P do
work, as in a chain that is taut within the step, it acts at the end of the step instead, where it can only
take energy.

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
contacts); Andersen, *RATTLE*, J. Comput. Phys. 52, 1983 (positions and velocities each constrained); Catto,
*Iterative dynamics with temporal coherence*, GDC 2005 (warm starts); and those of `impacts` and `pairs`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TypeAlias

import numpy as np

import rose_ad as ra

from ..quantities import Array, Condition, Index, Scalar, Sums
from . import collide
from .bodies import Bodies, Poses, Twists, World
from .collide import YES, Contacts, Outlines
from .impacts import LATER, after_impacts
from .linkage import Linkage
from .pairs import NORMALS, Pairs, changes, pressed, resolved, speeds, sweep
from .strings import Strings, are_strings

SLOP = 1e-4
"""An overlap below this share of what counts as near is left."""
SHARE = 0.1
"""The share of an overlap that one step takes away."""
FASTEST = 1.0
"""How fast an overlap opens at most, in m/s."""
STILL = 1e-10
"""What closes more slowly than this, in m/s, is at rest."""

_Half: TypeAlias = tuple[Poses, Twists, Array]
"""The poses, the motions, and the impulses (p, 4) of pairs."""
_Joined: TypeAlias = tuple[Poses, Twists, Array, Array]
"""The same, and the impulses (j, 3) of joints."""


def step(world: World, state: Bodies, dt: Scalar, sweeps: int = 8, most: int = 256) -> Bodies:
    """The state after a step of `dt` seconds.

    `sweeps` are those of each of the solutions, `most` the impacts that are made in a step.
    """
    x, motion = collide.moving(state)
    touching, touch = None, state.touch

    # 1  impacts, each at its instant
    if len(world.contacts.pairs):
        now = after_impacts(world, state, dt, most)
        motion, x = now.motion, now.x
        touching = _Touching(world, now.contacts, now.pairs, now.rests, dt, sweeps)
        touch = touching.kept(touch)
    pull = world.pull
    if world.joints:
        x, motion, touch, hold = _joined(
            world, touching, (x, motion, touch, state.hold), dt, sweeps
        )
        return Bodies(x[:, :2], x[:, 2], motion[:, :2], motion[:, 2], touch, hold)

    def half(h: Index, now: _Half) -> _Half:
        """2 and 3, and at the second time 4: one piece of code, which compiles once."""
        x, motion, touch = now
        # 2, 4  half of gravity, and the impulses of what is held
        motion += 0.5 * dt * pull
        first = h == 0
        if touching:
            motion, touch = touching.held(first, motion, touch)
        # 3  where that leads, and overlaps open
        drift = touching.parted(first, motion) if touching else motion
        return ra.where(first, x + dt * drift, x), motion, touch

    x, motion, touch = ra.fori_loop(0, 2, half, (x, motion, touch))
    return Bodies(x[:, :2], x[:, 2], motion[:, :2], motion[:, 2], touch, state.hold)


class _Touching:
    """The contacts of one step, and what they do while they last."""

    def __init__(
        self,
        world: World,
        contacts: Contacts,
        pairs: Pairs,
        rests: Array,
        dt: Scalar,
        sweeps: int,
    ) -> None:
        self.world, self.dt, self.sweeps = world, dt, sweeps
        self.contacts, self.pairs, self.rests = contacts, pairs, rests
        # as functions of their own they compile sooner
        self.swept, self.opened = ra.fn(self._swept), ra.fn(self._opened)

    def kept(self, touch: Array) -> Array:
        """The impulses (p, 4) of pairs that rest."""
        return ra.build(touch.shape[0], lambda k: ra.where(self.rests[k] > 0, touch[k], 0.0))

    def aims(self, first: Condition, motion: Twists, touch: Array) -> Array:
        """The least speeds (p, 2): none that closes where impulses `touch` (p, 4) are held; else, in the first
        half of a step, none that closes a gap within it.

        A pair that does not rest meets nothing if all move on with this `motion` (n, 3), and is not held back
        from that, whatever its gap would be on a line. In the second half a gap says nothing: at an impact it
        is 0 to rounding.
        """
        at, bodies, pull = self.contacts, ra.array(self.world.contacts.pairs), self.world.pull

        def parting(k: Index, motion: Twists) -> Array:
            i, j = bodies[k]
            return speeds(self.pairs, k, ra.concat([motion[i], motion[j]]))[NORMALS]

        def free(k: Index) -> Array:
            # half way from when the pair was looked at to the step's end
            later = parting(k, motion + 0.5 * at.time[k] * pull)
            end = ra.maximum(at.gap[k], 0.0) + (self.dt - at.time[k]) * later
            return parting(k, motion) - ra.maximum(end, 0.0) / self.dt

        def aim(k: Index) -> Array:
            resting, share = -ra.maximum(at.gap[k], 0.0) / self.dt, self.rests[k]
            flying = ra.cond(share < 1, lambda: free(k), lambda: resting)
            least = ra.where(first, share * resting + (1 - share) * flying, -LATER)
            return ra.where(touch[k, ::2] > 0, 0.0, least)

        return ra.build(touch.shape[0], aim)

    def started(self, motion: Twists, touch: Array) -> Twists:
        """The motion (n, 3) after the impulses (p, 4)."""
        bodies, change = ra.array(self.world.contacts.pairs), ra.accum(motion.shape)
        for p in ra.range(len(self.world.contacts.pairs)):
            with ra.when(self.pairs.near[p] > 0):
                more = changes(self.pairs, p, touch[p])
                change[bodies[p, 0]] += more[:3]
                change[bodies[p, 1]] += more[3:]
        return motion + change.freeze()

    def _swept(self, motion: Twists, touch: Array, aim: Array) -> tuple[Twists, Array]:
        """Motion and impulses (p, 4) after a visit to each pair, where `aim` (p, 2) are the least speeds."""
        added, pairs = ra.accum(touch.shape), self.pairs

        def visit(p: Index, i: Index, j: Index, motions: Array, change: Sums) -> None:
            u = speeds(pairs, p, motions)
            more = resolved(pairs.response[p], pairs.friction[p], u, touch[p], aim[p]) - touch[p]
            _move(pairs, p, i, j, more, change)
            added[p] += more

        return sweep(self.world, pairs, motion, visit), touch + added.freeze()

    def _opened(self, motion: Twists, push: Array, aim: Array) -> tuple[Twists, Array]:
        """The same without friction; `push` (p, 2) are impulses along the normals."""
        added, pairs = ra.accum(push.shape), self.pairs

        def visit(p: Index, i: Index, j: Index, motions: Array, change: Sums) -> None:
            u = speeds(pairs, p, motions)
            more = ra.array(pressed(pairs.response[p], u, push[p], aim[p])) - push[p]
            _move(pairs, p, i, j, ra.array([more[0], 0.0, more[1], 0.0]), change)
            added[p] += more

        return sweep(self.world, pairs, motion, visit), push + added.freeze()

    def held(self, first: Condition, motion: Twists, touch: Array) -> tuple[Twists, Array]:
        """Motion and impulses, found from `touch` (p, 4), with which no contact closes."""
        aim = self.aims(first, motion, touch)
        start = (self.started(motion, touch), touch)
        return ra.fori_loop(0, self.sweeps, lambda _, now: self.swept(*now, aim), start)

    def busy(self, motion: Twists, touch: Array, aim: Array) -> Condition:
        """Whether an impulse is held, a point closes faster than its aim (p, 2), or overlaps."""
        bodies, count, deep = ra.array(self.world.contacts.pairs), ra.accum(), self.deep
        for p in ra.range(len(self.world.contacts.pairs)):
            with ra.when(self.pairs.near[p] > 0):
                u = speeds(self.pairs, p, ra.concat([motion[bodies[p, 0]], motion[bodies[p, 1]]]))
                closes = (u[NORMALS] < aim[p] - STILL) | (deep[p] > 0)
                count += ra.where(ra.any(touch[p] > 0) | ra.any(closes), YES, 0.0)
        return count.freeze() > 0

    def work(self, motion: Twists, touch: Array) -> Scalar:
        """What impulses `touch` (p, 4) do to bodies that move (n, 3), in joules; slow parting does not
        count."""
        bodies, total = ra.array(self.world.contacts.pairs), ra.accum()
        slow = FASTEST * SLOP * np.array([1.0, 0.0, 1.0, 0.0])
        for p in ra.range(len(self.world.contacts.pairs)):
            with ra.when(self.pairs.near[p] > 0):
                u = speeds(self.pairs, p, ra.concat([motion[bodies[p, 0]], motion[bodies[p, 1]]]))
                total += ra.dot(touch[p], u - slow)
        return total.freeze()

    @property
    def deep(self) -> Array:
        """How much (p, 2) points overlap by more than what is left."""
        return -SLOP * Outlines(self.world).reach - self.contacts.gap

    @property
    def opening(self) -> Array:
        """How fast (p, 2) overlaps open."""
        return ra.minimum(SHARE * self.deep / self.dt, FASTEST)

    def parted(self, first: Condition, motion: Twists) -> Twists:
        """The motion (n, 3), faster in the first half of a step where that opens a share of the overlaps.

        It leads to where bodies are after this step, and is no velocity.
        """
        deep = self.deep
        aim = ra.where(deep > 0, self.opening, -LATER)

        def part() -> Twists:
            start = (motion, ra.zeros((len(self.world.contacts.pairs), 2)))
            return ra.fori_loop(0, self.sweeps, lambda _, now: self.opened(*now, aim), start)[0]

        return ra.cond(first & ra.any(deep > 0), part, lambda: motion)


def _move(pairs: Pairs, p: Index, i: Index, j: Index, impulses: Array, change: Sums) -> None:
    """Add what a pair's impulses (4,) change of the motions of its two bodies."""
    moved = changes(pairs, p, impulses)
    change[i] += moved[:3]
    change[j] += moved[3:]


def _joined(
    world: World, touching: _Touching | None, start: _Joined, dt: Scalar, sweeps: int
) -> _Joined:
    """2 to 4 where there are joints: bodies move as `linkage` says, pushed by what touches them."""
    x, motion, touch, hold = start
    links, pull = Strings(world) if are_strings(world) else Linkage(world), world.pull
    if touching is None:
        there, motion, hold = links.moved(x, motion, pull, hold, dt)
        return *links.settled(there, motion, hold, dt), touch, hold
    meet = touching  # that there is something to touch is known from here on

    def visited(
        x: Poses, motion: Twists, touch: Array, aim: Array, rough: Scalar
    ) -> tuple[Twists, Array]:
        pairs = replace(meet.pairs, friction=rough * meet.pairs.friction)
        return links.visited(pairs, x, motion, touch, aim, sweeps)

    def led(touch: Array, hold: Array) -> tuple[Poses, Twists, Array]:
        """Where half of the impulses `touch` (p, 4) after the other lead."""
        pushed = pull + 2 / dt * meet.started(ra.zeros(x.shape), touch)
        return links.moved(x, motion, pushed, hold, dt)

    visited, led = ra.fn(visited), ra.fn(led)  # each compiles once
    there, after, hold = led(touch, hold)
    mean = (there - x) / dt
    aim = meet.aims(True, mean, touch)

    def pressed() -> tuple[Poses, Twists, Array, Array, Array]:
        """2 and 3, with the impulses that are called for, and what 4 asks for."""
        u, p = visited(x, mean, touch, aim, 1.0)
        apart = ra.where(meet.deep > 0, meet.opening, -LATER)
        drift = dt * (visited(x, u, ra.zeros(p.shape), apart, 0.0)[0] - u)
        none, least, found = ra.zeros(p.shape), meet.aims(False, u, p), led(p, hold)
        # joints that are bent within the step may answer otherwise; impulses that would then do work wait for 4
        works = meet.work((found[0] - x) / dt, p) > 0
        there, after, q = ra.cond(works, lambda: led(none, hold), lambda: found)
        return there + drift, after, ra.where(works, none, p), q, least

    idle = there, after, touch, hold, ra.full(aim.shape, -LATER)
    there, after, touch, hold, least = ra.cond(meet.busy(mean, touch, aim), pressed, lambda: idle)
    x, motion = links.settled(there, after, hold, dt)

    # 4
    motion, touch = ra.cond(
        ra.any(least == 0),
        lambda: visited(x, motion, touch, least, 1.0),
        lambda: (motion, touch),
    )
    return x, motion, touch, hold
