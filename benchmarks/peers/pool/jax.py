"""JAX: `lax.scan` over the events, f64, one jit.

Which event comes next is found by one argmin over the times of all pairs and cushions, cut off from
differentiation; the time of the chosen one alone is then differentiated. Two balls, or one and a cushion, are
picked by weights (1 at the ball, -1 at its partner) rather than by indices, since XLA's scatters, which gathers
become in reverse, are slow. `forward` pushes four tangents through instead.
"""

from __future__ import annotations

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from ..program import Array, Program
from .job import CUSHION, GOAL, HEIGHT, RADIUS, RESTITUTION, TARGET, WIDTH, Job

jax.config.update("jax_enable_x64", True)
jax.config.update("jax_platforms", "cpu")
jax.config.update("jax_cpu_enable_async_dispatch", False)  # we wait for each answer anyway

Value = jax.Array
State = tuple[Value, Value, Value, Value]  # x, y, vx, vy of the balls

SIDES = (WIDTH - RADIUS, HEIGHT - RADIUS)
HALF_BOUNCE = (1 + RESTITUTION) / 2 / (4 * RADIUS**2)


def meeting(dx: Value, dy: Value, ux: Value, uy: Value) -> tuple[Value, Value]:
    """When, and whether at all."""
    b = dx * ux + dy * uy
    c = dx * dx + dy * dy - 4 * RADIUS**2
    square = b * b - (ux * ux + uy * uy) * c
    meets = (b < 0) & (square > 0)
    return c / (jnp.sqrt(jnp.where(meets, square, 1.0)) - jnp.where(meets, b, -1.0)), meets


def arrival(x: Value, v: Value, side: float | Value) -> Value:
    moves = v != 0
    wall = jnp.where(v > 0, side, RADIUS)
    return jnp.where(moves, (wall - x) / jnp.where(moves, v, 1.0), jnp.inf)


def shot(job: Job) -> Callable[[Value], Value]:
    n = job.balls
    first, second = np.triu_indices(n, 1)
    pairs = np.zeros((len(first), n))  # 1 at the first ball, -1 at the second
    pairs[np.arange(len(first)), first], pairs[np.arange(len(first)), second] = 1, -1
    one = np.eye(n)
    # of each event: its weights, and whether it is at a cushion, and across which axis
    weights = jnp.array(np.concatenate([pairs, one, one]))
    ends = len(pairs), len(pairs) + n

    def next_event(state: State) -> Value:
        x, y, vx, vy = state
        difference = [part[first] - part[second] for part in state]
        times, meets = meeting(*difference)
        times = jnp.where(meets, times, jnp.inf)
        at_sides = arrival(x, vx, SIDES[0]), arrival(y, vy, SIDES[1])
        return jnp.argmin(jnp.concatenate([times, *at_sides]))

    def event(state: State, _: None) -> tuple[State, None]:
        k = next_event(lax.stop_gradient(state))
        w, two, across_y = weights[k], k < ends[0], k >= ends[1]
        x, y, vx, vy = state
        dx, dy, ux, uy = (jnp.sum(w * part) for part in state)
        time = jnp.where(
            two,
            meeting(dx, dy, ux, uy)[0],
            arrival(
                jnp.where(across_y, dy, dx),
                jnp.where(two, 1.0, jnp.where(across_y, uy, ux)),
                jnp.where(across_y, SIDES[1], SIDES[0]),
            ),
        )
        dx, dy = dx + time * ux, dy + time * uy
        along = HALF_BOUNCE * (dx * ux + dy * uy)
        jx = jnp.where(two, along * dx, jnp.where(across_y, 0.0, (1 + CUSHION) * ux))
        jy = jnp.where(two, along * dy, jnp.where(across_y, (1 + CUSHION) * uy, 0.0))
        return (x + time * vx, y + time * vy, vx - w * jx, vy - w * jy), None

    def loss(cue: Value) -> Value:
        x, y = jnp.array(job.positions).T
        still = jnp.zeros(n)
        start = tuple(part.at[0].set(cue[k]) for k, part in enumerate((x, y, still, still)))
        (x, y, *_), _ = lax.scan(event, start, None, length=job.events)
        return (x[TARGET] - GOAL[0]) ** 2 + (y[TARGET] - GOAL[1]) ** 2

    return loss


def reverse(job: Job) -> Program:
    return program(job, jax.value_and_grad(shot(job)))


def forward(job: Job) -> Program:
    loss = shot(job)

    def both(cue: Value) -> tuple[Value, Value]:
        push = jax.vmap(lambda d: jax.jvp(loss, (cue,), (d,)), out_axes=(None, 0))
        return push(jnp.eye(4))

    return program(job, both)


def program(job: Job, both: Callable[[Value], tuple[Value, Value]]) -> Program:
    both, alone = jax.jit(both), jax.jit(shot(job))

    def gradient(cue: Array) -> tuple[float, Array]:
        value, slope = both(cue)
        return float(value), np.asarray(slope)

    return Program(gradient, lambda cue: float(alone(cue)))
