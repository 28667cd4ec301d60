r"""Rigid contact by impulses, with Coulomb friction: impacts first, then what rests.

A step of length h is, with g the gravity and u the speeds at which points part along their normals,

    1  impacts, each at its instant and of one pair after the other (`impacts`)
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
contacts); Andersen, *RATTLE*, J. Comput. Phys. 52, 1983 (positions and velocities each constrained); Catto,
*Iterative dynamics with temporal coherence*, GDC 2005 (warm starts); and those of `impacts` and `pairs`.
"""

from __future__ import annotations

from typing import TypeAlias

import rose_ad as ra

from ..quantities import Array, Condition, Index, Scalar, Sums
from . import collide, joints
from .bodies import Bodies, Poses, Twists, World
from .collide import Contacts, Outlines
from .impacts import LATER, after_impacts
from .pairs import NORMALS, Pairs, changes, pressed, resolved, speeds, sweep

SLOP = 1e-4
"""An overlap below this share of what counts as near is left."""
SHARE = 0.1
"""The share of an overlap that one step takes away."""
FASTEST = 1.0
"""How fast an overlap opens at most, in m/s."""

_Half: TypeAlias = tuple[Poses, Twists, Array, Array]
"""The poses, the motions, and the impulses (p, 4) of pairs and (j, 3) of joints."""
_Held: TypeAlias = tuple[Twists, Array, Array]
"""The same without the poses."""


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

    def half(h: Index, now: _Half) -> _Half:
        """2 and 3, and at the second time 4: one piece of code, which compiles once."""
        x, motion, touch, hold = now
        # 2, 4  half of gravity, and the impulses of what is held
        motion += 0.5 * dt * pull
        first = h == 0
        linked = _Linked(world, x, dt, first)
        motion, touch, hold = _held(touching, linked, first, motion, touch, hold, sweeps)
        # 3  where that leads, and overlaps open
        drift = touching.parted(first, motion) if touching else motion
        return ra.where(first, x + dt * drift, x), motion, touch, hold

    x, motion, touch, hold = ra.fori_loop(0, 2, half, (x, motion, touch, state.hold))
    return Bodies(x[:, :2], x[:, 2], motion[:, :2], motion[:, 2], touch, hold)


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

    def parted(self, first: Condition, motion: Twists) -> Twists:
        """The motion (n, 3), faster in the first half of a step where that opens a share of the overlaps.

        It leads to where bodies are after this step, and is no velocity.
        """
        slop = SLOP * Outlines(self.world).reach
        deep = -slop - self.contacts.gap
        opening = ra.minimum(SHARE * deep / self.dt, FASTEST)
        aim = ra.where(deep > 0, opening, -LATER)

        def part() -> Twists:
            start = (motion, ra.zeros((len(self.world.contacts.pairs), 2)))
            return ra.fori_loop(0, self.sweeps, lambda _, now: self.opened(*now, aim), start)[0]

        return ra.cond(first & ra.any(deep > 0), part, lambda: motion)


def _move(pairs: Pairs, p: Index, i: Index, j: Index, impulses: Array, change: Sums) -> None:
    """Add what a pair's impulses (4,) change of the motions of its two bodies."""
    moved = changes(pairs, p, impulses)
    change[i] += moved[:3]
    change[j] += moved[3:]


class _Linked:
    """What the joints do in one half of a step."""

    def __init__(self, world: World, x: Poses, dt: Scalar, first: Condition) -> None:
        self.world, self.x, self.dt, self.first = world, x, dt, first
        self.links = joints.rows_of(world, x) if world.joints else None

    def start(self, motion: Twists, hold: Array) -> Twists:
        """The motion with the impulses of the half before."""
        if self.links is None:
            return motion
        return joints.started(self.world, self.links, motion, hold)

    def sweep(self, motion: Twists, hold: Array) -> tuple[Twists, Array]:
        """Motion and impulses after each joint's visit."""
        if self.links is None:
            return motion, hold
        return joints.swept(self.world, self.links, self.x, motion, hold, self.dt, self.first)


def _held(
    touching: _Touching | None,
    linked: _Linked,
    first: Condition,
    motion: Twists,
    touch: Array,
    hold: Array,
    sweeps: int,
) -> _Held:
    """Motion and impulses, found from `touch` (p, 4) and `hold` (j, 3), with which joints hold and no contact
    closes."""

    def sweep(_: Index, now: _Held) -> _Held:
        motion, touch, hold = now
        motion, hold = linked.sweep(motion, hold)
        if touching:
            motion, touch = touching.swept(motion, touch, aim)
        return motion, touch, hold

    if touching:
        aim = touching.aims(first, motion, touch)
        motion = touching.started(motion, touch)
    motion = linked.start(motion, hold)
    return ra.fori_loop(0, sweeps, sweep, (motion, touch, hold))
