r"""Impacts: pairs that meet within a step, one after the other, each a collision of its own at its own instant.

The earliest meeting (`meetings`) is found, the pair collides there, and what its bodies meet from then on is
looked for again, until nothing more meets. A point that meets at more than what rests gets -e times its
approach: with u the speeds along the normals just before, its impulses P solve

    0 ≤ P ⟂ K P + (1 + e) u ≥ 0,      friction at each point: -u_t / k_t, within ±μ P.

A second point of the pair takes part if it is near and would meet within the step. With e = 1 and without
friction P · (u + K P / 2) = 0: no energy is gained or lost, whichever points take part.

x and v are those of the flight that a body is on, as if it had been so from the step's start. An impact at τ
that changes the motion by Δ puts the body on another, which meets the first at τ:

    v ← v + Δ,      x ← x - τ Δ.

So flight is exact whatever happens in a step, and where and when things meet is differentiated: by one step of
Newton's method from the time that was found, dτ = -∂gap / (dgap/dt). `most` impacts are made in a step at most;
what is then still to meet is for the contacts that follow to stop.

Joints take part: what is struck is not a body but all that hangs on it. With J the rows of the joints and
W = M⁻¹, an impulse on one body moves all of them, by

    W' = W - W Jᵀ (J W Jᵀ)⁻¹ J W,

which leaves the speeds along the joints as they were; for the pair's rows G, K is G W' Gᵀ. Such an impact keeps
the momentum of what is free, and adds no energy; with e = 1 and without friction it takes none.

Sources: Smith et al., *Reflections on simultaneous impact*, SIGGRAPH 2012; Featherstone, *Rigid Body Dynamics
Algorithms*, 2008, chapter 11 (impacts on what is jointed); Mirtich, *Impulse-based dynamic simulation of rigid
body systems*, Berkeley, 1996 (one after the other).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

import numpy as np

import rose_ad as ra

from ..quantities import Array, Condition, Index, Scalar, Sums
from . import collide, joints
from .answers import response, spread
from .bodies import Bodies, Poses, Twists, World
from .collide import YES, Contacts, Flight, Look, Outlines
from .meetings import LOOSE, NEVER, STILL, Meeter, rattles, searcher, settles, slowest, strikes
from .pairs import NORMALS, Pairs, changes, pair_of, pairs_of, resolved, row_matrix, speeds, sweep

LATER = 1e6
"""A speed that nothing has: the demand on a point that is not constrained is less than minus this."""

ROUNDS = 32
"""How often the pairs that rest are gone through after an impact."""


@ra.struct
class Meetings:
    """When each of p pairs meets next (p,), NEVER if not within the step; 1 for those that rest (p,), and for
    those of them that touch as they did at the step's start (p,)."""

    time: ra.Vec
    rests: ra.Vec
    held: ra.Vec


_Flown: TypeAlias = tuple[Twists, Poses, Array, Meetings]
"""The motion and x of the flights bodies are on, since when (n,), and what they meet next."""
_Round: TypeAlias = tuple[Twists, Scalar]
"""The motion after the pairs that touch have been gone through, and how many impacts there were."""


@dataclass(frozen=True)
class Rest:
    """What is left of a step after its impacts.

    The motion (n, 3) and x (n, 3) of the flights that bodies are on; the contacts, as they lie after the last
    impact of each body; `rests` (p,) says how far a pair is to rest: 1 if
    it does, or is left to meet, else by its restitution; with 0 it meets nothing if it flies on.
    """

    motion: Twists
    x: Poses
    contacts: Contacts
    pairs: Pairs
    rests: Array


def after_impacts(world: World, state: Bodies, dt: Scalar, most: int, plastic: bool = True) -> Rest:
    """What is left of a step of `dt` seconds after its impacts, `most` of them; without `plastic`, pairs
    without restitution have none."""
    shapes = Outlines(world)

    @ra.fn
    def find(state: Bodies, since: Array) -> tuple[Contacts, Pairs]:
        contacts = collide.find(world, state, dt, since, shapes)
        return contacts, pairs_of(world, contacts)

    contacts, pairs = find(state, ra.zeros(len(world.bodies)))
    x, motion = collide.moving(state)
    motion, x, since, rests = impacts(
        world, contacts, pairs, motion, x, dt, most, plastic=plastic, shapes=shapes
    )

    def again() -> tuple[Contacts, Pairs]:
        flown = Bodies(x[:, :2], x[:, 2], motion[:, :2], motion[:, 2], state.touch, state.hold)
        return find(flown, since)

    contacts, pairs = ra.cond(ra.any(since > 0), again, lambda: (contacts, pairs))
    return Rest(motion, x, contacts, pairs, rests)


