"""Random programs of the shape of a contact step, drawn from a seed: loops over pairs, `when` in `when`, a
`cond` inside, in steps of a scan or not. They are made to be vmapped: predicates are of what differs between
the members of a batch (`near`), of what does not (`i != j`, a switch that all share), and of both.

A program is f(q, v, k, c): q and v of BODIES numbers that differ, k an Int and c a Real that need not.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

import numpy as np

import rose_ad as ra

BODIES = 3
Draw = Callable[..., Any]


def program(seed: int) -> Callable[..., Any]:
    """The function of a seed; it draws the same each time it is traced."""

    def f(q: Any, v: Any, k: Any, c: Any) -> Any:
        return _Step(Random(seed), k, c).result(q, v)

    return f


def arguments(seed: int, members: int) -> tuple[Any, ...]:
    """A batch: positions and velocities, an Int and a Real for each member."""
    r = np.random.default_rng(seed)
    q, v = r.uniform(-1, 1, (2, members, BODIES))
    return q, v, r.integers(0, 3, members), r.uniform(-1, 1, members)


class _Step:
    """What is drawn as it is traced. `depth` bounds the nesting."""

    def __init__(self, draw: Random, k: Any, c: Any) -> None:
        self.draw, self.k, self.c = draw, k, c

    def result(self, q: Any, v: Any) -> Any:
        if self.draw.random() < 0.4:
            steps = self.draw.choice((1, 2, 3))
            state = self.draw.getstate()

            def step(_: Any, carry: Any) -> Any:
                self.draw.setstate(state)  # a loop may be traced more than once
                return self.moved(*carry)

            q, v = ra.fori_loop(0, steps, step, (q, v))
            return ra.dot(q, q) + ra.sum(v)
        q, v = self.moved(q, v)
        return ra.dot(q, v) + ra.sum(ra.sin(q))

    def moved(self, q: Any, v: Any) -> Any:
        """A step of time: forces and an energy are added up, and move the bodies."""
        force, energy = ra.accum(BODIES), ra.accum()
        for _ in range(self.draw.choice((1, 1, 2))):
            self.pairs(q, v, (force, energy), self.draw.choice((1, 2, 3)))
        pushed = ra.tanh(v + 0.1 * force.freeze())
        return ra.tanh(q + 0.1 * pushed + 0.01 * energy.freeze()), pushed

    def pairs(self, q: Any, v: Any, into: Any, depth: int) -> None:
        """A loop over pairs, or over bodies."""
        kind = self.draw.choice(("all", "all", "upper", "one", "called"))
        for i in ra.range(BODIES):
            if kind == "one":
                self.block((q[i], v[i]), (i, i), into, depth)
                continue
            for j in ra.range(i + 1 if kind == "upper" else 0, BODIES):
                if kind == "called":
                    into[0][j] += _push(q[i], q[j], self.c)
                self.block((q[i] - q[j], v[i] - v[j]), (i, j), into, depth)

    def block(self, d: Any, ij: Any, into: Any, depth: int) -> None:
        """Statements in the body of a loop or of a `when`."""
        for _ in range(self.draw.choice((1, 1, 2))):
            kind = self.draw.choice(("when", "when", "when", "add", "cond", "otherwise"))
            if depth == 0 or kind == "add":
                self.add(d, ij, into)
            elif kind == "cond":
                near, r, s = self.predicate(d, ij), self.draw.random(), self.draw.random()
                chosen = ra.cond(near, lambda x, r=r: x * r, lambda x, s=s: ra.sin(x - s), d[0])
                into[1].add(into[1].ref, chosen)
            else:
                with ra.when(self.predicate(d, ij)):
                    self.block(d, ij, into, depth - 1)
                if kind == "otherwise":
                    with ra.when(self.predicate(d, ij)):
                        self.block(d, ij, into, depth - 1)

    def add(self, d: Any, ij: Any, into: Any) -> None:
        (x, u), (force, energy) = d, into
        kind = self.draw.choice(("force", "both", "energy", "constant"))
        if kind != "energy":
            force[self.draw.choice(ij)] += 1.0 if kind == "constant" else x * u - self.c
        if kind in ("both", "energy"):
            energy.add(energy.ref, 0.5 * x * x)

    def predicate(self, d: Any, ij: Any) -> Any:
        """One of what is the same in all members, of what differs, or of both."""
        (x, u), (i, j) = d, ij
        near = self.draw.choice((0.01234, 0.31234, 0.81234))
        kinds: list[Callable[[], Any]] = [
            lambda: i != j,
            lambda: i < j,
            lambda: self.k > 0,
            lambda: x * x < near,
            lambda: u > near - 0.5,
            lambda: (i != j) & (x < near),
            lambda: (self.k > 1) | (u < near),
            lambda: ra.where(i < j, x > near, u > near),
        ]
        return self.draw.choice(kinds)()


@ra.fn
def _push(a: Any, b: Any, c: Any) -> Any:
    total = ra.accum()
    with ra.when(a > b):
        with ra.when(c > 0.01234):
            total += (a - b) ** 2
    return total
