"""Rosephys itself: the shot as one would write it, with branches and loops over balls, in two ways.

`shot` looks for the least time and goes on with it. `known` keeps in its state which event is the next: found
without a derivative, it is remembered with the rest of the state, and only its time is differentiated.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

import rose_ad as ra

from ..program import Program
from .job import CUSHION, GOAL, HEIGHT, RADIUS, RESTITUTION, TARGET, WIDTH, Job

SIDES = np.array([WIDTH - RADIUS, HEIGHT - RADIUS])


def meeting(x: Any, v: Any, i: Any, j: Any, use: Any, otherwise: Any) -> Any:
    """use(when) of when balls i and j meet; `otherwise` if they do not."""
    gap, relative = x[i] - x[j], v[i] - v[j]
    b = ra.dot(gap, relative)

    def approach() -> Any:
        c = ra.dot(gap, gap) - 4 * RADIUS**2
        square = b * b - ra.dot(relative, relative) * c
        return ra.cond(square > 0, lambda: use(c / (ra.sqrt(square) - b)), lambda: otherwise)

    return ra.cond(b < 0, approach, lambda: otherwise)


def arrival(x: Any, v: Any, i: Any, axis: Any, use: Any, otherwise: Any) -> Any:
    """use(when) of when ball i is at a cushion across the axis."""
    speed = v[i, axis]
    wall = ra.where(speed > 0, ra.array(SIDES)[axis], RADIUS)
    return ra.cond(speed != 0, lambda: use((wall - x[i, axis]) / speed), lambda: otherwise)


def itself(time: Any) -> Any:
    return time


def next_event(x: Any, v: Any) -> Any:
    """When it is, the ball, and its partner or -1 - axis."""
    n = x.shape[0]
    first: Any = (math.inf, 0, 0)

    def sooner(i: Any, j: Any, first: Any) -> Any:
        return lambda t: ra.cond(t < first[0], lambda: (t, i, j), lambda: first)

    def pair(i: Any, j: Any, first: Any) -> Any:
        return meeting(x, v, i, j, sooner(i, j, first), first)

    def cushion(i: Any, k: Any, first: Any) -> Any:
        return arrival(x, v, i, k, sooner(i, -1 - k, first), first)

    for i in range(n):
        first = ra.fori_loop(i + 1, n, lambda j, first, i=i: pair(i, j, first), first)
        first = cushion(i, 1, cushion(i, 0, first))
    return first


def after(x: Any, v: Any, time: Any, i: Any, j: Any) -> Any:
    """The state just after that event."""
    x = x + time * v
    dv = ra.accum(v.shape)
    with ra.when(j >= 0):
        gap = x[i] - x[j]
        impulse = (1 + RESTITUTION) / 2 / (4 * RADIUS**2) * ra.dot(gap, v[i] - v[j]) * gap
        dv[i] -= impulse
        dv[j] += impulse
    with ra.when(j < 0):
        dv[i, -1 - j] -= (1 + CUSHION) * v[i, -1 - j]
    return x, v + dv


def play(job: Job, x: Any, v: Any) -> Any:
    return ra.fori_loop(0, job.events, lambda _, s: after(*s, *next_event(*s)), (x, v))[0]


def play_known(job: Job, x: Any, v: Any) -> Any:
    def find(x: Any, v: Any) -> Any:
        return next_event(ra.stop_gradient(x), ra.stop_gradient(v))[1:]

    def event(_: Any, state: Any) -> Any:
        x, v, i, j = state
        time = ra.cond(
            j >= 0,
            lambda: meeting(x, v, i, j, itself, math.inf),
            lambda: arrival(x, v, i, -1 - j, itself, math.inf),
        )
        x, v = after(x, v, time, i, j)
        return x, v, *find(x, v)

    return ra.fori_loop(0, job.events, event, (x, v, *find(x, v)))[0]


def program(job: Job, play: Any) -> Program:
    positions = job.positions

    @ra.fn
    def loss(cue: ra.Vec[4, ra.Real]) -> ra.Real:
        places = ra.array(positions)
        x = ra.build(job.balls, lambda k: ra.where(k == 0, cue[:2], places[k]))
        v = ra.build(job.balls, lambda k: ra.where(k == 0, cue[2:], np.zeros(2)))
        miss = play(job, x, v)[TARGET] - np.array(GOAL)
        return ra.dot(miss, miss)

    both = ra.value_and_grad(loss)
    return Program(both, loss, lambda: both.lower(job.start()).memory)


def shot(job: Job) -> Program:
    return program(job, play)


def known(job: Job) -> Program:
    return program(job, play_known)
