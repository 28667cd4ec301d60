r"""The discs that meet within a step, in the order of their instants.

All discs move straight, x + τ v, until the first two that approach touch, at the τ of a quadratic. There the
velocities of those two change, and the search goes on from τ with the new motion until the step ends. So a disc
may meet several others in a step, and one of them again. An impulse J at τ changes the motion to

    v' = v + J,    x' = x - τ J,    so that x' + t v' = x + t v + (t - τ) J for t after τ,

in which nothing but the sums of J and of -τ J is remembered. τ is its own root for each pair, so that its
derivative, through x' and v' of all that was before, is that of the exact motion. Which pair is next is an
integer and has none.

**Several at once.** Pairs that touch and approach at the same instant, as where a disc strikes two, are
resolved together, so that it does not matter how discs are numbered, and a mirror image mirrors. With the
impulses λ after which none of them approaches (`projection`)

    J_i = (1 + e) Σ_k ± λ_k n_k.

Where e = 1 the motion is reflected at the nearest in which nothing approaches. The energy of the discs changes
by -(1 - e) / (1 + e) Σ_i |J_i|² / 2: it never grows, and is kept where e = 1. Momentum is kept, and no impulse
pulls. This is repeated while any that touch approach, so that a blow
goes along a row of discs that touch, and the last one leaves (Newton's cradle): the generalized reflections of
Smith, Kaufman, Vouga, Tamstorf, Grinspun, *Reflections on simultaneous impact*, ACM Trans. Graph. 31 (SIGGRAPH
2012).

At such a tie the motion is not continuous, for where all go depends on which of two is struck first. There the
derivative is that of the motion in which both are struck at once, and differences do not settle.

**Cushions.** Where discs roll on a table, `cushions.py`, its sides are met in the same order, each by one disc
at a time; a disc that meets another and a side in one instant meets the other first. Momentum is not kept then.

**Plastic impacts.** Where e is small, discs that are pressed between others meet infinitely often in a finite
time, at speeds that fall by e each time (inelastic collapse: McNamara, Young, *Inelastic collapse and clumping
in a one-dimensional granular medium*, Phys. Fluids A 4, 1992), and then stay together. So a pair whose next
rebound would be the k-th in the step, with e^k < `FORGOTTEN`, is left without one. Then all pairs that touch
take part, those at rest, too: what is pressed together moves as one from there on, and has the derivative of
that. With e = 0 it is so from the first meeting on.

**Bounds.** The last of `MOST` instants settles the rest of the step: a plastic impact of all pairs that are
near, in which those that do not touch may close their gap until the step ends and no more. As discs move
straight, none overlaps; but a disc pressed on a cushion by others, which would still meet it then, turns round
there after all. Discs that approach by less than `RESTING` radii in a step are at rest.
"""

from __future__ import annotations

import math
from functools import partial
from typing import Any, TypeAlias

import rose_ad as ra

from ..quantities import Array, Condition, Index, Scalar, Sums, Vector, Vectors
from .cushions import Cushions, rebounds
from .projection import Contacts, held

MOST = 64  # instants in a step; racks of 22 discs, all touching, have fewer than 32 where e >= 0.5
TOUCHING = 1e-9  # radii between discs that touch, and of a step between instants that are the same
FORGOTTEN = 4e-7  # of its approach, which a pair rebounds with no more; no power of what e is often
RESTING = 1e-12  # radii by which discs that rest on each other approach in a step


