"""Taichi: fields over time, kernels and their `.grad`, f64, one thread.

A kernel a step, all of whose parts are loops of their own. All steps in one kernel, which serves billiards
well, takes a third of the time, but the gradient that Taichi 1.7 makes of it is wrong.
(No postponed annotations here: Taichi reads them at run time.)
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
    GOAL,
    GRAVITY,
    GROUND,
    HIDDEN,
    PACE,
    SENSE,
    SLOWEST,
    SOFTENING,
    STIFFNESS,
    STRENGTH,
    Job,
)

Play = tuple[Callable[[], None], Callable[[], None]]  # forward, and its adjoint

SETTINGS = {"cpu_max_num_threads": 1, "offline_cache": False, "log_level": ti.ERROR}
DECAY = math.exp(-DT * DAMPING)


class Fields:
    """The weights, the trajectory with what the network thinks in it, and the adjoints of all."""

    def __init__(self, job: Job) -> None:
        steps, n, m, k = job.steps, len(job.masses), len(job.springs), len(job.muscles)

        def real(*shape: int):
            return ti.field(ti.f64, shape, needs_grad=True)

        self.w1, self.b1 = real(HIDDEN, job.senses), real(HIDDEN)
        self.w2, self.b2 = real(k, HIDDEN), real(k)
        self.weights = (self.w1, self.b1, self.w2, self.b2)
        self.senses, self.sums = real(steps, job.senses), real(steps, HIDDEN)
        self.hidden, self.outs, self.length = real(steps, HIDDEN), real(steps, k), real(steps, m)
        self.loss = real()
        shape = (steps + 1, n)
        self.x = ti.Vector.field(2, ti.f64, shape, needs_grad=True)
        self.v = ti.Vector.field(2, ti.f64, shape, needs_grad=True)
        self.push = ti.Vector.field(2, ti.f64, (steps, n), needs_grad=True)
        self.centre = ti.Vector.field(2, ti.f64, steps, needs_grad=True)
        self.a, self.b, self.muscle = (ti.field(ti.i32, size) for size in (m, m, k))
        self.rest = ti.field(ti.f64, m)
        self.a.from_numpy(job.springs[:, 0].astype(np.int32))
        self.b.from_numpy(job.springs[:, 1].astype(np.int32))
        self.muscle.from_numpy(job.muscles.astype(np.int32))
        self.rest.from_numpy(job.rest)
        for i in range(n):
            self.x[0, i] = job.masses[i]

    @property
    def summed(self) -> tuple:
        """What steps add into, which must be zero before them."""
        return (self.senses, self.sums, self.hidden, self.outs, self.length, self.push, self.centre)


def parts(f: Fields, job: Job) -> list[tuple[Callable, int]]:  # noqa: C901, one function a part
    """The parts of a step, as Taichi functions of the time and an index, and how many indices each has.

    No part has a loop of its own: sums over senses run over pairs.
    """
    n, m, k = len(job.masses), len(job.springs), len(job.muscles)
    width = job.senses

    @ti.func
    def centre(t, i):
        f.centre[t] += f.x[t, i] / n

    @ti.func
    def tick(t, j):
        f.senses[t, j] += ti.sin(PACE * DT * t + 2 * math.pi / CLOCKS * j)

    @ti.func
    def feel(t, i):
        offset = SENSE * (f.x[t, i] - f.centre[t])
        speed = SENSE * f.v[t, i]
        f.senses[t, CLOCKS + 4 * i] += offset[0]
        f.senses[t, CLOCKS + 4 * i + 1] += offset[1]
        f.senses[t, CLOCKS + 4 * i + 2] += speed[0]
        f.senses[t, CLOCKS + 4 * i + 3] += speed[1]

    @ti.func
    def aim(t, _):
        f.senses[t, CLOCKS + 4 * n] += GOAL[0] - f.centre[t][0]
        f.senses[t, CLOCKS + 4 * n + 1] += GOAL[1] - f.centre[t][1]

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
    def relax(t, s):
        f.length[t, s] += f.rest[s]

    @ti.func
    def flex(t, s):
        f.length[t, f.muscle[s]] += f.rest[f.muscle[s]] * STRENGTH * ti.tanh(f.outs[t, s] + f.b2[s])

    @ti.func
    def pull(t, s):
        apart = f.x[t, f.a[s]] - f.x[t, f.b[s]]
        length = apart.norm() + SOFTENING
        impulse = DT * STIFFNESS * (length - f.length[t, s]) / length * apart
        f.push[t, f.a[s]] += -impulse
        f.push[t, f.b[s]] += impulse

    @ti.func
    def move(t, i):
        w = DECAY * f.v[t, i] + f.push[t, i] + ti.Vector([0.0, -DT * GRAVITY])
        y = f.x[t, i][1]
        if y + DT * w[1] < GROUND and w[1] < -SLOWEST:
            f.x[t + 1, i] += f.x[t, i] - (y - GROUND) / w[1] * w
        else:
            f.x[t + 1, i] += f.x[t, i] + DT * w
            f.v[t + 1, i] += w

    return [
        (centre, n),
        (tick, CLOCKS),
        (feel, n),
        (aim, 1),
        (think, HIDDEN * width),
        (squash, HIDDEN),
        (tell, k * HIDDEN),
        (relax, m),
        (flex, k),
        (pull, m),
        (move, n),
    ]


def a_kernel_a_step(f: Fields, job: Job) -> Play:
    functions = parts(f, job)

    @ti.kernel
    def step(t: ti.i32):
        for part, count in ti.static(functions):
            ti.loop_config(serialize=True)
            for i in range(count):
                part(t, i)

    def play() -> None:
        for t in range(job.steps):
            step(t)

    def play_backwards() -> None:
        for t in reversed(range(job.steps)):
            step.grad(t)

    return play, play_backwards


def stepwise(job: Job) -> Program:
    ti.init(arch=ti.cpu, default_fp=ti.f64, **SETTINGS)
    f = Fields(job)
    run, run_backwards = a_kernel_a_step(f, job)
    masses = ti.field(ti.f64, job.masses.shape)
    masses.from_numpy(job.masses)
    count = len(job.masses)

    @ti.kernel
    def begin():
        for i in range(count):
            f.x[0, i] = ti.Vector([masses[i, 0], masses[i, 1]])

    @ti.kernel
    def measure():
        f.loss[None] += -f.x[job.steps, 0][0]

    def loss(weights: Array) -> float:
        for part in (*f.summed, f.x, f.v):
            part.fill(0)
        w1, b1, w2, b2 = job.blocks(weights)
        taken = (w1, b1, w2[job.muscles], b2[job.muscles])
        for part, values in zip(f.weights, taken, strict=True):
            part.from_numpy(np.ascontiguousarray(values))
        begin()
        f.loss[None] = 0.0
        run()
        measure()
        return f.loss[None]

    def gradient(weights: Array) -> tuple[float, Array]:
        value = loss(weights)
        for part in (*f.summed, f.x, f.v, *f.weights):
            part.grad.fill(0)
        f.loss.grad[None] = 1.0
        measure.grad()
        run_backwards()
        slope = np.zeros_like(weights)
        w1, b1, w2, b2 = job.blocks(slope)
        w1[:], b1[:], w2[job.muscles], b2[job.muscles] = (p.grad.to_numpy() for p in f.weights)
        return value, slope

    def tape_bytes() -> int:
        return 2 * sum(part.to_numpy().nbytes for part in (*f.summed, f.x, f.v))

    return Program(gradient, loss, tape_bytes)
