"""CasADi: a function finds the next event's number, a Switch goes to one SX function for each event, f64.

The shot is played twice, by `mapaccum`: once to find the numbers of its events, once with them given, and only
the second is differentiated. A Switch evaluates one of its functions only, in the adjoint too. `generated`
compiles CasADi's own C with gcc -O3; `machine` runs its virtual machine, which needs no compiler.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations

import casadi as ca
import numpy as np

from ..billiards.casadi import compile_c, program
from ..program import Program
from .job import CUSHION, GOAL, HEIGHT, RADIUS, RESTITUTION, TARGET, WIDTH, Job

SIDES = (WIDTH - RADIUS, HEIGHT - RADIUS)
SQUARE = 4 * RADIUS**2
HALF_BOUNCE = (1 + RESTITUTION) / 2 / SQUARE


def parts(state: ca.SX, balls: int) -> tuple[ca.SX, ca.SX]:
    """Positions and velocities, a column a ball."""
    half = 2 * balls
    return ca.reshape(state[:half], 2, balls), ca.reshape(state[half:], 2, balls)


def number_of_next(balls: int) -> ca.Function:
    """The number of the event that is next: pairs first, then cushions across the axes of each ball."""
    state = ca.SX.sym("state", 4 * balls)
    x, v = parts(state, balls)
    first, number = ca.SX(ca.inf), ca.SX(0)
    found = []
    for i, j in combinations(range(balls), 2):
        gap, relative = x[:, i] - x[:, j], v[:, i] - v[:, j]
        b, c = ca.dot(gap, relative), ca.dot(gap, gap) - SQUARE
        square = b * b - ca.dot(relative, relative) * c
        found.append((ca.logic_and(b < 0, square > 0), c / (ca.sqrt(square) - b)))
    for i in range(balls):
        for k in range(2):
            wall = ca.if_else(v[k, i] > 0, SIDES[k], RADIUS)
            found.append((v[k, i] != 0, (wall - x[k, i]) / v[k, i]))
    for k, (happens, time) in enumerate(found):
        sooner = ca.logic_and(happens, time < first)
        first = ca.if_else(sooner, time, first)
        number = ca.if_else(sooner, k, number)
    return ca.Function("next", [state], [number])


def events(balls: int) -> list[ca.Function]:
    """For each number, the state just after that event."""

    def function(name: str, of: Callable[[ca.SX, ca.SX], tuple[ca.SX, ca.SX]]) -> ca.Function:
        state = ca.SX.sym("state", 4 * balls)
        x, v = of(*parts(state, balls))
        return ca.Function(name, [state], [ca.vertcat(ca.vec(x), ca.vec(v))])

    def pair(i: int, j: int) -> Callable[[ca.SX, ca.SX], tuple[ca.SX, ca.SX]]:
        def of(x: ca.SX, v: ca.SX) -> tuple[ca.SX, ca.SX]:
            gap, relative = x[:, i] - x[:, j], v[:, i] - v[:, j]
            b, c = ca.dot(gap, relative), ca.dot(gap, gap) - SQUARE
            time = c / (ca.sqrt(b * b - ca.dot(relative, relative) * c) - b)
            moved, after = x + time * v, ca.SX(v)
            gap = moved[:, i] - moved[:, j]
            impulse = HALF_BOUNCE * ca.dot(gap, relative) * gap
            after[:, i] -= impulse
            after[:, j] += impulse
            return moved, after

        return of

    def cushion(i: int, k: int) -> Callable[[ca.SX, ca.SX], tuple[ca.SX, ca.SX]]:
        def of(x: ca.SX, v: ca.SX) -> tuple[ca.SX, ca.SX]:
            time = (ca.if_else(v[k, i] > 0, SIDES[k], RADIUS) - x[k, i]) / v[k, i]
            after = ca.SX(v)
            after[k, i] *= -CUSHION
            return x + time * v, after

        return of

    pairs = [function(f"pair{i}{j}", pair(i, j)) for i, j in combinations(range(balls), 2)]
    sides = [function(f"side{i}{k}", cushion(i, k)) for i in range(balls) for k in range(2)]
    return pairs + sides


def functions(job: Job) -> tuple[ca.Function, ca.Function]:
    """One function from the cue to the loss, and one to the loss and its gradient."""
    n = job.balls
    branches = events(n)
    happen = ca.Function.conditional("happen", branches[:-1], branches[-1])
    find = number_of_next(n)

    now, number = ca.MX.sym("state", 4 * n), ca.MX.sym("number")
    going = ca.Function("going", [now], [happen(find(now), now), find(now)])
    known = ca.Function("known", [now, number], [happen(number, now)])
    cue = ca.MX.sym("cue", 4)
    start = ca.vertcat(cue[:2], job.positions.ravel()[2:], cue[2:], np.zeros(2 * n - 2))

    def miss(final: ca.MX) -> ca.MX:
        return ca.sumsqr(final[2 * TARGET : 2 * TARGET + 2] - ca.DM(GOAL))

    # one level of all events: what is kept is small
    final, numbers = going.mapaccum("play", job.events, {"base": job.events})(start)
    alone = ca.Function("loss", [cue], [miss(final[:, -1])])
    looked = ca.Function("looked", [cue], [numbers])

    given = ca.MX.sym("numbers", 1, job.events)
    again = known.mapaccum("replay", job.events, {"base": job.events})(start, given)
    value = miss(again[:, -1])
    slope = ca.Function("slope", [cue, given], [value, ca.gradient(value, cue)])
    both = ca.Function("both", [cue], slope(cue, looked(cue)))
    return alone, both


def machine(job: Job) -> Program:
    return program(*functions(job))


def generated(job: Job) -> Program:
    return program(*compile_c(*functions(job)))
