r"""Steps of a smooth motion with events: where a guard falls through zero, the state is reset.

A flow Φ takes a state and a time τ to the state τ later; any of `integrators` with the step τ is one. An event
has a guard g, positive where the state may be, and a reset R. Within a step of length h the event happens at
the first τ with

    g(Φ(s, τ)) = 0, falling;    then s' = Φ(R(Φ(s, τ)), h - τ), with further events in order of time.

**Location.** τ is found on the flow itself, not on an interpolant: Φ(s, τ) is the integrator's own step of
length τ, as accurate as any other of its steps, so that where the flow is exact the event is too and nothing
depends on h. Newton's method is kept inside a bracket that bisection shrinks where it would leave it.

**Derivative.** By the implicit function theorem dτ = -∂(g∘Φ) / (∂(g∘Φ)/∂τ), whatever the iterations were. With
f = ∂Φ/∂τ before and f' after the reset, what that does to a perturbation of the state is the saltation matrix

    S = DR + (f' - DR f) ∇gᵀ / (∇g · f),

which appears nowhere in the code: it is what the chain rule gives for Φ(R(Φ(s, τ(s))), h - τ(s)). A guard that
is only touched, ∇g · f = 0, has no derivative.

**Rest.** A ball that bounces comes to rest after infinitely many bounces in a finite time (Zeno). A state is at
rest on a guard where the flow presses it through, |g| <= slow · h and |dg/dτ| <= slow: then `hold` replaces the
flow, until the flow no longer presses. At most `most` events happen in a step; the rest of the step is then
held on the guard of the last one.

**Limits.** A guard that falls and rises again within the time between two events is not seen, so h must
resolve what the guards do. A state is at rest on one guard at a time, the first of those that would hold it. A
state that is behind a guard and goes on falling is taken back along its way, by at most h; one that is behind
and comes back is let pass. A reset must send the state back: a surface that is to be crossed has a side in the
state, the guard side · distance, and a reset that turns the side.

Sources: Filippov, *Differential equations with discontinuous righthand sides*, 1988; Aizerman, Gantmacher,
Q. J. Mech. Appl. Math. 11, 1958 (the saltation matrix); Shampine, Thompson, Comput. Math. Appl. 39, 2000
(event location).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial, reduce
from typing import Generic, TypeAlias, TypeVar

import rose_ad as ra

from ..checked import checked
from ..quantities import Condition, Count, Index, Positive, Scalar

State = TypeVar("State")
Flow: TypeAlias = Callable[[State, Scalar], State]

_Part: TypeAlias = tuple[State, Scalar, Index, Index]
"""A state, the time left of the step, how many events there were, and which was the last."""
_Bracket: TypeAlias = tuple[Scalar, Scalar, Scalar, Scalar]
"""Where a root is between, its estimate, and how far that has moved."""


@checked
def stand_still(state: State, _: Scalar) -> State:
    """The flow of a state that does not change."""
    return state


@checked
@dataclass(frozen=True)
class Event(Generic[State]):
    """What happens where `guard(state)`, a Real, falls through zero: the state becomes `reset(state)`.

    `hold(state, time)` is the flow of a state at rest on the guard. `slow`, in units of the guard per unit of
    time, is the rate below which it is at rest.
    """

    guard: Callable[[State], Scalar]
    reset: Callable[[State], State]
    hold: Flow[State] = stand_still
    slow: Positive = 1e-6


@checked
def advance(
    flow: Flow[State], events: Sequence[Event[State]], state: State, dt: Positive, most: Count = 16
) -> State:
    """The state a step of length dt > 0 later, by `flow(state, time)`, with at most `most` events."""
    if not events:
        return flow(state, dt)
    flow = ra.fn(flow)

    def part(carry: _Part[State]) -> _Part[State]:
        """The motion up to the next event, or to the end of the step if there is none."""
        state, left, _, _ = carry
        ahead = flow(state, left)
        free = reduce(lambda p, q: p & q, (e.guard(ahead) >= 0 for e in events))
        return ra.cond(
            free,
            lambda: (ahead, 0.0, *carry[2:]),
            lambda: _meet(flow, events, carry, dt),
        )

    state, left, _, last = ra.while_loop(
        lambda c: (c[1] > 0) & (c[2] < most), part, (state, 1.0 * dt, 0, 0), max_steps=most + 1
    )
    holds = [partial(e.hold, state, left) for e in events]
    return ra.cond(left > 0, lambda: ra.switch(last, holds), lambda: state)


def _meet(
    flow: Flow[State], events: Sequence[Event[State]], carry: _Part[State], dt: Scalar
) -> _Part[State]:
    """The same where some guard is behind zero at the end of the flow."""
    state, left, count, last = carry
    resting = _resting(flow, events, state, left, dt)
    modes = [partial(mode, state) for mode in (*(e.hold for e in events), flow)]

    @ra.fn
    def motion(time: Scalar) -> State:
        return ra.switch(resting, [partial(mode, time) for mode in modes])

    first, which = math.inf, 0
    for k, e in enumerate(events):
        time = ra.cond(resting == k, lambda: math.inf, lambda e=e: _falls(e, motion, left, dt))
        which = ra.where(time < first, k, which)
        first = ra.minimum(time, first)

    def happen() -> _Part[State]:
        met = motion(first)
        reset = ra.switch(which, [partial(e.reset, met) for e in events])
        return reset, left - first, count + 1, which

    return ra.cond(first < math.inf, happen, lambda: (motion(left), 0.0, count, last))


def _resting(
    flow: Flow[State], events: Sequence[Event[State]], state: State, left: Scalar, dt: Scalar
) -> Index:
    """Which guard the state is at rest on; the number of events where it is on none."""
    found: Index = len(events)
    for k, e in reversed(list(enumerate(events))):
        gap, rate = ra.jvp(lambda time, e=e: e.guard(flow(state, time)), (0.0,), (1.0,))
        pressed = e.guard(flow(state, left)) < 0
        found = ra.where(pressed & (abs(gap) <= e.slow * dt) & (abs(rate) <= e.slow), k, found)
    return found


def _falls(
    event: Event[State], motion: Callable[[Scalar], State], left: Scalar, dt: Scalar
) -> Scalar:
    """When the guard falls through zero along the motion within `left`; infinity where it does not."""

    def height(time: Scalar) -> Scalar:
        return event.guard(motion(time))

    gap, rate = ra.jvp(height, (0.0,), (1.0,))
    going = (gap <= 0) & (rate < 0)
    leaving = (gap > -event.slow * dt) & (height(left) < 0)
    low, high = ra.where(going, -dt, 0.0), ra.where(going, 0.0, left)
    return ra.cond(going | leaving, lambda: _root(height, low, high), lambda: math.inf)


def _root(f: Callable[[Scalar], Scalar], low: Scalar, high: Scalar) -> Scalar:
    """A root of f between `low`, where it is positive or about to be, and `high`, where it is negative."""

    def solve(g: Callable[[Scalar], Scalar], start: Scalar) -> Scalar:
        def improve(carry: _Bracket) -> _Bracket:
            low, high, x, _ = carry
            value, slope = ra.jvp(g, (x,), (1.0,))
            low, high = ra.where(value > 0, x, low), ra.where(value > 0, high, x)
            newton = x - value / slope
            inside = (newton >= low) & (newton <= high)  # neither holds for NaN
            new = ra.where(inside, newton, 0.5 * (low + high))
            return low, high, new, abs(new - x)

        def moving(carry: _Bracket) -> Condition:
            low, high, _, moved = carry
            return moved > 4e-16 * ra.maximum(abs(low), abs(high))

        return ra.while_loop(moving, improve, (low, high, start, math.inf), max_steps=100)[2]

    return ra.custom_root(f, high, solve, lambda tangent, y: y / tangent(1.0))
