"""Taichi: fields over time, a kernel a step and its `.grad`, f64, one thread.

All parts of a step are loops of their own, as for the robot of springs: Taichi's gradient of all steps in one
kernel is wrong. (No postponed annotations here: Taichi reads them at run time.)
"""

import math
from collections.abc import Callable

import numpy as np
import taichi as ti

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

SETTINGS = {"cpu_max_num_threads": 1, "offline_cache": False, "log_level": ti.ERROR}
DECAY = math.exp(-DT * DAMPING)


class Fields:
    """The weights, the trajectory with what the network thinks in it, and the adjoints of all."""

    def __init__(self, job: Job) -> None:
        steps, n, k = job.steps, job.boxes, len(job.body.muscles)

        def real(*shape: int):
            return ti.field(ti.f64, shape, needs_grad=True)

        def vector(*shape: int):
            return ti.Vector.field(2, ti.f64, shape, needs_grad=True)

        self.w1, self.b1 = real(HIDDEN, job.senses), real(HIDDEN)
        self.w2, self.b2 = real(k, HIDDEN), real(k)
        self.weights = (self.w1, self.b1, self.w2, self.b2)
        self.senses, self.sums = real(steps, job.senses), real(steps, HIDDEN)
        self.hidden, self.outs = real(steps, HIDDEN), real(steps, k)
        self.x, self.v = vector(steps + 1, n), vector(steps + 1, n)
        self.angle, self.spin = real(steps + 1, n), real(steps + 1, n)
        self.kick, self.shift = vector(steps, n), vector(steps, n)  # what impulses sum up to
        self.turn, self.twist = real(steps, n), real(steps, n)
        self.loss = real()
        self.state = (self.x, self.v, self.angle, self.spin)
        self.summed = (self.senses, self.sums, self.hidden, self.outs)
        self.summed += (self.kick, self.shift, self.turn, self.twist)


def constant(values: Array):
    """An array as a field that has no adjoint; rows of two numbers are vectors."""
    if values.ndim > 1 and values.dtype == float:
        field = ti.Vector.field(2, ti.f64, values.shape[:-1])
    else:
        field = ti.field(ti.i32 if values.dtype.kind == "i" else ti.f64, values.shape)
        values = values.astype(np.int32) if values.dtype.kind == "i" else values
    field.from_numpy(np.ascontiguousarray(values))
    return field


@ti.func
def cross(a, b):
    return a[0] * b[1] - a[1] * b[0]


@ti.func
def length(a):
    square, out = a.dot(a), 0.0
    if square > 0.0:
        out = ti.sqrt(square)
    return out