def impacts(
    world: World,
    contacts: Contacts,
    pairs: Pairs,
    motion: Twists,
    x: Poses,
    dt: Scalar,
    most: int,
    plastic: bool = True,
    shapes: Outlines | None = None,
) -> tuple[Twists, Poses, Array, Array]:
    """The motion (n, 3) and x (n, 3) after the impacts of a step of `dt` seconds; since when bodies are on
    those flights (n,); and how far each pair is to rest (p,).

    `contacts` and `pairs` are those of the start. Without `plastic`, pairs without restitution are left out.
    """
    meeting = _Meeting(world, shapes or Outlines(world), contacts, pairs, dt, plastic)
    start = (motion, x, ra.zeros(len(world.bodies)), meeting.first(motion, x))

    def meets(now: _Flown) -> Condition:
        return ra.min(now[3].time) < NEVER

    def resolve(now: _Flown) -> _Flown:
        inverse = joints.inverse_mass(world, x) if world.joints else None
        return ra.while_loop(meets, lambda now: meeting.collide(now, inverse), now, max_steps=most)

    if world.joints:
        now = ra.cond(meets(start), lambda: resolve(start), lambda: start)
    else:
        now = resolve(start)
    motion, x, since, after = now
    left = ra.where(after.time < NEVER, 1.0, after.rests)
    rests = ra.build(len(left), lambda k: ra.maximum(left[k], settles(meeting.restitution(k))))
    return motion, x, since, rests


