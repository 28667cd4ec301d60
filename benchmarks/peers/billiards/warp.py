"""Warp on the CPU: all steps in one kernel with one thread, and its generated adjoint, f64.

One launch replaces thousands. Each state has its own place, as Warp's adjoint wants it, and a
contact is a real branch behind a test that has no adjoint, so that the reverse run too does
its arithmetic for collisions alone.
"""

from __future__ import annotations

import numpy as np
import warp as wp

from ..program import Array, Program
from .job import DIAMETER, DT, EPSILON, GOAL, RESTITUTION, SLOWEST, Table

STEP = wp.constant(wp.float64(DT))
TOUCH = wp.constant(wp.float64(DIAMETER))
TOUCH_SQUARED = wp.constant(wp.float64(DIAMETER**2))
SOFT = wp.constant(wp.float64(EPSILON))
SLOW = wp.constant(wp.float64(SLOWEST))
BOUNCE = wp.constant(wp.float64(-(1 + RESTITUTION) / 2))
ZERO = wp.constant(wp.float64(0))

States = wp.array2d(dtype=wp.vec2d)


@wp.func
def collides(position: States, velocity: States, t: int, i: int, j: int) -> bool:
    speed = velocity[t, i] - velocity[t, j]
    gap = position[t, i] - position[t, j] + STEP * speed
    return wp.dot(gap, gap) < TOUCH_SQUARED and wp.dot(gap, speed) < ZERO


@wp.func_grad(collides)
def adj_collides(position: States, velocity: States, t: int, i: int, j: int, adjoint: bool):
    """A test has no derivative; the generated adjoint would add zeros, pair by pair."""
    pass


@wp.func
def impulse_of(gap: wp.vec2d, speed: wp.vec2d) -> wp.vec2d:
    normal = gap / (wp.length(gap) + SOFT)
    return BOUNCE * wp.dot(normal, speed) * normal


@wp.func
def past_of(gap: wp.vec2d, speed: wp.vec2d) -> wp.float64:
    distance = wp.length(gap)
    approach = wp.dot(gap, speed) / (distance + SOFT)
    return wp.min((distance - TOUCH) / wp.min(SLOW, approach) - STEP, ZERO)


@wp.kernel
def play(
    steps: int,
    balls: int,
    goal: wp.vec2d,
    position: States,
    velocity: States,
    loss: wp.array(dtype=wp.float64),
):
    for t in range(steps):
        for i in range(balls):
            velocity[t + 1, i] = velocity[t, i]
            position[t + 1, i] = position[t, i] + STEP * velocity[t, i]
        for i in range(balls):
            for j in range(i + 1, balls):
                if collides(position, velocity, t, i, j):
                    speed = velocity[t, i] - velocity[t, j]
                    gap = position[t, i] - position[t, j] + STEP * speed
                    impulse = impulse_of(gap, speed)
                    jump = (past_of(gap, speed) + STEP) * impulse
                    velocity[t + 1, i] += impulse
                    velocity[t + 1, j] -= impulse
                    position[t + 1, i] += jump
                    position[t + 1, j] -= jump
    miss = position[steps, balls - 1] - goal
    loss[0] = wp.dot(miss, miss)


class Arrays:
    """A trajectory and, where wanted, its adjoint."""

    def __init__(self, table: Table, requires_grad: bool) -> None:
        shape = (table.steps + 1, table.balls)
        settings = {"device": "cpu", "requires_grad": requires_grad}
        self.position = wp.zeros(shape, dtype=wp.vec2d, **settings)
        self.velocity = wp.zeros(shape, dtype=wp.vec2d, **settings)
        self.loss = wp.zeros(1, dtype=wp.float64, **settings)
        self.position.numpy()[0] = table.positions()
        self.velocity.numpy()[0] = table.velocities()

    def set_cue(self, cue: Array) -> None:
        self.position.numpy()[0, 0] = cue[:2]
        self.velocity.numpy()[0, 0] = cue[2:]


def program(table: Table) -> Program:
    arrays = Arrays(table, requires_grad=True)
    inputs = [table.steps, table.balls, wp.vec2d(*GOAL)]
    inputs += [arrays.position, arrays.velocity, arrays.loss]
    wp.load_module(device="cpu")
    settings = {"dim": 1, "inputs": inputs, "device": "cpu", "record_cmd": True}
    forward = wp.launch(play, **settings)
    backward = wp.launch(play, adjoint=True, adj_inputs=[None] * len(inputs), **settings)
    adjoints = [array.grad for array in (arrays.position, arrays.velocity)]

    def loss(cue: Array) -> float:
        arrays.set_cue(cue)
        forward.launch()
        return float(arrays.loss.numpy()[0])

    def gradient(cue: Array) -> tuple[float, Array]:
        value = loss(cue)
        for adjoint in adjoints:
            adjoint.zero_()
        arrays.loss.grad.fill_(1.0)
        backward.launch()
        return value, np.concatenate([adjoint.numpy()[0, 0] for adjoint in adjoints])

    tape = 4 * arrays.position.numpy().nbytes  # states and their adjoints
    return Program(gradient, loss, lambda: tape)
