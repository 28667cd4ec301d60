"""Warp on the CPU: all steps in one kernel with one thread, and its generated adjoint, f64.

One launch replaces thousands. Every state and sum has its own place, since Warp's adjoint of a loop in a loop
does not find local sums again, and a contact is a real branch behind a test that has no adjoint.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import warp as wp

from ..program import Array, Program
from .job import (
    CLOCKS,
    DAMPING,
    DT,
    FRICTION,
    GOAL,
    GRAVITY,
    GROUND,
    HIDDEN,
    JOINT_SOFTENING,
    PACE,
    SENSE,
    SLOWEST,
    SOFTENING,
    Job,
)

F = wp.float64
STEP, FALL, FLOOR = wp.constant(F(DT)), wp.constant(F(DT * GRAVITY)), wp.constant(F(GROUND))
DECAY, GRIP, TICK = (
    wp.constant(F(np.exp(-DT * DAMPING))),
    wp.constant(F(FRICTION)),
    wp.constant(F(PACE * DT)),
)
SCALE, SOFT, SLOW = wp.constant(F(SENSE)), wp.constant(F(SOFTENING)), wp.constant(F(-SLOWEST))
SLIP, TENTH = wp.constant(F(JOINT_SOFTENING)), wp.constant(F(2 * np.pi / CLOCKS))
ZERO, ONE = wp.constant(F(0)), wp.constant(F(1))

Row, Table = wp.array(dtype=F), wp.array2d(dtype=F)
Vectors, Places = wp.array2d(dtype=wp.vec2d), wp.array(dtype=wp.vec2d)
Whole, Pairs = wp.array(dtype=int), wp.array2d(dtype=int)


@wp.struct
class Robot:
    """What it is made of; springs come first among the links."""

    head: int
    by_mass: Row
    by_inertia: Row
    owner: Whole
    corner: Places
    ends: Pairs
    offset: Vectors
    stiffness: Row
    rest: Row
    reach: Row
    goal: wp.vec2d


@wp.func
def cross(a: wp.vec2d, b: wp.vec2d) -> F:
    return a[0] * b[1] - a[1] * b[0]


@wp.func
def turned(angle: F, o: wp.vec2d) -> wp.vec2d:
    c = wp.cos(angle)
    s = wp.sin(angle)
    return wp.vec2d(c * o[0] - s * o[1], s * o[0] + c * o[1])


@wp.func
def speed(v: wp.vec2d, w: F, arm: wp.vec2d) -> wp.vec2d:
    return wp.vec2d(v[0] - w * arm[1], v[1] + w * arm[0])


@wp.func
def touches(r: Robot, x: Vectors, v: Vectors, angle: Table, spin: Table, t: int, p: int) -> bool:
    i = r.owner[p]
    arm = turned(angle[t, i], r.corner[p])
    sinking = speed(v[t, i], spin[t, i], arm)[1] - FALL
    return sinking < ZERO and x[t, i][1] + arm[1] - FLOOR + STEP * sinking < ZERO


@wp.func_grad(touches)
def adj_touches(
    r: Robot, x: Vectors, v: Vectors, angle: Table, spin: Table, t: int, p: int, adjoint: bool
):
    """A test has no derivative; the generated adjoint would add zeros, corner by corner."""
    pass


@wp.kernel
def walk(  # noqa: C901, one kernel
    steps: int,
    waves: int,
    units: int,
    n: int,
    corners: int,
    springs: int,
    links: int,
    r: Robot,
    w1: Table,
    b1: Row,
    w2: Table,
    b2: Row,
    x: Vectors,
    v: Vectors,
    angle: Table,
    spin: Table,
    shift: Vectors,
    twist: Table,
    senses: Table,
    sums: Table,
    hidden: Table,
    outs: Table,
    told: Table,
    loss: Row,
):
    for t in range(steps):
        for j in range(waves):
            senses[t, j] = wp.sin(TICK * F(t) + TENTH * F(j))
        for i in range(n):
            apart = x[t, i] - x[t, r.head]
            at = waves + 6 * i
            senses[t, at] = SCALE * apart[0]
            senses[t, at + 1] = SCALE * apart[1]
            senses[t, at + 2] = SCALE * v[t, i][0]
            senses[t, at + 3] = SCALE * v[t, i][1]
            senses[t, at + 4] = SCALE * angle[t, i]
            senses[t, at + 5] = SCALE * spin[t, i]
        senses[t, waves + 6 * n] = r.goal[0]
        senses[t, waves + 6 * n + 1] = r.goal[1]
        for i in range(units):
            sums[t, i] = b1[i]
            for j in range(waves + 6 * n + 2):
                sums[t, i] += w1[i, j] * senses[t, j]
            hidden[t, i] = wp.tanh(sums[t, i])
        for s in range(springs):
            outs[t, s] = b2[s]
            for i in range(units):
                outs[t, s] += w2[s, i] * hidden[t, i]
            told[t, s] = wp.tanh(outs[t, s])
        for i in range(n):
            v[t + 1, i] = DECAY * v[t, i] - wp.vec2d(ZERO, FALL)
            spin[t + 1, i] = DECAY * spin[t, i]
            shift[t, i] = x[t, i]
            twist[t, i] = angle[t, i]
        for p in range(corners):
            if touches(r, x, v, angle, spin, t, p):
                i = r.owner[p]
                arm = turned(angle[t, i], r.corner[p])
                u = speed(v[t, i], spin[t, i], arm) - wp.vec2d(ZERO, FALL)
                height = x[t, i][1] + arm[1] - FLOOR
                up = -u[1] / (r.by_mass[i] + r.by_inertia[i] * arm[0] * arm[0])
                along = -u[0] / (r.by_mass[i] + r.by_inertia[i] * arm[1] * arm[1])
                impulse = wp.vec2d(wp.clamp(along, -GRIP * up, GRIP * up), up)
                tau = wp.clamp(-height / wp.min(u[1], SLOW), ZERO, STEP)
                kick = r.by_mass[i] * impulse
                turn = r.by_inertia[i] * cross(arm + STEP * u, impulse)
                v[t + 1, i] += kick
                spin[t + 1, i] += turn
                shift[t, i] -= tau * kick
                twist[t, i] -= tau * turn
        for m in range(links):
            a = r.ends[m, 0]
            b = r.ends[m, 1]
            ra = turned(angle[t, a], r.offset[m, 0])
            rb = turned(angle[t, b], r.offset[m, 1])
            d = x[t, a] + ra - x[t, b] - rb
            if m < springs:
                relaxed = r.rest[m] * (ONE + r.reach[m] * told[t, m])
                push = STEP * r.stiffness[m] * (ONE - relaxed / (wp.length(d) + SOFT)) * d
                v[t + 1, a] -= r.by_mass[a] * push
                v[t + 1, b] += r.by_mass[b] * push
                spin[t + 1, a] -= r.by_inertia[a] * cross(ra, push)
                spin[t + 1, b] += r.by_inertia[b] * cross(rb, push)
            else:
                q = speed(v[t, a], spin[t, a], ra) - speed(v[t, b], spin[t, b], rb)
                e = q / (wp.length(q) + SLIP)
                ca = cross(e, ra)
                cb = cross(e, rb)
                give = r.by_mass[a] + r.by_inertia[a] * ca * ca
                give2 = r.by_mass[b] + r.by_inertia[b] * cb * cb
                hold = STEP * r.stiffness[m] * d + q / (give + give2)
                v[t + 1, a] -= r.by_mass[a] * hold
                v[t + 1, b] += r.by_mass[b] * hold
                spin[t + 1, a] -= r.by_inertia[a] * cross(ra, hold)
                spin[t + 1, b] += r.by_inertia[b] * cross(rb, hold)
        for i in range(n):
            x[t + 1, i] = shift[t, i] + STEP * v[t + 1, i]
            angle[t + 1, i] = twist[t, i] + STEP * spin[t + 1, i]
    loss[0] = wp.length(x[steps, r.head] - r.goal)


def robot(job: Job) -> Any:
    body = job.body

    def fixed(values: Array, dtype: Any = F) -> Any:
        return wp.array(np.ascontiguousarray(values), dtype=dtype, device="cpu")

    made = Robot()
    made.head, made.goal = body.head, wp.vec2d(*GOAL)
    made.by_mass, made.by_inertia = fixed(1 / body.bodies.mass), fixed(1 / body.bodies.inertia)
    made.owner = fixed(body.bodies.owner.astype(np.int32), int)
    made.corner = fixed(body.bodies.offset, wp.vec2d)
    both = body.springs, body.joints
    made.ends = fixed(np.concatenate([part.ends for part in both]).astype(np.int32), int)
    made.offset = fixed(np.concatenate([part.offset for part in both]), wp.vec2d)
    made.stiffness = fixed(np.concatenate([part.stiffness for part in both]))
    made.rest, made.reach = fixed(body.rest), fixed(body.reach)
    return made


def program(job: Job) -> Program:
    n, steps, body = job.boxes, job.steps, job.body
    k, muscles = len(body.muscles), body.muscles
    wp.load_module(device="cpu")

    def real(*shape: int, dtype: Any = F) -> Any:
        return wp.zeros(shape, dtype=dtype, device="cpu", requires_grad=True)

    weights = [real(HIDDEN, job.senses), real(HIDDEN), real(k, HIDDEN), real(k)]
    x, v = real(steps + 1, n, dtype=wp.vec2d), real(steps + 1, n, dtype=wp.vec2d)
    states = [x, v, real(steps + 1, n), real(steps + 1, n)]
    states += [real(steps, n, dtype=wp.vec2d), real(steps, n)]
    widths = (job.senses, HIDDEN, HIDDEN, k, k)
    states += [real(steps, width) for width in widths]
    result = real(1)
    x.numpy()[0], states[2].numpy()[0] = body.start.position, body.start.angle
    links = k + len(body.joints.ends)
    inputs = [steps, CLOCKS, HIDDEN, n, len(body.bodies.owner), k, links]
    adjoints = [None] * len(inputs) + [Robot()] + [None] * (len(weights) + len(states) + 1)
    inputs += [robot(job), *weights, *states, result]
    settings = {"dim": 1, "inputs": inputs, "device": "cpu", "record_cmd": True}
    forward = wp.launch(walk, **settings)
    backward = wp.launch(walk, adjoint=True, adj_inputs=adjoints, **settings)

    def loss(given: Array) -> float:
        w1, b1, w2, b2 = job.blocks(given)
        for place, values in zip(weights, (w1, b1, w2[muscles], b2[muscles]), strict=True):
            place.numpy()[:] = values
        forward.launch()
        return float(result.numpy()[0])

    def gradient(given: Array) -> tuple[float, Array]:
        value = loss(given)
        for part in (*weights, *states):
            part.grad.zero_()
        result.grad.fill_(1.0)
        backward.launch()
        slope = np.zeros_like(given)
        w1, b1, w2, b2 = job.blocks(slope)
        w1[:], b1[:], w2[muscles], b2[muscles] = (part.grad.numpy() for part in weights)
        return value, slope

    tape = 2 * sum(part.numpy().nbytes for part in states)
    return Program(gradient, loss, lambda: tape)
