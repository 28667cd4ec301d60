"""JAX: `lax.scan` over the steps, f64, one jit.

Gathers and scatters beat products with the springs' incidence matrix, and what a step computes is kept for the
reverse: to compute it again takes longer.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from ..program import Array, Program
from .job import (
    CLOCKS,
    DAMPING,
    DT,
    GOAL,
    GRAVITY,
    GROUND,
    PACE,
    SENSE,
    SLOWEST,
    SOFTENING,
    STIFFNESS,
    STRENGTH,
    Job,
)

jax.config.update("jax_enable_x64", True)
jax.config.update("jax_platforms", "cpu")
jax.config.update("jax_cpu_enable_async_dispatch", False)  # we wait for each answer anyway

Value = jax.Array
State = tuple[Value, Value]


def walk(job: Job):
    rest, muscles = jnp.array(job.rest), jnp.array(job.muscles)
    a, b = job.springs.T
    goal, masses = jnp.array(GOAL), jnp.array(job.masses)
    clocks = np.arange(job.steps)[:, None] * PACE * DT + 2 * np.pi / CLOCKS * np.arange(CLOCKS)
    clocks = jnp.array(np.sin(clocks))

    def step(weights, state: State, clock: Value) -> tuple[State, None]:
        w1, b1, w2, b2 = weights
        x, v = state
        centre = x.mean(0)
        seen = SENSE * jnp.concatenate([x - centre, v], axis=1).reshape(-1)
        hidden = jnp.tanh(w1 @ jnp.concatenate([clock, seen, goal - centre]) + b1)
        signal = jnp.tanh(w2 @ hidden + b2)
        length = rest.at[muscles].multiply(1 + STRENGTH * signal, unique_indices=True)
        apart = x[a] - x[b]
        square = jnp.sum(apart * apart, axis=1)
        pull = DT * STIFFNESS * (1 - length / (jnp.sqrt(square) + SOFTENING))
        impulse = pull[:, None] * apart
        w = np.exp(-DT * DAMPING) * v - jnp.array([0.0, DT * GRAVITY])
        w = w.at[a].add(-impulse).at[b].add(impulse)
        y, sinking = x[:, 1], w[:, 1]
        lands = (y + DT * sinking < GROUND) & (sinking < -SLOWEST)
        impact = (GROUND - y) / jnp.where(lands, sinking, -1.0)
        x = x + jnp.where(lands, impact, DT)[:, None] * w
        return (x, jnp.where(lands[:, None], 0.0, w)), None

    def loss(weights: Value) -> Value:
        w1, b1, w2, b2 = job.blocks(weights)
        net = (w1, b1, w2[muscles], b2[muscles])
        start = masses, jnp.zeros_like(masses)
        (x, _), _ = lax.scan(lambda s, c: step(net, s, c), start, clocks)
        return -x[0, 0]

    return loss


def reverse(job: Job) -> Program:
    alone = jax.jit(walk(job))
    both = jax.jit(jax.value_and_grad(walk(job)))

    def gradient(weights: Array) -> tuple[float, Array]:
        value, slope = both(weights)
        return float(value), np.asarray(slope)

    return Program(gradient, lambda weights: float(alone(weights)))