@ra.struct
class Discs:
    """Discs at x that move with v, both (n, 2), for a step of length dt.

    Where they are pushed, v has dt times the `acceleration` (n, 2) already.
    """

    x: Vectors
    v: Vectors
    radius: Scalar
    restitution: Scalar
    dt: Scalar
    acceleration: Vectors | None
    cushions: Cushions | None = None

    def after(self, dv: Vectors, dx: Vectors) -> Discs:
        """The same after changes (n, 2) of their motion."""
        x, v, pushed, cushions = self.x + dx, self.v + dv, self.acceleration, self.cushions
        return Discs(x, v, self.radius, self.restitution, self.dt, pushed, cushions)

    def pair(self, code: Index) -> tuple[Index, Index]:
        """The two discs i < j of a pair that is written as i n + j."""
        n = self.x.shape[0]
        return code // n, code % n

    def apart(self, i: Index, j: Index, time: Scalar) -> Vector:
        """x_i - x_j (2,) at a time of the step."""
        return self.x[i] - self.x[j] + time * (self.v[i] - self.v[j])

    def closing(self, i: Index, j: Index, apart: Vector, time: Scalar) -> Scalar:
        """How fast |apart|²/2 falls at a time, at which v has not yet all of its push."""
        closing = -ra.dot(apart, self.v[i] - self.v[j])
        if self.acceleration is not None:
            closing += (self.dt - time) * ra.dot(apart, self.acceleration[i] - self.acceleration[j])
        return closing

    def approach(self, i: Index, j: Index, apart: Vector, time: Scalar) -> Condition:
        """Whether two discs come nearer, at that time and on the whole, and do not rest on each other."""
        whole = -ra.dot(apart, self.v[i] - self.v[j])
        closing = ra.minimum(whole, self.closing(i, j, apart, time))
        return closing * self.dt > RESTING * self.radius * self.radius

    def meet(self, i: Index, j: Index, time: Scalar) -> Condition:
        """Whether two discs would touch, if both went on for ever: |apart + σ relative|² = 4r² for a σ > 0."""
        a, b, c = self._quadratic(i, j, time)
        return (b < 0) & (b * b > a * c)

    def delay(self, i: Index, j: Index, time: Scalar) -> Scalar:
        """σ, how long after that time two discs that meet do so: 0 where they overlap already."""
        a, b, c = self._quadratic(i, j, time)
        return ra.maximum(c / (ra.sqrt(ra.maximum(b * b - a * c, 0.0)) - b), 0.0)

    def _quadratic(self, i: Index, j: Index, time: Scalar) -> tuple[Scalar, Scalar, Scalar]:
        """a, b, c of a σ² + 2 b σ + c = |apart + σ relative|² - 4r²."""
        apart, relative = self.apart(i, j, time), self.v[i] - self.v[j]
        c = ra.dot(apart, apart) - 4 * self.radius * self.radius
        return ra.dot(relative, relative), ra.dot(apart, relative), c

    def touch(self, apart: Vector) -> Condition:
        """Whether two discs so far apart touch."""
        return ra.dot(apart, apart) <= ((2 + TOUCHING) * self.radius) ** 2

    def contact(self, code: Index, now: Scalar) -> Vector:
        """What `Contacts` has of two discs that take part at a time: a row (4,).

        Two that touch and approach have their own τ, if it is at that time but for rounding; those that are
        pressed together by others have that of the blow which reaches them, with its derivative. Two that do
        not touch may come as near as they can until the step ends.
        """
        i, j = self.pair(code)
        apart = self.apart(i, j, now)
        meet = self.touch(apart) & self.approach(i, j, apart, now)
        tau = now + ra.cond(meet, lambda: self.delay(i, j, now), lambda: 0.0)
        tau = ra.where(tau <= now + TOUCHING * self.dt, tau, now)
        apart = self.apart(i, j, tau)
        distance = ra.norm(apart)
        gap = ra.maximum(distance - (2 + TOUCHING) * self.radius, 0.0)
        left = ra.maximum(self.dt - now, TOUCHING * self.dt)
        excess = self.closing(i, j, apart, tau) / distance - gap / left
        return ra.array([apart[0] / distance, apart[1] / distance, excess, tau])

    def side(self, code: Index) -> tuple[Index, Index]:
        """The disc i and the axis of a meeting with a cushion, which is written as n² + 2 i + axis."""
        code = code - self.x.shape[0] ** 2
        return code // 2, code % 2

    def delay_to_side(self, i: Index, axis: Index, time: Scalar) -> Scalar:
        """How long after that time a disc that moves along an axis meets the side there."""
        assert self.cushions is not None
        v = self.v[i, axis]
        return self.cushions.delay(axis, self.x[i, axis] + time * v, v, self.radius)

    def velocity(self, i: Index, axis: Index, time: Scalar) -> Scalar:
        """A disc's velocity along an axis at a time, at which it has not yet all of its push."""
        v = self.v[i, axis]
        if self.acceleration is not None:
            v -= (self.dt - time) * self.acceleration[i, axis]
        return v


_Carry: TypeAlias = tuple[Vectors, Vectors, Scalar, Index, Index, Array]
"""Δv and Δx (n, 2) so far, the time, the pair or side that is met next, how many were, and which (MOST,)."""


