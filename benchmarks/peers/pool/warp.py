"""Warp on the CPU, f64: the shot in one kernel, which writes down its events, and a second kernel that plays
these events again, for its generated adjoint: so nothing is looked for in reverse. One thread; each state has
its own place, as Warp's adjoint wants it.
"""

from __future__ import annotations

import numpy as np
import warp as wp

from ..program import Array, Program
from .job import CUSHION, GOAL, HEIGHT, RADIUS, RESTITUTION, TARGET, WIDTH, Job

ZERO = wp.constant(wp.float64(0))
INFINITE = wp.constant(wp.float64(np.inf))
NEAR = wp.constant(wp.float64(RADIUS))
SIDES = wp.constant(wp.vec2d(WIDTH - RADIUS, HEIGHT - RADIUS))
SQUARE = wp.constant(wp.float64(4 * RADIUS**2))
HALF_BOUNCE = wp.constant(wp.float64((1 + RESTITUTION) / 2 / (4 * RADIUS**2)))
BACK = wp.constant(wp.float64(1 + CUSHION))
CHOSEN = wp.constant(TARGET)

States = wp.array2d(dtype=wp.vec2d)
Times = wp.array(dtype=wp.float64)
Events = wp.array(dtype=wp.vec2i)  # a ball, and its partner or -1 - axis


@wp.func
def arrival(x: wp.float64, v: wp.float64, side: wp.float64) -> wp.float64:
    if v > ZERO:
        return (side - x) / v
    return (NEAR - x) / v


@wp.func
def next_event(n: int, balls: int, position: States, velocity: States) -> wp.vec2i:
    first = INFINITE
    ball = int(0)  # noqa: RUF046, UP018 (Warp: a variable, not a constant)
    partner = int(0)  # noqa: RUF046, UP018
    for i in range(balls):
        x = position[n, i]
        v = velocity[n, i]
        for j in range(i + 1, balls):
            gap = x - position[n, j]
            relative = v - velocity[n, j]
            b = wp.dot(gap, relative)
            if b < ZERO:
                c = wp.dot(gap, gap) - SQUARE
                square = b * b - wp.dot(relative, relative) * c
                if square > ZERO:
                    t = c / (wp.sqrt(square) - b)
                    if t < first:
                        first = t
                        ball = i
                        partner = j
        for k in range(2):
            if v[k] != ZERO:
                t = arrival(x[k], v[k], SIDES[k])
                if t < first:
                    first = t
                    ball = i
                    partner = -1 - k
    return wp.vec2i(ball, partner)


@wp.func
def meeting(gap: wp.vec2d, relative: wp.vec2d) -> wp.float64:
    b = wp.dot(gap, relative)
    c = wp.dot(gap, gap) - SQUARE
    return c / (wp.sqrt(b * b - wp.dot(relative, relative) * c) - b)


@wp.func
def happen(n: int, balls: int, i: int, j: int, position: States, velocity: States, times: Times):
    """The event and the motion up to it, from state n to n + 1."""
    if j >= 0:
        times[n] = meeting(position[n, i] - position[n, j], velocity[n, i] - velocity[n, j])
    if j == -1:
        times[n] = arrival(position[n, i][0], velocity[n, i][0], SIDES[0])
    if j == -2:
        times[n] = arrival(position[n, i][1], velocity[n, i][1], SIDES[1])
    for b in range(balls):
        position[n + 1, b] = position[n, b] + times[n] * velocity[n, b]
        velocity[n + 1, b] = velocity[n, b]
    if j >= 0:
        gap = position[n + 1, i] - position[n + 1, j]
        impulse = HALF_BOUNCE * wp.dot(gap, velocity[n, i] - velocity[n, j]) * gap
        velocity[n + 1, i] -= impulse
        velocity[n + 1, j] += impulse
    if j == -1:
        velocity[n + 1, i] -= wp.vec2d(BACK * velocity[n, i][0], ZERO)
    if j == -2:
        velocity[n + 1, i] -= wp.vec2d(ZERO, BACK * velocity[n, i][1])


@wp.kernel(enable_backward=False)
def play(
    balls: int,
    events: Events,
    position: States,
    velocity: States,
    times: Times,
    goal: wp.vec2d,
    loss: Times,
):
    count = int(events.shape[0])
    for n in range(count):
        e = next_event(n, balls, position, velocity)
        events[n] = e
        happen(n, balls, e[0], e[1], position, velocity, times)
    miss = position[count, CHOSEN] - goal
    loss[0] = wp.dot(miss, miss)


@wp.kernel
def replay(
    balls: int,
    events: Events,
    position: States,
    velocity: States,
    times: Times,
    goal: wp.vec2d,
    loss: Times,
):
    count = events.shape[0]
    for n in range(count):
        happen(n, balls, events[n][0], events[n][1], position, velocity, times)
    miss = position[count, CHOSEN] - goal
    loss[0] = wp.dot(miss, miss)


def program(job: Job) -> Program:
    settings = {"device": "cpu", "requires_grad": True}
    shape = (job.events + 1, job.balls)
    position = wp.zeros(shape, dtype=wp.vec2d, **settings)
    velocity = wp.zeros(shape, dtype=wp.vec2d, **settings)
    times = wp.zeros(job.events, dtype=wp.float64, **settings)
    total = wp.zeros(1, dtype=wp.float64, **settings)
    events = wp.zeros(job.events, dtype=wp.vec2i, device="cpu")
    position.numpy()[0] = job.positions
    inputs = [job.balls, events, position, velocity, times, wp.vec2d(*GOAL), total]
    wp.load_module(device="cpu")
    launch = {"dim": 1, "inputs": inputs, "device": "cpu", "record_cmd": True}
    forward = wp.launch(play, **launch)
    backward = wp.launch(replay, adjoint=True, adj_inputs=[None] * len(inputs), **launch)
    # views, taken once
    cue_position, cue_velocity = position.numpy()[0, 0], velocity.numpy()[0, 0]
    adjoints = [array.grad.numpy() for array in (position, velocity, times)]
    value, seed = total.numpy(), total.grad.numpy()

    def loss(cue: Array) -> float:
        cue_position[:], cue_velocity[:] = cue[:2], cue[2:]
        forward.launch()
        return float(value[0])

    def gradient(cue: Array) -> tuple[float, Array]:
        result = loss(cue)
        for adjoint in adjoints:
            adjoint.fill(0.0)
        seed[0] = 1.0
        backward.launch()
        return result, np.concatenate([adjoint[0, 0] for adjoint in adjoints[:2]])

    tape = 2 * (2 * position.numpy().nbytes + times.numpy().nbytes)
    return Program(gradient, loss, lambda: tape)
