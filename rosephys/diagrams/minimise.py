"""L-BFGS as a compiled program: a descent of a diagram is one call, whose steps cost what its energy does.

The direction is that of the two loops (Nocedal 1980) over the last `KEPT` steps; it is tried whole, then
shortened by the parabola through what is known, until the energy falls by 1e-4 of what the slope promises
(Armijo 1966). A step that no shortening saves forgets what was kept, or, where nothing is, ends the descent.

Source: Nocedal, Wright, *Numerical Optimization*, second edition, 2006, algorithms 7.4 and 3.1.
`solve/quasi_newton.py` is the same in Python, for any scene.
"""

from __future__ import annotations

from typing import Any

import rose_ad as ra

from .energy import Places, Tables, energy

KEPT = 8  # steps that are remembered
SHORTENED = 20  # times that a step is at most
FIRST = 5.0  # pixels that the first step moves everything together
FADING = 0.8  # of what was gained on the way to now
SETTLED = 1e-5  # of the energy: who gains less a step has arrived
EXACT = 1e-9  # square pixels: so little is nothing

_slope = ra.value_and_grad(energy)


@ra.struct
class Memory:
    """The last steps and what they changed of the slope, (KEPT, n), one over their products (KEPT,), and how
    many there were."""

    steps: ra.Vec
    changes: ra.Vec
    inverse: ra.Vec
    count: ra.Int


@ra.struct
class At:
    """Where a descent is: x (n,), the energy and its slope there."""

    x: ra.Vec
    value: ra.Real
    slope: ra.Vec


@ra.fn
def descend(places: Places, tables: Tables, hard: ra.Real, soft: ra.Real, updates: ra.Int) -> Any:
    """Where a descent of at most so many updates leads from some places, and the energy there."""
    shape = places.points.shape
    n, m = shape[0] * shape[1], places.sizes.shape[0]

    def parted(x: Any) -> Places:
        return Places(ra.reshape(x[:n], shape), x[n:])

    def at(x: Any) -> At:
        value, slope = _slope(parted(x), tables, hard, soft)
        return At(x, value, ra.concat([ra.reshape(slope.points, (n,)), slope.sizes]))

    def step(state: Any) -> Any:
        now, memory, gain, k, _ = state
        way = _direction(now, memory)
        reached, found = _searched(at, now, way)
        kept = _remembered(memory, now, reached)
        memory = ra.cond(found, lambda: kept, lambda: _nothing(n + m))
        gained = ra.where(
            k == 0, now.value, FADING * gain + (1 - FADING) * (now.value - reached.value)
        )
        stuck = ~found & (state[1].count == 0)
        arrived = found & ((gained < SETTLED * reached.value) | (reached.value < EXACT * hard))
        return reached, memory, gained, k + 1, stuck | arrived

    first = at(ra.concat([ra.reshape(places.points, (n,)), places.sizes]))
    begin = (first, _nothing(n + m), first.value, 0, first.value < EXACT * hard)
    last = ra.while_loop(lambda s: ~s[4] & (s[3] < updates), step, begin)[0]
    return parted(last.x), last.value


def _nothing(n: int) -> Memory:
    return Memory(ra.zeros((KEPT, n)), ra.zeros((KEPT, n)), ra.zeros(KEPT), ra.to_int(0.0))


def _direction(now: At, memory: Memory) -> Any:
    """-H times the slope; where nothing is remembered, straight down by `FIRST`."""
    count = memory.count
    many = ra.where(count < KEPT, count, KEPT)

    def back(j: Any, carry: Any) -> Any:
        q, shares = carry
        i = (count - 1 - j) % KEPT
        share = memory.inverse[i] * ra.dot(memory.steps[i], q)
        return q - share * memory.changes[i], shares.at[i].set(share)

    def forth(j: Any, r: Any) -> Any:
        i = (count - many + j) % KEPT
        turn = memory.inverse[i] * ra.dot(memory.changes[i], r)
        return r + (shares[i] - turn) * memory.steps[i]

    q, shares = ra.fori_loop(0, many, back, (now.slope, ra.zeros(KEPT)))
    last = (count - 1) % KEPT
    change = memory.changes[last]
    steep = ra.sqrt(ra.dot(now.slope, now.slope) + 1e-300)
    scale = ra.where(
        count > 0,
        1 / ra.maximum(memory.inverse[last] * ra.dot(change, change), 1e-300),
        FIRST / steep,
    )
    return -ra.fori_loop(0, many, forth, scale * q)


def _searched(at: Any, now: At, way: Any) -> tuple[At, Any]:
    """Where the energy is low enough along a way, and whether it is anywhere; else where it was."""
    promised = ra.dot(now.slope, way)

    def low(trial: At, length: Any) -> Any:
        return trial.value <= now.value + 1e-4 * length * promised

    def shorter(state: Any) -> Any:
        trial, length, k = state
        excess = trial.value - now.value - length * promised
        parabola = ra.clip(-length * promised / (2 * ra.maximum(excess, 1e-300)), 0.1, 0.5)
        length = length * ra.where(ra.isfinite(parabola), parabola, 0.1)
        return at(now.x + length * way), length, k + 1

    def again(state: Any) -> Any:
        trial, length, k = state
        return ~low(trial, length) & (k < SHORTENED)

    trial, length, _ = ra.while_loop(again, shorter, (at(now.x + way), ra.to_real(1), 0))
    found = low(trial, length) & (promised < 0)
    return ra.cond(found, lambda: trial, lambda: now), found


def _remembered(memory: Memory, now: At, reached: At) -> Memory:
    step, change = reached.x - now.x, reached.slope - now.slope
    product, size = ra.dot(step, change), ra.sqrt(ra.dot(step, step) * ra.dot(change, change))
    i = memory.count % KEPT

    def kept() -> Memory:
        return Memory(
            memory.steps.at[i].set(step),
            memory.changes.at[i].set(change),
            memory.inverse.at[i].set(1 / product),
            memory.count + 1,
        )

    return ra.cond(product > 1e-10 * size, kept, lambda: memory)  # type: ignore[no-any-return]
