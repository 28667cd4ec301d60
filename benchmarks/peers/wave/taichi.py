"""Taichi: a field with a slice for every step and a border of zeros, a kernel a step and its `.grad`, as in
DiffTaichi.

(No postponed annotations here: Taichi reads them at run time.)
"""

import numpy as np
import taichi as ti

from ..billiards.taichi import SETTINGS
from ..program import Array, Program
from .job import BEND, BENT, Job


def stepwise(job: Job) -> Program:  # noqa: C901, one function a kernel
    ti.init(arch=ti.cpu, default_fp=ti.f64, **SETTINGS)
    n, steps = job.cells, job.steps
    p = ti.field(ti.f64, (steps + 2, n + 2, n + 2), needs_grad=True)
    loss_field = ti.field(ti.f64, (), needs_grad=True)
    target = ti.field(ti.f64, (n, n))
    target.from_numpy(job.target)

    @ti.func
    def around(t: ti.i32, i: ti.i32, j: ti.i32):
        return p[t, i - 1, j] + p[t, i + 1, j] + p[t, i, j - 1] + p[t, i, j + 1] - 4 * p[t, i, j]

    @ti.kernel
    def move(t: ti.i32):
        ti.loop_config(serialize=True)
        for i, j in ti.ndrange((1, n + 1), (1, n + 1)):
            p[t + 2, i, j] = (
                2 * p[t + 1, i, j]
                - p[t, i, j]
                + BEND * around(t + 1, i, j)
                - BENT * around(t, i, j)
            )

    @ti.kernel
    def measure():
        for i, j in ti.ndrange(n, n):
            loss_field[None] += (p[steps + 1, i + 1, j + 1] - target[i, j]) ** 2 / (n * n)

    @ti.kernel
    def begin(shape: ti.types.ndarray()):
        for i, j in ti.ndrange(n, n):
            p[0, i + 1, j + 1] = shape[i, j]

    @ti.kernel
    def collect(slope: ti.types.ndarray()):
        for i, j in ti.ndrange(n, n):
            slope[i, j] = p.grad[0, i + 1, j + 1]

    def loss(shape: Array) -> float:
        begin(np.ascontiguousarray(job.field(shape)))
        loss_field[None] = 0.0
        for t in range(steps):
            move(t)
        measure()
        return loss_field[None]

    def gradient(shape: Array) -> tuple[float, Array]:
        value = loss(shape)
        p.grad.fill(0)
        loss_field.grad[None] = 1.0
        measure.grad()
        for t in reversed(range(steps)):
            move.grad(t)
        slope = np.empty((n, n))
        collect(slope)
        return value, slope.ravel()

    return Program(gradient, loss, lambda: 2 * 8 * int(np.prod(p.shape)))
