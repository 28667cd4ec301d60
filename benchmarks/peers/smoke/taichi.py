"""Taichi: fields with a slice for every step, a few kernels a step and their `.grad`, as in DiffTaichi.

(No postponed annotations here: Taichi reads them at run time.)
"""

import numpy as np
import taichi as ti

from ..billiards.taichi import SETTINGS
from ..program import Array, Program
from .job import SWEEPS, Job


def stepwise(job: Job) -> Program:  # noqa: C901, one function a kernel
    ti.init(arch=ti.cpu, default_fp=ti.f64, **SETTINGS)
    n, steps, h = job.cells, job.steps, 1 / job.cells

    def real(*shape: int):
        return ti.field(ti.f64, shape, needs_grad=True)

    u, w, s = (real(steps + 1, n, n) for _ in range(3))
    a, b, d = (real(steps, n, n) for _ in range(3))
    p = real(steps, SWEEPS + 1, n, n)
    loss_field = real()
    target = ti.field(ti.f64, (n, n))
    target.from_numpy(job.target)
    summed = (u, w, s, a, b, d, p)

    @ti.func
    def inside(k: ti.i32) -> ti.i32:
        return k - n * ti.floor(k / n, ti.i32)

    @ti.func
    def sample(q: ti.template(), t: ti.i32, x: ti.f64, y: ti.f64):
        left, low = ti.floor(x), ti.floor(y)
        fx, fy = x - left, y - low
        i, j = inside(ti.cast(left, ti.i32)), inside(ti.cast(low, ti.i32))
        east, north = inside(i + 1), inside(j + 1)
        return (1 - fx) * ((1 - fy) * q[t, i, j] + fy * q[t, i, north]) + fx * (
            (1 - fy) * q[t, east, j] + fy * q[t, east, north]
        )

    @ti.kernel
    def drift(t: ti.i32):
        ti.loop_config(serialize=True)
        for i, j in ti.ndrange(n, n):
            x, y = i - u[t, i, j], j - w[t, i, j]
            a[t, i, j] = sample(u, t, x, y)
            b[t, i, j] = sample(w, t, x, y)

    @ti.kernel
    def diverge(t: ti.i32):
        ti.loop_config(serialize=True)
        for i, j in ti.ndrange(n, n):
            d[t, i, j] = (-0.5 * h) * (
                a[t, inside(i + 1), j]
                - a[t, inside(i - 1), j]
                + b[t, i, inside(j + 1)]
                - b[t, i, inside(j - 1)]
            )

    @ti.kernel
    def relax(t: ti.i32, k: ti.template()):
        ti.loop_config(serialize=True)
        for i, j in ti.ndrange(n, n):
            p[t, k + 1, i, j] = 0.25 * (
                d[t, i, j]
                + p[t, k, inside(i - 1), j]
                + p[t, k, inside(i + 1), j]
                + p[t, k, i, inside(j - 1)]
                + p[t, k, i, inside(j + 1)]
            )

    @ti.kernel
    def push(t: ti.i32):
        ti.loop_config(serialize=True)
        for i, j in ti.ndrange(n, n):
            east, west = p[t, SWEEPS, inside(i + 1), j], p[t, SWEEPS, inside(i - 1), j]
            north, south = p[t, SWEEPS, i, inside(j + 1)], p[t, SWEEPS, i, inside(j - 1)]
            u[t + 1, i, j] = a[t, i, j] - 0.5 * n * (east - west)
            w[t + 1, i, j] = b[t, i, j] - 0.5 * n * (north - south)

    @ti.kernel
    def blow(t: ti.i32):
        ti.loop_config(serialize=True)
        for i, j in ti.ndrange(n, n):
            s[t + 1, i, j] = sample(s, t, i - u[t + 1, i, j], j - w[t + 1, i, j])

    @ti.kernel
    def measure():
        for i, j in ti.ndrange(n, n):
            loss_field[None] += (s[steps, i, j] - target[i, j]) ** 2 / (n * n)

    @ti.kernel
    def begin(wind: ti.types.ndarray(), smoke: ti.types.ndarray()):
        for i, j in ti.ndrange(n, n):
            u[0, i, j] = wind[0, i, j]
            w[0, i, j] = wind[1, i, j]
            s[0, i, j] = smoke[i, j]

    @ti.kernel
    def collect(slope: ti.types.ndarray()):
        for i, j in ti.ndrange(n, n):
            slope[0, i, j] = u.grad[0, i, j]
            slope[1, i, j] = w.grad[0, i, j]

    def loss(wind: Array) -> float:
        begin(np.ascontiguousarray(job.fields(wind)), job.smoke)
        loss_field[None] = 0.0
        for t in range(steps):
            drift(t)
            diverge(t)
            for k in range(SWEEPS):
                relax(t, k)
            push(t)
            blow(t)
        measure()
        return loss_field[None]

    def gradient(wind: Array) -> tuple[float, Array]:
        value = loss(wind)
        for part in summed:
            part.grad.fill(0)
        loss_field.grad[None] = 1.0
        measure.grad()
        for t in reversed(range(steps)):
            blow.grad(t)
            push.grad(t)
            for k in reversed(range(SWEEPS)):
                relax.grad(t, k)
            diverge.grad(t)
            drift.grad(t)
        slope = np.empty((2, n, n))
        collect(slope)
        return value, slope.ravel()

    def tape_bytes() -> int:
        return 2 * 8 * sum(int(np.prod(part.shape)) for part in summed)

    return Program(gradient, loss, tape_bytes)
