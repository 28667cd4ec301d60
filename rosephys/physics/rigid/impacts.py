r"""Impacts: pairs that meet within a step, one after the other, each a collision of its own at its own instant.

The earliest meeting (`meetings`) is found, the pair collides there, and what its bodies meet from then on is
looked for again, until nothing more meets. A point that meets at more than what rests gets -e times its
approach: with u the speeds along the normals just before, its impulses P solve

    0 ≤ P ⟂ K P + (1 + e) u ≥ 0,      friction at each point: -u_t / k_t, within ±μ P.

A second point of the pair takes part if it is near and would meet within the step. With e = 1 and without
friction P · (u + K P / 2) = 0: no energy is gained or lost, whichever points take part. Friction comes after P,
and at most stops what slips, so it takes energy, whatever e is: what it does to the speed along the normal is
not made good, as it would be by Newton's rule, which may give energy (Kane's paradox).

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

from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np

import rose_ad as ra

from ..quantities import Array, Condition, Index, Scalar, Sums, Vector
from . import joints
from .answers import response, spread
from .bodies import Bodies, Poses, Twists, World
from .collide import Outlines
from .flight import YES, Contacts, Flight, Look, contacts, crossing, moving, seer
from .meetings import LOOSE, NEVER, rattles, searcher, settles, slowest, strikes
from .pairs import (
    NORMALS,
    Pair,
    Pairs,
    changes,
    pair_of,
    pairs_of,
    resolved,
    row_matrix,
    speeds,
    sweep,
)

LATER = 1e6
"""A speed that nothing has: the demand on a point that is not constrained is less than minus this."""

ROUNDS = 32
"""How often the pairs that rest are gone through after an impact."""


@ra.struct
class Meetings:
    """When each of p pairs meets next (p,), NEVER if not within the step; 1 for those that are near (p,), for
    those that rest (p,), and for those that touch, resting or about to meet (p,)."""

    time: ra.Vec
    near: ra.Vec
    rests: ra.Vec
    touch: ra.Vec


@ra.struct
class _Flown:
    """A step up to its last impact, of pair `last` at the time `now`: the motion (n, 3) and x (n, 3) of the
    flights that bodies are on, since when (n,); and what they meet next."""

    motion: ra.Vec
    x: ra.Vec
    since: ra.Vec
    next: Meetings
    last: ra.Int
    now: ra.Real


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
    p, n = len(world.contacts.pairs), len(world.bodies)
    x, motion = moving(state)
    meeting = _Meeting(world, x, dt, plastic)
    nothing = Meetings(ra.full(p, NEVER), ra.zeros(p), ra.zeros(p), ra.zeros(p))
    start = meeting.looked(_Flown(motion, x, ra.zeros(n), nothing, -1, 0.0))
    end = ra.while_loop(
        lambda s: ra.min(s.next.time) < NEVER, meeting.further, start, max_steps=most
    )
    left = ra.where(end.next.time < NEVER, 1.0, end.next.rests)
    rests = ra.build(p, lambda k: ra.maximum(left[k], settles(meeting.restitution[k])))
    return Rest(end.motion, end.x, *meeting.touching(end.next.near, end), rests)


class _Meeting:
    """The pairs that meet within a step of length dt that starts at x (n, 3)."""

    def __init__(self, world: World, x: Poses, dt: Scalar, plastic: bool) -> None:
        self.world, self.x, self.dt = world, x, dt
        self.shapes, self.gravity = Outlines(world), ra.array(world.gravity)
        self.see = seer(self.shapes)
        self.searched = searcher(self.shapes, self.see)
        # as functions of their own they compile once
        self.met, self.found = ra.fn(self._met), ra.fn(self._found)
        e, bodies = ra.array(world.restitution), ra.array(world.contacts.pairs)
        count = len(world.contacts.pairs)
        self.restitution = ra.build(count, lambda k: ra.maximum(e[bodies[k, 0]], e[bodies[k, 1]]))
        # the approach up to which a pair is not struck
        bounce = ra.stop_gradient(self.restitution)
        slow = ra.build(count, lambda k: slowest(bounce[k]))
        self.slow = slow if plastic else ra.where(bounce > 0, slow, LATER)

    def flight(self, x: Poses, motion: Twists) -> Flight:
        """Of x and motion."""
        return Flight(self.shapes, x, motion, self.gravity, self.see)

    def further(self, s: _Flown) -> _Flown:
        """After the next impact."""
        return self.looked(self.collided(ra.argmin(s.next.time), s))

    def touching(self, among: Array, s: _Flown) -> tuple[Contacts, Pairs]:
        """The pairs `among` these (p,), as they lie after the last impact of each body."""
        return self.found(among, s.x, s.motion, s.since, self.dt)

    def _found(
        self, among: Array, x: Poses, motion: Twists, since: Array, dt: Scalar
    ) -> tuple[Contacts, Pairs]:
        at = contacts(self.flight(x, motion), among, dt, since)
        return at, pairs_of(self.world, at)

    # ------------------------------------------------------------------------------ what is met

    def looked(self, s: _Flown) -> _Flown:
        """With what is met next, which is new for bodies that have changed their flight. Nothing of it is
        differentiated."""
        return replace(s, next=self.met(*ra.stop_gradient((s, self.gravity, self.dt, self.slow))))

    def _met(self, s: _Flown, g: Vector, dt: Scalar, slow: Array) -> Meetings:
        bodies, flight, old = (
            ra.array(self.world.contacts.pairs),
            self.flight(s.x, s.motion),
            s.next,
        )
        among = crossing(flight, dt)

        def anew(q: Index, t: Scalar, seen: Look) -> tuple[Scalar, Scalar, Scalar, Scalar]:
            time, rests = self.searched(q, t, seen, s.x, s.motion, g, dt, slow[q])
            touch = (rests > 0) | (time <= t)
            # left to what follows: what was gone through often enough, and what is to rest after its impact
            was = (q == s.last) | (old.touch[q] > 0)
            left = was & (time <= s.now) | (q == s.last) & rattles(slow[q])
            return (
                ra.where(left, NEVER, time),
                1.0,
                ra.where(left, 1.0, rests),
                ra.where(touch, 1.0, 0.0),
            )

        def look(q: Index) -> tuple[Scalar, Scalar, Scalar, Scalar]:
            first, second = s.since[bodies[q, 0]], s.since[bodies[q, 1]]
            t = ra.maximum(first, second)

            def crosses() -> tuple[Scalar, Scalar, Scalar, Scalar]:
                seen = flight.look(q, t)
                near = flight.comes_near(q, seen, dt)
                return ra.cond(near, lambda: anew(q, t, seen), lambda: (NEVER, 0.0, 0.0, 0.0))

            def near() -> tuple[Scalar, Scalar, Scalar, Scalar]:
                return ra.cond(among[q] > 0, crosses, lambda: (NEVER, 0.0, 0.0, 0.0))

            return ra.cond(
                (first == s.now) | (second == s.now),
                near,
                lambda: (old.time[q], old.near[q], old.rests[q], old.touch[q]),
            )

        return Meetings(*ra.build(len(among), look))

    # ---------------------------------------------------------------------------- what it does

    def collided(self, k: Index, s: _Flown) -> _Flown:
        """After the impact of pair k, and all it leads to at once in what rests."""
        bodies, free = ra.array(self.world.contacts.pairs), ra.array(self.world.free)
        t, seen = self.meeting(k, s)
        motion = self.struck(k, t, seen, s)

        def changed(b: Index) -> Condition:
            met = (b == bodies[k, 0]) | (b == bodies[k, 1])
            return met & (free[b] > 0) | ra.any(motion[b] != s.motion[b])

        since = ra.build(len(free), lambda b: ra.where(changed(b), t, s.since[b]))
        x = s.x - t * (motion - s.motion)
        return replace(s, motion=motion, x=x, since=since, last=k, now=t)

    def meeting(self, k: Index, s: _Flown) -> tuple[Scalar, Look]:
        """When pair k meets, and how: with derivatives, if it has flown there since its last impact."""
        i, j = ra.array(self.world.contacts.pairs)[k]
        earlier, t = ra.maximum(s.since[i], s.since[j]), ra.stop_gradient(s.next.time[k])
        flight, flown = self.flight(s.x, s.motion), t > earlier
        t = ra.where(flown, t, earlier)
        seen, slow = flight.look(k, t), self.slow[k]
        c = ra.argmin(ra.where(seen.closing > slow, seen.gap, NEVER))
        met = flown & (abs(seen.gap[c]) < LOOSE * self.shapes.reach) & (seen.closing[c] > slow)
        speed = ra.stop_gradient(ra.where(met, seen.closing[c], 1.0))
        ahead = ra.where(met, seen.gap[c] / speed, 0.0)
        if len(self.shapes.seams.others):
            # what a seam hid until then, and overlaps, is hidden again a little earlier
            ahead -= ra.stop_gradient(ra.minimum(ahead, 0.0))
        t = ra.maximum(t + ahead, earlier)
        return t, flight.look(k, t)

    def struck(self, k: Index, t: Scalar, seen: Look, s: _Flown) -> Twists:
        """The motion after the impact of pair k at the time t, and of those that touch, in rounds until none
        approaches. What rests is carried: until t gravity has not moved it."""
        met, pull = pair_of(self.world, k, seen.normal, seen.arms), self.world.pull
        count = len(self.world.contacts.pairs)
        others = ra.build(count, lambda p: ra.where(p == k, 0.0, s.next.touch[p]))
        taking = ra.build(count, lambda p: ra.where(p == k, 1.0, s.next.touch[p]))
        at, pairs = self.touching(others, s)
        inverse, bounds = None, None
        if self.world.joints:
            inverse = joints.inverse_mass(self.world, self.x)
            bounds = np.arange(count)[:, None] + [0, 1]

        def round(now: _Round) -> _Round:
            hits = ra.accum(1)

            def visit(p: Index, i: Index, j: Index, motions: Array, change: Sums) -> None:
                pair, gap, fell = ra.cond(
                    p == k,
                    lambda: (met, seen.gap, t),
                    lambda: (pairs.row(p), at.gap[p], 0.0),
                )
                u = speeds(pair, motions + fell * ra.concat([pull[i], pull[j]]))
                closing, left = -u[NORMALS], self.dt - t
                struck = strikes(gap, closing, left, self.slow[p], self.shapes.reach)
                with ra.when(ra.any(struck)):
                    aim = ra.where(struck, self.restitution[p] * closing, -LATER)
                    _move(pair, i, j, u, aim, inverse, change)
                    hits[0] += YES

            return sweep(self.world, taking, now[0], visit, bounds), hits.freeze()[0]

        return ra.while_loop(lambda now: now[1] > 0, round, (s.motion, 1.0), max_steps=ROUNDS)[0]


def _move(
    pair: Pair, i: Index, j: Index, u: Array, aim: Array, inverse: Array | None, change: Sums
) -> None:
    """Add what changes of motions when a pair that meets with the speeds u (4,) parts with `aim` (2,): those of
    its bodies i and j, or with W' of all."""
    none = ra.zeros(4)
    if inverse is None:
        more = changes(pair, resolved(pair.response, pair.friction, u, none, aim))
        change[i] += more[:3]
        change[j] += more[3:]
        return
    n, rows = inverse.shape[0], row_matrix(pair)
    changed = spread(rows, inverse[i], inverse[j])
    answer = response(rows, ra.reshape(changed, (4, n, 3)), i, j)
    more = ra.reshape(resolved(answer, pair.friction, u, none, aim) @ changed, (n, 3))
    for body in ra.range(n):
        change[body] += more[body]