@dataclass(frozen=True)
class _Meeting:
    """The pairs that meet within a step."""

    world: World
    shapes: Outlines
    contacts: Contacts
    pairs: Pairs
    dt: Scalar
    plastic: bool

    # ------------------------------------------------------------------------------ what is met

    def restitution(self, k: Index) -> Scalar:
        """Of a pair: the larger one of its bodies."""
        e, bodies = ra.array(self.world.restitution), ra.array(self.world.contacts.pairs)
        return ra.maximum(e[bodies[k, 0]], e[bodies[k, 1]])

    def slow(self, k: Index) -> Scalar:
        """The approach up to which pair k is not struck."""
        e = self.restitution(k)
        return slowest(e) if self.plastic else ra.where(e > 0, slowest(e), LATER)

    @cached_property
    def searcher(self) -> Callable[..., tuple[Scalar, Scalar]]:
        """The search for meetings, which compiles once."""
        return searcher(self.shapes)

    def search(self, x: Poses, motion: Twists) -> Meeter:
        """What looks for meetings in the flight of x and motion; of it nothing is differentiated."""
        g = ra.array(self.world.gravity)
        slow = ra.build(len(self.pairs.near), self.slow)
        x, motion, g, dt, slow = ra.stop_gradient((x, motion, g, self.dt, slow))
        return Meeter(Flight(self.shapes, x, motion, g), dt, slow, self.searcher)

    def first(self, motion: Twists, x: Poses) -> Meetings:
        """What meets first."""
        meeter = self.search(x, motion)
        at = ra.stop_gradient(self.contacts)

        def look(k: Index) -> tuple[Scalar, Scalar, Scalar]:
            seen = Look(at.normal[k], at.arms[k], at.gap[k], at.closing[k], at.normal[k])
            time, rests = ra.cond(
                at.near[k] > 0, lambda: meeter.after(k, 0.0, seen), lambda: (NEVER, 0.0)
            )
            return time, rests, ra.where((rests > 0) | (time == 0), 1.0, 0.0)

        return Meetings(*ra.build(len(self.pairs.near), look))

    def again(
        self, old: Meetings, k: Index, t: Scalar, changed: Array, motion: Twists, x: Poses
    ) -> Meetings:
        """What is met from the time t on, after pair k; of bodies that have not `changed` (n,), what it was."""
        meeter, t = self.search(x, motion), ra.stop_gradient(t)
        bodies, touch = ra.array(self.world.contacts.pairs), LOOSE * self.shapes.reach

        def anew(q: Index) -> tuple[Scalar, Scalar, Scalar]:
            time, rests, gap = meeter.next(q, t)
            held = ra.where((old.held[q] > 0) & ((rests > 0) | (gap < touch)), 1.0, 0.0)
            # left to what follows: what was gone through often enough, and what is to rest after its impact
            again = (time <= t) | rattles(meeter.slow[q])
            left = (held > 0) & (time <= t) | (q == k) & again
            return ra.where(left, NEVER, time), ra.where(left, 1.0, rests), held

        def look(q: Index) -> tuple[Scalar, Scalar, Scalar]:
            moved = changed[bodies[q, 0]] | changed[bodies[q, 1]] | (q == k)
            was = old.time[q], old.rests[q], old.held[q]
            return ra.cond(moved, lambda: anew(q), lambda: was)

        return Meetings(*ra.build(len(self.pairs.near), look))

    # ---------------------------------------------------------------------------- what it does

    def collide(self, now: _Flown, inverse: Array | None) -> _Flown:
        """After the impact that is next, and all it leads to at once in what rests; `inverse` is W' where there
        are joints."""
        before, x, since, next = now
        k = ra.argmin(next.time)
        t, seen = self.meeting(k, ra.stop_gradient(next.time[k]), since, before, x)
        motion = self.struck(k, t, seen, next.held, before, inverse)
        changed = ra.any(motion != before, axis=1)
        x, since = x - t * (motion - before), ra.where(changed, t, since)
        return motion, x, since, self.again(next, k, t, changed, motion, x)

    def meeting(
        self, k: Index, t: Scalar, since: Array, motion: Twists, x: Poses
    ) -> tuple[Scalar, Look]:
        """When pair k meets, near t, and how: with derivatives, if it has flown there since its last impact."""
        i, j = ra.array(self.world.contacts.pairs)[k]
        flight = Flight(self.shapes, x, motion, ra.array(self.world.gravity))
        earlier = ra.maximum(since[i], since[j])
        flown = t > earlier
        t = ra.where(flown, t, earlier)
        seen, slow = flight.look(k, t), self.slow(k)
        c = ra.argmin(ra.where(seen.closing > slow, seen.gap, NEVER))
        # a corner that slides along a face which is not quite the one it is seen from closes at another speed
        still = self.search(x, motion).flight
        rate = ra.jvp(lambda t: still.look(k, t).gap, (ra.stop_gradient(t),), (1.0,))[1][c]
        met = flown & (abs(seen.gap[c]) < LOOSE * self.shapes.reach) & (rate < -STILL)
        met &= seen.closing[c] > slow
        late = ra.where(met, -seen.gap[c] / ra.where(met, rate, 1.0), 0.0)
        t = ra.maximum(t + late, earlier)
        return t, flight.look(k, t)

    def struck(
        self, k: Index, t: Scalar, seen: Look, held: Array, motion: Twists, inverse: Array | None
    ) -> Twists:
        """The motion after the impact of pair k at the time t, and of those pairs that are `held` (p,), in
        rounds until none approaches. What rests is carried: until t gravity has not moved it."""
        pairs = self.pairs.with_row(k, pair_of(self.world, k, seen.normal, seen.arms))
        pull = self.world.pull
        bounds = None if inverse is None else np.arange(len(self.pairs.near))[:, None] + [0, 1]

        def round(now: _Round) -> _Round:
            count = ra.accum(1)

            def visit(p: Index, i: Index, j: Index, motions: Array, change: Sums) -> None:
                with ra.when((held[p] > 0) | (p == k)):
                    falls = ra.where(p == k, t, 0.0) * ra.concat([pull[i], pull[j]])
                    u = speeds(pairs, p, motions + falls)
                    gap, closing = ra.where(p == k, seen.gap, self.contacts.gap[p]), -u[NORMALS]
                    left, slow = self.dt - t, self.slow(p)
                    struck = strikes(gap, closing, left, slow, self.shapes.reach)
                    with ra.when(ra.any(struck)):
                        aim = ra.where(struck, self.restitution(p) * closing, -LATER)
                        _Struck(pairs, p, u, aim).move(i, j, inverse, change)
                        count[0] += YES

            return sweep(self.world, pairs, now[0], visit, bounds), count.freeze()[0]

        return ra.while_loop(lambda now: now[1] > 0, round, (motion, 1.0), max_steps=ROUNDS)[0]


@dataclass(frozen=True)
class _Struck:
    """Pair p of `pairs`, which meets with the speeds u (4,), and is to part with `aim` (2,)."""

    pairs: Pairs
    p: Index
    u: Array
    aim: Array

    def impulses(self, response: Array) -> Array:
        """The impulses (4,) that do so, with that response (10,)."""
        return resolved(response, self.pairs.friction[self.p], self.u, ra.zeros(4), self.aim)

    def move(self, i: Index, j: Index, inverse: Array | None, change: Sums) -> None:
        """Add what they change of the motions: of its bodies i and j, or with W' of all."""
        if inverse is None:
            more = changes(self.pairs, self.p, self.impulses(self.pairs.response[self.p]))
            change[i] += more[:3]
            change[j] += more[3:]
            return
        n = inverse.shape[0]
        rows = row_matrix(self.pairs, self.p)
        changed = spread(rows, inverse[i], inverse[j])
        parts = ra.reshape(changed, (4, n, 3))
        more = ra.reshape(self.impulses(response(rows, parts, i, j)) @ changed, (n, 3))
        for body in ra.range(n):
            change[body] += more[body]
