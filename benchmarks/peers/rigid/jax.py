"""JAX: `lax.scan` over the steps, f64, one jit.

Bodies, corners and links are axes of arrays. Ends of links are gathered by constant indices, and their impulses
summed by a constant matrix. What a step computes is kept for the reverse: to compute it again takes longer.
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
    FRICTION,
    GOAL,
    GRAVITY,
    GROUND,
    JOINT_SOFTENING,
    PACE,
    SENSE,
    SLOWEST,
    SOFTENING,
    Job,
)

jax.config.update("jax_enable_x64", True)
jax.config.update("jax_platforms", "cpu")
jax.config.update("jax_cpu_enable_async_dispatch", False)  # we wait for each answer anyway

Value = jax.Array
State = tuple[Value, Value, Value, Value, Value, Value]  # x, y, angle, vx, vy, spin of the boxes


def length(x: Value, y: Value) -> Value:
    """|(x, y)|, with derivative zero at zero."""
    square = x * x + y * y
    some = square > 0
    return jnp.where(some, jnp.sqrt(jnp.where(some, square, 1.0)), 0.0)


def walk(job: Job):
    body, n = job.body, job.boxes
    by_mass, by_inertia = 1 / body.bodies.mass, 1 / body.bodies.inertia
    corners = body.bodies.offset.reshape(n, 4, 2)
    joints, springs = body.joints, body.springs
    ends = np.concatenate([springs.ends, joints.ends])
    offset = np.concatenate([springs.offset, joints.offset])
    stiffness = DT * np.concatenate([springs.stiffness, joints.stiffness])
    count = len(body.rest)
    a, b = ends.T
    # what an impulse on the first end of each link adds to each box, and on the second; the transposes gather
    onto_a, onto_b = ((np.arange(n)[:, None] == end).astype(float) for end in (a, b))
    decay, goal = np.exp(-DT * DAMPING), jnp.array(GOAL)
    clocks = np.arange(job.steps)[:, None] * PACE * DT + 2 * np.pi / CLOCKS * np.arange(CLOCKS)
    clocks = jnp.array(np.sin(clocks))

    def contact(state: State, c: Value, s: Value):
        """Changes of vx, vy, spin and of x, y, angle."""
        _, y, _, vx, vy, spin = (part[:, None] for part in state)
        ox, oy = corners[..., 0], corners[..., 1]
        rx, ry = c[:, None] * ox - s[:, None] * oy, s[:, None] * ox + c[:, None] * oy
        ux, uy = vx - spin * ry, vy + spin * rx - DT * GRAVITY
        height = y + ry - GROUND
        hits = (uy < 0) & (height + DT * uy < 0)
        up = jnp.where(hits, -uy / (by_mass[:, None] + by_inertia[:, None] * rx * rx), 0.0)
        along = -ux / (by_mass[:, None] + by_inertia[:, None] * ry * ry)
        jx = jnp.clip(along, -FRICTION * up, FRICTION * up)
        tau = jnp.clip(-height / jnp.minimum(uy, -SLOWEST), 0.0, DT)
        turn = (rx + DT * ux) * up - (ry + DT * uy) * jx
        kicks = by_mass[:, None] * jx, by_mass[:, None] * up, by_inertia[:, None] * turn
        return [kick.sum(1) for kick in kicks], [-(tau * kick).sum(1) for kick in kicks]

    def end(motion: Value, onto: Array, k: int):
        """The arm, place and velocity of one end of each link."""
        x, y, vx, vy, spin, c, s = motion @ onto
        ox, oy = offset[:, k, 0], offset[:, k, 1]
        rx, ry = c * ox - s * oy, s * ox + c * oy
        return rx, ry, x + rx, y + ry, vx - spin * ry, vy + spin * rx

    def links(state: State, c: Value, s: Value, told: Value):
        """Changes of vx, vy and spin."""
        x, y, _, vx, vy, spin = state
        motion = jnp.stack([x, y, vx, vy, spin, c, s])
        ax, ay, pax, pay, uax, uay = end(motion, onto_a, 0)
        bx, by, pbx, pby, ubx, uby = end(motion, onto_b, 1)
        dx, dy = pax - pbx, pay - pby
        rest = body.rest * (1 + body.reach * told)
        relaxed = rest / (length(dx[:count], dy[:count]) + SOFTENING)
        pull = stiffness * (1 - jnp.concatenate([relaxed, np.zeros(len(joints.ends))]))
        qx, qy = (uax - ubx)[count:], (uay - uby)[count:]
        fast = length(qx, qy) + JOINT_SOFTENING
        i, j = a[count:], b[count:]
        give = by_mass[i] + by_inertia[i] * ((ax[count:] * qy - ay[count:] * qx) / fast) ** 2
        give += by_mass[j] + by_inertia[j] * ((bx[count:] * qy - by[count:] * qx) / fast) ** 2
        none = np.zeros(count)
        jx = pull * dx + jnp.concatenate([none, qx / give])
        jy = pull * dy + jnp.concatenate([none, qy / give])
        on_a = jnp.stack([jx, jy, ax * jy - ay * jx]) @ onto_a.T
        on_b = jnp.stack([jx, jy, bx * jy - by * jx]) @ onto_b.T
        return (on_b - on_a) * np.stack([by_mass, by_mass, by_inertia])

    def step(net, state: State, clock: Value) -> tuple[State, None]:
        w1, b1, w2, b2 = net
        x, y, angle, vx, vy, spin = state
        apart = x - x[body.head], y - y[body.head]
        seen = SENSE * jnp.stack([*apart, vx, vy, angle, spin], axis=1).reshape(-1)
        hidden = jnp.tanh(w1 @ jnp.concatenate([clock, seen, goal]) + b1)
        told = jnp.tanh(w2 @ hidden + b2)
        c, s = jnp.cos(angle), jnp.sin(angle)
        kicks, shifts = contact(state, c, s)
        pulls = links(state, c, s, told)
        fall = (0.0, -DT * GRAVITY, 0.0)
        parts = zip((vx, vy, spin), kicks, pulls, fall, strict=True)
        speeds = [decay * v + kick + pull + g for v, kick, pull, g in parts]
        places = zip((x, y, angle), speeds, shifts, strict=True)
        return (*(p + DT * v + shift for p, v, shift in places), *speeds), None

    def loss(weights: Value) -> Value:
        w1, b1, w2, b2 = job.blocks(weights)
        net = (w1, b1, w2[body.muscles], b2[body.muscles])
        place, zero = body.start.position, jnp.zeros(n)
        start = (*map(jnp.array, (place[:, 0], place[:, 1], body.start.angle)), zero, zero, zero)
        (x, y, *_), _ = lax.scan(jax.checkpoint(lambda s, c: step(net, s, c)), start, clocks)
        return length(x[body.head] - GOAL[0], y[body.head] - GOAL[1])

    return loss


def reverse(job: Job) -> Program:
    alone = jax.jit(walk(job))
    both = jax.jit(jax.value_and_grad(walk(job)))

    def gradient(weights: Array) -> tuple[float, Array]:
        value, slope = both(weights)
        return float(value), np.asarray(slope)

    return Program(gradient, lambda weights: float(alone(weights)))