def meetings(discs: Discs) -> tuple[Vectors, Vectors]:
    """Δv and Δx (n, 2): the sums of J and -τ J over all meetings within the step."""
    pairs, count = _neighbours(discs)

    def instant(carry: _Carry) -> _Carry:
        dv, dx, time, first, made, met = carry
        again, last = ra.sum(ra.where(met - first == 0, 1.0, 0.0)), made == MOST - 1
        plastic = discs.restitution ** (again + 1) < FORGOTTEN
        e = ra.where(last | (plastic & (again > 0)), 0.0, discs.restitution)
        moved = discs.after(dv, dx)
        collide = partial(_collide, moved, pairs, count, first, time, e, plastic, last)
        if discs.cushions is None:
            more_v, more_x, time = collide()
        else:
            rebound = partial(_rebound, moved, first, time)
            more_v, more_x, time = ra.cond(first < discs.x.shape[0] ** 2, collide, rebound)
        dv, dx = dv + more_v, dx + more_x
        met = ra.where(ra.arange(MOST) == made, first, met)
        return dv, dx, time, _first(discs.after(dv, dx), pairs, count, time), made + 1, met

    still, nobody = ra.zeros(discs.x.shape), ra.full(MOST, -1)
    start = (still, still, 0.0, _first(discs, pairs, count, 0.0), 0, nobody)
    dv, dx, _, left, *_ = ra.while_loop(lambda carry: carry[3] >= 0, instant, start, max_steps=MOST)
    sides = discs.cushions
    if sides is None:
        return dv, dx

    def aside() -> tuple[Vectors, Vectors]:
        return rebounds(sides, discs.x + dx, discs.v + dv, discs.radius, discs.dt)

    more_v, more_x = ra.cond(left >= 0, aside, lambda: (0.0 * dv, 0.0 * dx))
    return dv + more_v, dx + more_x


# functions of their own, for they give integers, and so are compiled once for all passes