def parts(f: Fields, job: Job) -> list[tuple[Callable, int]]:  # noqa: C901, one function a part
    """The parts of a step, as Taichi functions of the time and an index, and how many indices each has."""
    body, n, width = job.body, job.boxes, job.senses
    k, head = len(body.muscles), body.head
    by_mass, by_inertia = constant(1 / body.bodies.mass), constant(1 / body.bodies.inertia)
    owner, corner = constant(body.bodies.owner), constant(body.bodies.offset)
    springs, joints = (
        (constant(links.ends), constant(links.offset), constant(links.stiffness))
        for links in (body.springs, body.joints)
    )
    rest, reach = constant(body.rest), constant(body.reach)

    @ti.func
    def turned(t, i, offset):
        c, s = ti.cos(f.angle[t, i]), ti.sin(f.angle[t, i])
        return ti.Vector([c * offset[0] - s * offset[1], s * offset[0] + c * offset[1]])

    @ti.func
    def speed(t, i, arm):
        return f.v[t, i] + f.spin[t, i] * ti.Vector([-arm[1], arm[0]])

    @ti.func
    def push(t, i, impulse, arm, tau):
        kick, turn = by_mass[i] * impulse, by_inertia[i] * cross(arm, impulse)
        f.kick[t, i] += kick
        f.turn[t, i] += turn
        f.shift[t, i] += -tau * kick
        f.twist[t, i] += -tau * turn

    @ti.func
    def tick(t, j):
        f.senses[t, j] += ti.sin(PACE * DT * t + 2 * math.pi / CLOCKS * j)

    @ti.func
    def feel(t, i):
        apart = f.x[t, i] - f.x[t, head]
        f.senses[t, CLOCKS + 6 * i] += SENSE * apart[0]
        f.senses[t, CLOCKS + 6 * i + 1] += SENSE * apart[1]
        f.senses[t, CLOCKS + 6 * i + 2] += SENSE * f.v[t, i][0]
        f.senses[t, CLOCKS + 6 * i + 3] += SENSE * f.v[t, i][1]
        f.senses[t, CLOCKS + 6 * i + 4] += SENSE * f.angle[t, i]
        f.senses[t, CLOCKS + 6 * i + 5] += SENSE * f.spin[t, i]

    @ti.func
    def aim(t, _):
        f.senses[t, CLOCKS + 6 * n] += GOAL[0]
        f.senses[t, CLOCKS + 6 * n + 1] += GOAL[1]

    @ti.func
    def think(t, ij):
        i, j = ij // width, ij % width
        f.sums[t, i] += f.w1[i, j] * f.senses[t, j]

    @ti.func
    def squash(t, i):
        f.hidden[t, i] += ti.tanh(f.sums[t, i] + f.b1[i])

    @ti.func
    def tell(t, si):
        s, i = si // HIDDEN, si % HIDDEN
        f.outs[t, s] += f.w2[s, i] * f.hidden[t, i]

    @ti.func
    def touch(t, p):
        i = owner[p]
        arm = turned(t, i, corner[p])
        u = speed(t, i, arm) + ti.Vector([0.0, -DT * GRAVITY])
        height = f.x[t, i][1] + arm[1] - GROUND
        if u[1] < 0.0 and height + DT * u[1] < 0.0:
            up = -u[1] / (by_mass[i] + by_inertia[i] * arm[0] * arm[0])
            along = -u[0] / (by_mass[i] + by_inertia[i] * arm[1] * arm[1])
            along = ti.max(ti.min(along, FRICTION * up), -FRICTION * up)
            tau = ti.max(ti.min(-height / ti.min(u[1], -SLOWEST), DT), 0.0)
            push(t, i, ti.Vector([along, up]), arm + DT * u, tau)

    @ti.func
    def pull(t, s):
        ends, offset, stiffness = ti.static(springs)
        a, b = ends[s, 0], ends[s, 1]
        ra, rb = turned(t, a, offset[s, 0]), turned(t, b, offset[s, 1])
        d = f.x[t, a] + ra - f.x[t, b] - rb
        relaxed = rest[s] * (1 + reach[s] * ti.tanh(f.outs[t, s] + f.b2[s]))
        impulse = DT * stiffness[s] * (1 - relaxed / (length(d) + SOFTENING)) * d
        push(t, a, -impulse, ra, 0.0)
        push(t, b, impulse, rb, 0.0)

    @ti.func
    def hold(t, s):
        ends, offset, stiffness = ti.static(joints)
        a, b = ends[s, 0], ends[s, 1]
        ra, rb = turned(t, a, offset[s, 0]), turned(t, b, offset[s, 1])
        d = f.x[t, a] + ra - f.x[t, b] - rb
        q = speed(t, a, ra) - speed(t, b, rb)
        e = q / (length(q) + JOINT_SOFTENING)
        ca, cb = cross(e, ra), cross(e, rb)
        give = by_mass[a] + by_inertia[a] * ca * ca + by_mass[b] + by_inertia[b] * cb * cb
        impulse = DT * stiffness[s] * d + q / give
        push(t, a, -impulse, ra, 0.0)
        push(t, b, impulse, rb, 0.0)

    @ti.func
    def move(t, i):
        v = DECAY * f.v[t, i] + f.kick[t, i] + ti.Vector([0.0, -DT * GRAVITY])
        w = DECAY * f.spin[t, i] + f.turn[t, i]
        f.v[t + 1, i] += v
        f.spin[t + 1, i] += w
        f.x[t + 1, i] += f.x[t, i] + DT * v + f.shift[t, i]
        f.angle[t + 1, i] += f.angle[t, i] + DT * w + f.twist[t, i]

    return [
        (tick, CLOCKS),
        (feel, n),
        (aim, 1),
        (think, HIDDEN * width),
        (squash, HIDDEN),
        (tell, k * HIDDEN),
        (touch, len(body.bodies.owner)),
        (pull, k),
        (hold, len(body.joints.ends)),
        (move, n),
    ]


def stepwise(job: Job) -> Program:  # noqa: C901, kernels must be closures
    ti.init(arch=ti.cpu, default_fp=ti.f64, **SETTINGS)
    f, body = Fields(job), job.body
    functions = parts(f, job)
    places, angles = constant(body.start.position), constant(body.start.angle)
    count, muscles = job.boxes, body.muscles

    @ti.kernel
    def step(t: ti.i32):
        for part, indices in ti.static(functions):
            ti.loop_config(serialize=True)
            for i in range(indices):
                part(t, i)

    @ti.kernel
    def begin():
        for i in range(count):
            f.x[0, i] = places[i]
            f.angle[0, i] = angles[i]

    @ti.kernel
    def measure():
        miss = f.x[job.steps, body.head] - ti.Vector(GOAL)
        f.loss[None] += miss.norm()

    def loss(weights: Array) -> float:
        for part in (*f.summed, *f.state):
            part.fill(0)
        w1, b1, w2, b2 = job.blocks(weights)
        for part, values in zip(f.weights, (w1, b1, w2[muscles], b2[muscles]), strict=True):
            part.from_numpy(np.ascontiguousarray(values))
        begin()
        f.loss[None] = 0.0
        for t in range(job.steps):
            step(t)
        measure()
        return f.loss[None]

    def gradient(weights: Array) -> tuple[float, Array]:
        value = loss(weights)
        for part in (*f.summed, *f.state, *f.weights):
            part.grad.fill(0)
        f.loss.grad[None] = 1.0
        measure.grad()
        for t in reversed(range(job.steps)):
            step.grad(t)
        slope = np.zeros_like(weights)
        w1, b1, w2, b2 = job.blocks(slope)
        w1[:], b1[:], w2[muscles], b2[muscles] = (p.grad.to_numpy() for p in f.weights)
        return value, slope

    def tape_bytes() -> int:
        return 2 * sum(part.to_numpy().nbytes for part in (*f.summed, *f.state))

    return Program(gradient, loss, tape_bytes)
