"""What touches in a step: the impulses that hold it, and what those that overlap open by.

Impulses P along the rows of pairs are found in sweeps of projected Gauss-Seidel over the rounds of pairs, as
`pairs` says; an overlap opens by a share of it a step.
"""

from __future__ import annotations

import rose_ad as ra

from ..quantities import Array, Condition, Index, Scalar, Sums
from .bodies import Twists, World
from .collide import Outlines
from .flight import YES, Contacts
from .impacts import LATER
from .pairs import NORMALS, Pair, Pairs, changes, pressed, resolved, speeds, sweep

SLOP = 1e-4
"""An overlap below this share of what counts as near is left."""
SHARE = 0.1
"""The share of an overlap that one step takes away."""
FASTEST = 1.0
"""How fast an overlap opens at most, in m/s."""
STILL = 1e-10
"""What closes more slowly than this, in m/s, is at rest."""


class Touching:
    """The contacts of one step, and what they do while they last."""

    def __init__(
        self,
        world: World,
        contacts: Contacts,
        pairs: Pairs,
        rests: Array,
        dt: Scalar,
        sweeps: int,
        flown: Twists | None = None,
        whole: Scalar | None = None,
    ) -> None:
        """Contacts of `dt` seconds, a part of a step of `whole` seconds, of bodies that have `flown` (n, 3).

        With joints there is nothing to say of that: what they answer moves bodies as well.
        """
        self.flown = flown
        self.whole = dt if whole is None else whole
        self.world, self.dt, self.sweeps = world, dt, sweeps
        self.contacts, self.pairs, self.rests = contacts, pairs, rests
        # as functions of their own they compile sooner
        self.swept, self.opened = ra.fn(self._swept), ra.fn(self._opened)

    def kept(self, touch: Array) -> Array:
        """The impulses (p, 4) of pairs that rest, at points that are still near."""
        reach = Outlines(self.world).reach

        def of(k: Index) -> Array:
            gap = self.contacts.gap[k]
            there = ra.array([gap[0], gap[0], gap[1], gap[1]]) < reach
            return ra.where((self.rests[k] > 0) & there, touch[k], 0.0)

        return ra.build(touch.shape[0], of)

    def aims(self, first: Condition, motion: Twists, touch: Array) -> Array:
        """The least speeds (p, 2): none that closes where impulses `touch` (p, 4) are held; else, in the first
        half of a step, none that closes a gap within it.

        A pair that does not rest meets nothing if all move on with this `motion` (n, 3), and is not held back
        from that, whatever its gap would be on a line. In the second half a gap says nothing: at an impact it
        is 0 to rounding.
        """
        at, bodies = self.contacts, ra.array(self.world.contacts.pairs)
        g, loose = ra.array(self.world.gravity), ra.array(self.world.free)

        def flying(k: Index) -> Array:
            i, j = bodies[k, 0], bodies[k, 1]
            u = speeds(self.pairs.row(k), ra.concat([motion[i], motion[j]]))[NORMALS]
            # half way from when the pair was looked at to the step's end
            fall = 0.5 * at.time[k] * (loose[j] - loose[i]) * ra.dot(at.normal[k], g)
            end = ra.maximum(at.gap[k], 0.0) + (self.dt - at.time[k]) * (u + fall)
            return u - ra.maximum(end, 0.0) / self.dt

        flown = self.flown

        def late(k: Index, flown: Twists) -> Array:
            i, j = bodies[k, 0], bodies[k, 1]
            u = speeds(self.pairs.row(k), ra.concat([flown[i], flown[j]]))[NORMALS]
            return at.time[k] / self.dt * ra.minimum(u, 0.0)

        def aim(k: Index) -> Array:
            rests, resting = self.rests[k], -ra.maximum(at.gap[k], 0.0) / self.dt
            if flown is not None:
                resting += ra.cond(at.time[k] > 0, lambda: late(k, flown), lambda: ra.zeros(2))
            flies = ra.cond((rests < 1) & (at.near[k] > 0), lambda: flying(k), lambda: resting)
            least = ra.where(first, rests * resting + (1 - rests) * flies, -LATER)
            return ra.where(touch[k, ::2] > 0, 0.0, least)

        return ra.build(touch.shape[0], aim)

    def started(self, motion: Twists, touch: Array) -> Twists:
        """The motion (n, 3) after the impulses (p, 4)."""
        bodies, change = ra.array(self.world.contacts.pairs), ra.accum(motion.shape)
        for p in ra.range(len(self.world.contacts.pairs)):
            with ra.when(self.pairs.near[p] > 0):
                more = changes(self.pairs.row(p), touch[p])
                change[bodies[p, 0]] += more[:3]
                change[bodies[p, 1]] += more[3:]
        return motion + change.freeze()

    def _swept(self, motion: Twists, touch: Array, aim: Array) -> tuple[Twists, Array]:
        """Motion and impulses (p, 4) after a visit to each pair, where `aim` (p, 2) are the least speeds."""
        added, pairs = ra.accum(touch.shape), self.pairs

        def visit(p: Index, i: Index, j: Index, motions: Array, change: Sums) -> None:
            pair = pairs.row(p)
            u = speeds(pair, motions)
            more = resolved(pair.response, pair.friction, u, touch[p], aim[p]) - touch[p]
            _move(pair, i, j, more, change)
            added[p] += more

        return sweep(self.world, pairs.near, motion, visit), touch + added.freeze()

    def _opened(self, motion: Twists, push: Array, aim: Array) -> tuple[Twists, Array]:
        """The same without friction; `push` (p, 2) are impulses along the normals."""
        added, pairs = ra.accum(push.shape), self.pairs

        def visit(p: Index, i: Index, j: Index, motions: Array, change: Sums) -> None:
            pair = pairs.row(p)
            u = speeds(pair, motions)
            more = ra.array(pressed(pair.response, u, push[p], aim[p])) - push[p]
            _move(pair, i, j, ra.array([more[0], 0.0, more[1], 0.0]), change)
            added[p] += more

        return sweep(self.world, pairs.near, motion, visit), push + added.freeze()

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
                u = speeds(
                    self.pairs.row(p), ra.concat([motion[bodies[p, 0]], motion[bodies[p, 1]]])
                )
                closes = (u[NORMALS] < aim[p] - STILL) | (deep[p] > 0)
                count += ra.where(ra.any(touch[p] > 0) | ra.any(closes), YES, 0.0)
        return count.freeze() > 0

    def work(self, motion: Twists, touch: Array, aim: Array) -> Scalar:
        """What impulses `touch` (p, 4) do to bodies that move (n, 3), in joules; parting slowly, or as fast as
        `aim` (p, 2) says, does not count."""
        bodies, total = ra.array(self.world.contacts.pairs), ra.accum()
        for p in ra.range(len(self.world.contacts.pairs)):
            with ra.when(self.pairs.near[p] > 0):
                motions = ra.concat([motion[bodies[p, 0]], motion[bodies[p, 1]]])
                slow = ra.maximum(aim[p], 0.0) + FASTEST * SLOP
                parting = ra.array([slow[0], 0.0, slow[1], 0.0])
                total += ra.dot(touch[p], speeds(self.pairs.row(p), motions) - parting)
        return total.freeze()

    def missed(self, motion: Twists, touch: Array, aim: Array) -> Scalar:
        """By how much, in m/s, points that move so (n, 3), held by `touch` (p, 4), part otherwise than `aim`
        (p, 2) says: more slowly, or faster though there is an impulse left to take away."""
        bodies, worst = ra.array(self.world.contacts.pairs), ra.accum(touch.shape[0])
        for p in ra.range(len(self.world.contacts.pairs)):
            with ra.when(self.pairs.near[p] > 0):
                pair = self.pairs.row(p)
                motions = ra.concat([motion[bodies[p, 0]], motion[bodies[p, 1]]])
                spare = touch[p, ::2] * ra.array([pair.response[0], pair.response[5]])
                faster = speeds(pair, motions)[NORMALS] - aim[p]
                worst[p] += ra.max(abs(ra.minimum(faster, spare)))
        return ra.max(worst.freeze())

    @property
    def reach(self) -> Scalar:
        """Pairs with a smaller gap are near, in metres."""
        return Outlines(self.world).reach

    @property
    def deep(self) -> Array:
        """How much (p, 2) points overlap by more than what is left."""
        return -SLOP * Outlines(self.world).reach - self.contacts.gap

    @property
    def opening(self) -> Array:
        """How fast (p, 2) overlaps open."""
        return ra.minimum(SHARE * self.deep / self.whole, FASTEST)

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


def _move(pair: Pair, i: Index, j: Index, impulses: Array, change: Sums) -> None:
    """Add what a pair's impulses (4,) change of the motions of its two bodies."""
    moved = changes(pair, impulses)
    change[i] += moved[:3]
    change[j] += moved[3:]