@ra.fn
def _neighbours(discs: Discs) -> tuple[Array, Index]:
    """The pairs that can meet within the step, whatever else meets, as codes, and how many there are.

    Without a push Σ |v|² never grows, in any frame that moves unless there are cushions, so that |v_i - v_j| is
    at most √(2 Σ |v|²). With one this takes the push twice, for v without it and v with it.
    """
    n = discs.x.shape[0]
    drift = discs.v if discs.cushions is not None else discs.v - ra.sum(discs.v, axis=0) / n
    squares = 2 * ra.sum(drift * drift)
    if discs.acceleration is not None:
        push = discs.dt * discs.acceleration
        squares = 2 * squares + 4 * ra.sum(push * push)
    reach = 2 * discs.radius + discs.dt * ra.sqrt(squares)
    pairs = _counters(n * (n - 1) // 2)

    def row(i: Index, count: Index) -> Index:
        def pair(carry: tuple[Index, Index]) -> tuple[Index, Index]:
            j, count = carry
            apart = discs.x[i] - discs.x[j]
            near = ra.dot(apart, apart) <= reach * reach
            with ra.when(near):
                pairs[count] += i * n + j
            return j + 1, count + ra.where(near, 1, 0)

        last: Index = ra.while_loop(lambda carry: carry[0] < n, pair, (i + 1, count), max_steps=n)[
            1
        ]
        return last

    count = ra.fori_loop(0, n, row, 0)
    return pairs.freeze(), count


@ra.fn
def _first(discs: Discs, pairs: Array, count: Index, time: Scalar) -> Index:
    """The pair that meets first from that time on and within the step, or the side; -1 if none does."""

    def look(carry: tuple[Index, Scalar, Index]) -> tuple[Index, Scalar, Index]:
        k, soonest, first = carry
        i, j = discs.pair(pairs[k])
        forever = discs.meet(i, j, time)
        at = ra.cond(forever, lambda: time + discs.delay(i, j, time), lambda: math.inf)
        sooner = ra.cond(
            (at < soonest) & (at <= discs.dt),
            lambda: discs.approach(i, j, discs.apart(i, j, at), at),
            lambda: False,
        )
        return k + 1, ra.where(sooner, at, soonest), ra.where(sooner, pairs[k], first)

    _, soonest, first = ra.while_loop(
        lambda carry: carry[0] < count, look, (0, math.inf, -1), max_steps=pairs.shape[0]
    )
    if discs.cushions is None:
        return first

    def look_aside(k: Index, carry: tuple[Scalar, Index]) -> tuple[Scalar, Index]:
        soonest, first = carry
        code = discs.x.shape[0] ** 2 + k
        i, axis = discs.side(code)
        v = discs.v[i, axis]
        at = ra.cond(v != 0, lambda: time + discs.delay_to_side(i, axis, time), lambda: math.inf)
        closing = ra.minimum(abs(v), ra.sign(v) * discs.velocity(i, axis, at))
        moves = closing * discs.dt > RESTING * discs.radius
        sooner = (at < soonest) & (at <= discs.dt) & moves
        return ra.where(sooner, at, soonest), ra.where(sooner, code, first)

    last: Index = ra.fori_loop(0, 2 * discs.x.shape[0], look_aside, (soonest, first))[1]
    return last


@ra.fn
def _struck(
    discs: Discs, pairs: Array, count: Index, time: Scalar, plastic: Condition, last: Condition
) -> tuple[Array, Index]:
    """The pairs that take part at a time, as codes, and how many they are."""
    most = pairs.shape[0]
    found = _counters(most)

    def look(carry: tuple[Index, Index]) -> tuple[Index, Index]:
        k, number = carry
        i, j = discs.pair(pairs[k])
        apart = discs.apart(i, j, time)
        takes = discs.touch(apart) & (plastic | discs.approach(i, j, apart, time)) | last
        with ra.when(takes):
            found[number] += pairs[k]
        return k + 1, number + ra.where(takes, 1, 0)

    number = ra.while_loop(lambda carry: carry[0] < count, look, (0, 0), max_steps=most)[1]
    return found.freeze(), number


@ra.fn
def _collide(
    discs: Discs,
    pairs: Array,
    count: Index,
    first: Index,
    time: Scalar,
    e: Scalar,
    plastic: Condition,
    last: Condition,
) -> tuple[Vectors, Vectors, Scalar]:
    """Δv and Δx (n, 2) by all pairs that take part when the pair `first` next meets, and that instant."""
    now = time + discs.delay(*discs.pair(first), time)
    codes, number = _struck(discs, pairs, count, now, plastic, last)
    dv, dx = ra.cond(
        number > 1,
        lambda: _together(discs, codes, number, now, e),
        lambda: _alone(discs, first, now, e),
    )
    return dv, dx, now


def _alone(discs: Discs, code: Index, now: Scalar, e: Scalar) -> tuple[Vectors, Vectors]:
    """Δv and Δx (n, 2) by one pair."""
    dv, dx = ra.accum(discs.x.shape), ra.accum(discs.x.shape)
    i, j = discs.pair(code)
    apart = discs.apart(i, j, now)
    closing = discs.closing(i, j, apart, now)
    push = (1 + e) * closing / (2 * ra.dot(apart, apart)) * apart
    for disc, share in ((i, push), (j, -push)):
        dv[disc] += share
        dx[disc] += -now * share
    return dv.freeze(), dx.freeze()


def _together(
    discs: Discs, codes: Array, number: Index, now: Scalar, e: Scalar
) -> tuple[Vectors, Vectors]:
    """Δv and Δx (n, 2) by several pairs."""
    rows, shape = ra.accum((codes.shape[0], 4)), discs.x.shape
    for k in ra.range(number):
        rows[k] += discs.contact(codes[k], now)
    contacts = Contacts(codes, rows.freeze(), number, ra.zeros(shape))
    impulses = held(contacts)
    dv, dx = ra.accum(shape), ra.accum(shape)
    for k in ra.range(number):
        i, j = contacts.ends(k)
        push = (1 + e) * impulses[k] * contacts.normal(k)
        for disc, share in ((i, push), (j, -push)):
            dv[disc] += share
            dx[disc] += -contacts.rows[k, 3] * share
    return dv.freeze(), dx.freeze()


def _rebound(discs: Discs, first: Index, time: Scalar) -> tuple[Vectors, Vectors, Scalar]:
    """Δv and Δx (n, 2) where a disc meets a side next, and that instant."""
    assert discs.cushions is not None
    i, axis = discs.side(first)
    now = time + discs.delay_to_side(i, axis, time)
    impulse = -(1 + discs.cushions.restitution) * discs.velocity(i, axis, now)
    dv, dx = ra.accum(discs.x.shape), ra.accum(discs.x.shape)
    dv[i, axis] += impulse
    dx[i, axis] += -now * impulse
    return dv.freeze(), dx.freeze(), now


def _counters(n: int) -> Sums:
    """An accumulator of Ints (n,)."""
    kind: Any = ra.Vec
    counters: Sums = ra.accum(kind[n, ra.Int])
    return counters
