"""JAX: `lax.scan` over the steps, f64, one jit. Neighbours by `roll`.

Of three ways to gather, each with and without `checkpoint`, two: four gathers by pairs of indices, which is
the fastest where what a step computes is kept, and one gather from the flat field, the fastest where only
states are.
"""

from __future__ import annotations

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from ..program import Array, Program
from .job import SWEEPS, Job

jax.config.update("jax_enable_x64", True)
jax.config.update("jax_platforms", "cpu")
jax.config.update("jax_cpu_enable_async_dispatch", False)  # we wait for each answer anyway

Value = jax.Array


def four_gathers(q: Value, i: Value, east: Value, j: Value, north: Value) -> tuple[Value, ...]:
    return q[i, j], q[i, north], q[east, j], q[east, north]


def one_gather(q: Value, i: Value, east: Value, j: Value, north: Value) -> tuple[Value, ...]:
    n = len(q)
    return tuple(
        q.reshape(-1)[jnp.stack([i * n + j, i * n + north, east * n + j, east * n + north])]
    )


def blown(job: Job, gather: Callable, wrap: Callable):
    n, h = job.cells, 1 / job.cells
    smoke, target = jnp.array(job.smoke), jnp.array(job.target)
    rows, columns = jnp.meshgrid(jnp.arange(n), jnp.arange(n), indexing="ij")

    def carried(u: Value, w: Value):
        x, y = rows - u, columns - w
        left, low = jnp.floor(x), jnp.floor(y)
        fx, fy = x - left, y - low
        i, j = left.astype(jnp.int32) % n, low.astype(jnp.int32) % n
        east, north = (i + 1) % n, (j + 1) % n

        def take(q: Value) -> Value:
            a, b, c, d = gather(q, i, east, j, north)
            return (1 - fx) * ((1 - fy) * a + fy * b) + fx * ((1 - fy) * c + fy * d)

        return take

    def beside(q: Value, axis: int) -> tuple[Value, Value]:
        return jnp.roll(q, 1, axis), jnp.roll(q, -1, axis)

    def step(state: tuple[Value, ...], _: None) -> tuple[tuple[Value, ...], None]:
        u, w, s = state
        take = carried(u, w)
        u, w = take(u), take(w)
        west, east = beside(u, 0)
        south, north = beside(w, 1)
        d = -0.5 * h * (east - west + north - south)
        p = d / 4
        for _ in range(SWEEPS - 1):
            p = (d + sum(beside(p, 0)) + sum(beside(p, 1))) / 4
        west, east = beside(p, 0)
        south, north = beside(p, 1)
        u, w = u - 0.5 * n * (east - west), w - 0.5 * n * (north - south)
        return (u, w, carried(u, w)(s)), None

    def loss(wind: Value) -> Value:
        u, w = job.fields(wind)
        (_, _, s), _ = lax.scan(wrap(step), (u, w, smoke), None, length=job.steps)
        return jnp.mean((s - target) ** 2)

    return loss


def program(job: Job, gather: Callable, wrap: Callable) -> Program:
    alone = jax.jit(blown(job, gather, wrap))
    both = jax.jit(jax.value_and_grad(blown(job, gather, wrap)))

    def gradient(wind: Array) -> tuple[float, Array]:
        value, slope = both(wind)
        return float(value), np.asarray(slope)

    return Program(gradient, lambda wind: float(alone(wind)))


def reverse(job: Job) -> Program:
    return program(job, four_gathers, lambda step: step)


def checkpointed(job: Job) -> Program:
    return program(job, one_gather, jax.checkpoint)
