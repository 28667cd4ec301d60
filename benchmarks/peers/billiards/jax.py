"""JAX: `lax.scan` over the steps, `lax.cond` around the contact, f64, one jit.

Three things make it fast: the test asks for touching *and* approaching balls (neighbours in the
triangle touch all the time, so distance alone would take the branch at every step), it is cut
off from differentiation, and in `reverse` a `jax.checkpoint` keeps the pairs' intermediates off
the scan's residuals. `forward` pushes four tangents through instead: with four inputs it wins.
"""

from __future__ import annotations

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from ..program import Array, Program
from .job import DIAMETER, DT, EPSILON, GOAL, RESTITUTION, SLOWEST, Table

jax.config.update("jax_enable_x64", True)
jax.config.update("jax_platforms", "cpu")
jax.config.update("jax_cpu_enable_async_dispatch", False)  # we wait for each answer anyway

Value = jax.Array
State = tuple[Value, Value]


def collide(ahead: Value, velocity: Value) -> State:
    """The state after a step in which some of the ordered pairs collide."""
    gap = ahead[:, None] - ahead[None]
    squared = jnp.sum(gap**2, axis=-1)
    near = (squared < DIAMETER**2) & ~jnp.eye(len(ahead), dtype=bool)
    distance = jnp.sqrt(jnp.where(near, squared, 1.0))
    normal = gap / (distance + EPSILON)[..., None]
    approach = jnp.sum(normal * (velocity[:, None] - velocity[None]), axis=-1)
    hit = near & (approach < 0)
    impulse = (-(1 + RESTITUTION) / 2 * jnp.where(hit, approach, 0.0))[..., None] * normal
    impact = (distance - DIAMETER) / jnp.minimum(SLOWEST, approach)
    past = jnp.minimum(impact - DT, 0.0)[..., None]
    moved = ahead + jnp.sum((past + DT) * impulse, axis=1)
    return moved, velocity + jnp.sum(impulse, axis=1)


def differences(column: Value) -> Value:
    return column[:, None] - column[None]


def collides(ahead: Value, velocity: Value) -> Value:
    gap_x, gap_y = differences(ahead[:, 0]), differences(ahead[:, 1])
    speed_x, speed_y = differences(velocity[:, 0]), differences(velocity[:, 1])
    touching = gap_x * gap_x + gap_y * gap_y < DIAMETER**2
    return jnp.any(touching & (gap_x * speed_x + gap_y * speed_y < 0))


def step_with(collide: Callable[[Value, Value], State]) -> Callable:
    def step(state: State, _: None) -> tuple[State, None]:
        position, velocity = state
        ahead = position + DT * velocity
        some = collides(*lax.stop_gradient((ahead, velocity)))
        return lax.cond(some, collide, lambda *miss: miss, ahead, velocity), None

    return step


def play(table: Table, step: Callable) -> Callable[[Value], Value]:
    positions, velocities = table.positions(), table.velocities()

    def loss(cue: Value) -> Value:
        start = (
            jnp.array(positions).at[0].set(cue[:2]),
            jnp.array(velocities).at[0].set(cue[2:]),
        )
        (final, _), _ = lax.scan(step, start, None, length=table.steps)
        return jnp.sum((final[-1] - jnp.array(GOAL)) ** 2)

    return loss


def reverse(table: Table) -> Program:
    step = step_with(jax.checkpoint(collide, prevent_cse=False))  # a scan needs no barriers
    return program(table, jax.value_and_grad(play(table, step)))


def forward(table: Table) -> Program:
    loss = play(table, step_with(collide))

    def both(cue: Value) -> State:
        push = jax.vmap(lambda d: jax.jvp(loss, (cue,), (d,)), out_axes=(None, 0))
        return push(jnp.eye(4))

    return program(table, both)


def program(table: Table, both: Callable[[Value], State]) -> Program:
    both = jax.jit(both)
    alone = jax.jit(play(table, step_with(collide)))

    def gradient(cue: Array) -> tuple[float, Array]:
        value, slope = both(cue)
        return float(value), np.asarray(slope)

    return Program(gradient, lambda cue: float(alone(cue)))
