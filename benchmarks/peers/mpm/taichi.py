"""Taichi: particles of all steps in fields, f64, one thread; the grid in a single copy.

As DiffTaichi writes it: the adjoint of a step clears the grid, runs particles-to-grid and the grid again, and
then the `.grad` of grid-to-particles, grid and particles-to-grid, a kernel each.
(No postponed annotations here: Taichi reads them at run time.)
"""

import math

import numpy as np
import taichi as ti

from ..program import Array, Program
from .job import (
    DT,
    EMPTY,
    GRAVITY,
    MARGIN,
    MUSCLES,
    NODES,
    PACE,
    STIFFNESS,
    STRENGTH,
    WAVES,
    Job,
)

SETTINGS = {"cpu_max_num_threads": 1, "offline_cache": False, "log_level": ti.ERROR}
DX = 1 / NODES


def program(job: Job) -> Program:  # noqa: C901, one kernel a part
    ti.init(arch=ti.cpu, default_fp=ti.f64, **SETTINGS)
    n, steps = len(job.particles), job.steps

    def real(*shape: int):
        return ti.field(ti.f64, shape, needs_grad=True)

    def vectors(*shape: int):
        return ti.Vector.field(2, ti.f64, shape, needs_grad=True)

    def matrices(*shape: int):
        return ti.Matrix.field(2, 2, ti.f64, shape, needs_grad=True)

    weights, bias, signal = real(MUSCLES, WAVES), real(MUSCLES), real(steps, MUSCLES)
    x, v = vectors(steps + 1, n), vectors(steps + 1, n)
    C, F = matrices(steps + 1, n), matrices(steps + 1, n)
    momentum, velocity, mass = vectors(NODES, NODES), vectors(NODES, NODES), real(NODES, NODES)
    result = real()
    muscle = ti.field(ti.i32, n)
    muscle.from_numpy(job.muscles.astype(np.int32))
    points = ti.field(ti.f64, (n, 2))
    points.from_numpy(job.particles)

    @ti.kernel
    def begin():
        for p in range(n):
            x[0, p] = ti.Vector([points[p, 0], points[p, 1]])
            F[0, p] = ti.Matrix([[1.0, 0.0], [0.0, 1.0]])

    @ti.kernel
    def clear():
        for i, j in momentum:
            momentum[i, j] = [0.0, 0.0]
            mass[i, j] = 0.0
            velocity[i, j] = [0.0, 0.0]
            momentum.grad[i, j] = [0.0, 0.0]
            mass.grad[i, j] = 0.0
            velocity.grad[i, j] = [0.0, 0.0]

    @ti.kernel
    def drive(t: ti.i32):
        for i in range(MUSCLES):
            total = 0.0
            for j in ti.static(range(WAVES)):
                total += weights[i, j] * ti.sin(PACE * t * DT + 2 * math.pi / WAVES * j)
            signal[t, i] = ti.tanh(total + bias[i])

    @ti.kernel
    def to_grid(t: ti.i32):
        for p in range(n):
            base = ti.cast(x[t, p] / DX - 0.5, ti.i32)
            f = x[t, p] / DX - ti.cast(base, ti.f64)
            w = [0.5 * (1.5 - f) ** 2, 0.75 - (f - 1) ** 2, 0.5 * (f - 0.5) ** 2]
            new = (ti.Matrix.identity(ti.f64, 2) + DT * C[t, p]) @ F[t, p]
            j = new[0, 0] * new[1, 1] - new[0, 1] * new[1, 0]
            F[t + 1, p] = new
            a, b = new[0, 0] + new[1, 1], new[1, 0] - new[0, 1]
            h = 1.0 / ti.sqrt(a * a + b * b)
            r = ti.Matrix([[a * h, -b * h], [b * h, a * h]])
            number = muscle[p]
            pull = 0.0
            if number >= 0:
                pull = STRENGTH * signal[t, ti.max(number, 0)]
            stretch = ti.Matrix([[0.0, 0.0], [0.0, pull]])
            stress = (
                2 * STIFFNESS * (new - r) @ new.transpose()
                + ti.Matrix.identity(ti.f64, 2) * (STIFFNESS * (j - 1) * j)
                + new @ stretch @ new.transpose()
            )
            affine = -(DT * 4 / DX**2) * stress + C[t, p]
            for i in ti.static(range(3)):
                for k in ti.static(range(3)):
                    offset = ti.Vector([i, k])
                    apart = (ti.cast(offset, ti.f64) - f) * DX
                    weight = w[i][0] * w[k][1]
                    momentum[base + offset] += weight * (v[t, p] + affine @ apart)
                    mass[base + offset] += weight

    @ti.kernel
    def on_grid():
        for i, j in momentum:
            u = momentum[i, j] / (mass[i, j] + EMPTY)
            u[1] -= DT * GRAVITY
            if (
                (i < MARGIN and u[0] < 0)
                or (i > NODES - MARGIN and u[0] > 0)
                or (j < MARGIN and u[1] < 0)
                or (j > NODES - MARGIN and u[1] > 0)
            ):
                u = ti.Vector([0.0, 0.0])
            velocity[i, j] = u

    @ti.kernel
    def to_particles(t: ti.i32):
        for p in range(n):
            base = ti.cast(x[t, p] / DX - 0.5, ti.i32)
            f = x[t, p] / DX - ti.cast(base, ti.f64)
            w = [0.5 * (1.5 - f) ** 2, 0.75 - (f - 1.0) ** 2, 0.5 * (f - 0.5) ** 2]
            mean = ti.Vector([0.0, 0.0])
            spread = ti.Matrix([[0.0, 0.0], [0.0, 0.0]])
            for i in ti.static(range(3)):
                for k in ti.static(range(3)):
                    offset = ti.Vector([i, k])
                    apart = ti.cast(offset, ti.f64) - f
                    node = w[i][0] * w[k][1] * velocity[base + offset]
                    mean += node
                    spread += 4 / DX * node.outer_product(apart)
            v[t + 1, p] = mean
            x[t + 1, p] = x[t, p] + DT * mean
            C[t + 1, p] = spread

    @ti.kernel
    def measure():
        for p in range(n):
            result[None] += -x[steps, p][0] / n

    def loss(numbers: Array) -> float:
        w, b = job.blocks(numbers)
        weights.from_numpy(np.ascontiguousarray(w))
        bias.from_numpy(np.ascontiguousarray(b))
        result[None] = 0.0
        begin()
        for t in range(steps):
            clear()
            drive(t)
            to_grid(t)
            on_grid()
            to_particles(t)
        measure()
        return result[None]

    def gradient(numbers: Array) -> tuple[float, Array]:
        value = loss(numbers)
        for part in (weights, bias, signal, x, v, C, F):
            part.grad.fill(0)
        result.grad[None] = 1.0
        measure.grad()
        for t in reversed(range(steps)):
            clear()
            to_grid(t)
            on_grid()
            to_particles.grad(t)
            on_grid.grad()
            to_grid.grad(t)
            drive.grad(t)
        return value, np.concatenate([weights.grad.to_numpy().ravel(), bias.grad.to_numpy()])

    def tape_bytes() -> int:
        return 2 * 8 * (steps + 1) * n * (2 + 2 + 4 + 4)  # with their adjoints

    return Program(gradient, loss, tape_bytes)
