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
impulse p_k n_k that would stop the approach of the pair k alone, p_k = u_k / 2 for one at the speed u_k, and
P_i their sum at disc i, over each group of pairs that are joined by discs

    J_i = (1 + e) s P_i,    s = Σ_k (u_k² / 2) / Σ_i |P_i|².

A pair alone has s = 1. The energy of the group changes by -(1 - e²) s² Σ |P_i|² / 2: it never grows, and is
kept where e = 1. Momentum is kept, and no impulse pulls. This is repeated while any that touch approach, so
that a blow goes along a row of discs that touch, and the last one leaves (Newton's cradle). It ends: each blow
adds (1 + e) s r Σ u_k, with s >= 1/6, to Σ x_i · v_i, which is bounded while discs stay and energy does not
grow.

It is the generalized reflection of Smith, Kaufman, Vouga, Tamstorf, Grinspun, *Reflections on simultaneous
impact*, ACM Trans. Graph. 31 (SIGGRAPH 2012), in closed form: v is reflected at the plane perpendicular to P,
theirs at the plane through the nearest motion in which nothing approaches, which is found by a quadratic
program. Where the pairs of a group are alike, by symmetry, the two are the same.

At such a tie the motion is not continuous, for where all go depends on which of two is struck first. There the
derivative is that of the motion in which both are struck at once, and differences do not settle.

**Cushions.** Where discs roll on a table, `cushions.py`, its sides are met in the same order, each by one disc
at a time; a disc that meets another and a side in one instant meets the other first. Momentum is not kept then.

**Bounds.** What still approaches after `MOST` instants is left to the next step, in which it meets at once; so
are discs that approach by less than `RESTING` radii in a step. An impulse left out adds no energy.
"""

from __future__ import annotations

import math
from functools import partial
from typing import Any, TypeAlias

import rose_ad as ra

from ..quantities import Array, Condition, Index, Scalar, Sums, Vector, Vectors
from .cushions import Cushions

MOST = 64  # instants in a step; racks of 22 discs, all touching, have fewer than 32 where e >= 0.5
TOUCHING = 1e-9  # radii between discs that touch
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

    def touching(self, code: Index, time: Scalar) -> Condition:
        """Whether two discs touch and approach."""
        i, j = self.pair(code)
        apart = self.apart(i, j, time)
        near = ra.dot(apart, apart) <= ((2 + TOUCHING) * self.radius) ** 2
        return near & self.approach(i, j, apart, time)

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


_Carry: TypeAlias = tuple[Vectors, Vectors, Scalar, Index]
"""Δv and Δx (n, 2) so far, the time, and the pair or the side that is met next."""


def meetings(discs: Discs) -> tuple[Vectors, Vectors]:
    """Δv and Δx (n, 2): the sums of J and -τ J over all meetings within the step."""
    pairs, count = _neighbours(discs)

    def instant(carry: _Carry) -> _Carry:
        dv, dx, time, first = carry
        before = discs.after(dv, dx)
        collide = partial(_collide, before, pairs, count, first, time)
        if discs.cushions is None:
            more_v, more_x, time = collide()
        else:
            rebound = partial(_rebound, before, first, time)
            more_v, more_x, time = ra.cond(first < discs.x.shape[0] ** 2, collide, rebound)
        dv, dx = dv + more_v, dx + more_x
        return dv, dx, time, _first(discs.after(dv, dx), pairs, count, time)

    still = ra.zeros(discs.x.shape)
    start = (still, still, 0.0, _first(discs, pairs, count, 0.0))
    dv, dx, _, _ = ra.while_loop(lambda carry: carry[3] >= 0, instant, start, max_steps=MOST)
    return dv, dx


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

        last: Index = ra.while_loop(lambda carry: carry[0] < n, pair, (i + 1, count))[1]
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

    _, soonest, first = ra.while_loop(lambda carry: carry[0] < count, look, (0, math.inf, -1))
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
def _groups(discs: Discs, pairs: Array, count: Index, time: Scalar) -> Array:
    """For each disc the number of its group (n,): those that are joined by pairs which touch and approach."""

    def join(carry: tuple[Index, Array]) -> tuple[Index, Array]:
        k, group = carry
        i, j = discs.pair(pairs[k])
        joined = discs.touching(pairs[k], time)
        return k + 1, ra.where(joined & (group == group[j]), group[i], group)

    alone = ra.arange(discs.x.shape[0])
    group: Array = ra.while_loop(lambda carry: carry[0] < count, join, (0, alone))[1]
    return group


def _collide(
    discs: Discs, pairs: Array, count: Index, first: Index, time: Scalar
) -> tuple[Vectors, Vectors, Scalar]:
    """Δv and Δx (n, 2) by all pairs that meet when the pair `first` next does, and that instant.

    A pair has its own τ. One that overlaps, as by rounding where discs lie in a row, has that of the blow which
    reaches it, with its derivative.
    """
    n = discs.x.shape[0]
    now = time + discs.delay(*discs.pair(first), time)
    impulse, moment, energy = ra.accum((n, 2)), ra.accum((n, 2)), ra.accum(n)
    partners = _counters(n)
    for k in ra.range(count):
        with ra.when(discs.touching(pairs[k], now)):
            i, j = discs.pair(pairs[k])
            tau = now + discs.delay(i, j, now)
            apart = discs.apart(i, j, tau)
            square, closing = ra.dot(apart, apart), discs.closing(i, j, apart, tau)
            alone = closing / (2 * square) * apart
            for disc, share in ((i, alone), (j, -alone)):
                impulse[disc] += share
                moment[disc] += tau * share
                energy[disc] += closing * closing / (4 * square)
                partners[disc] += 1
    sums = impulse.freeze(), energy.freeze()
    shared = ra.max(partners.freeze()) > 1
    scale = ra.cond(
        shared, lambda: _scale(_groups(discs, pairs, count, now), *sums), lambda: ra.ones(n)
    )
    scale = (1 + discs.restitution) * ra.reshape(scale, (n, 1))
    return scale * sums[0], -scale * moment.freeze(), now


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


def _scale(group: Array, impulse: Vectors, energy: Array) -> Array:
    """The s of each disc's group (n,), from the sums P (n, 2) and the shares of u_k² / 2 (n,)."""
    n = group.shape[0]
    wanted, made = ra.accum(n), ra.accum(n)
    for i in ra.range(n):
        wanted[group[i]] += energy[i]
        made[group[i]] += ra.dot(impulse[i], impulse[i])
    wanted, made = wanted.freeze(), made.freeze()
    # of a group that nothing strikes both are zero
    return ra.build(n, lambda i: wanted[group[i]] / ra.maximum(made[group[i]], 1e-300))
