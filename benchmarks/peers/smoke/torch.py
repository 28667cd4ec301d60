"""PyTorch, eager, f64: neighbours by `roll`, cells by gathers from the flat fields."""

from __future__ import annotations

import numpy as np
import torch

from ..program import Array, Program
from .job import SWEEPS, Job

torch.set_num_threads(1)


def eager(job: Job) -> Program:
    n, h = job.cells, 1 / job.cells
    smoke, target = torch.from_numpy(job.smoke), torch.from_numpy(job.target)
    rows, columns = torch.meshgrid(torch.arange(n), torch.arange(n), indexing="ij")

    def carried(u, w):
        x, y = rows - u, columns - w
        left, low = torch.floor(x).detach(), torch.floor(y).detach()
        fx, fy = x - left, y - low
        i, j = left.long() % n, low.long() % n
        east, north = (i + 1) % n, (j + 1) % n
        places = [
            (a * n + b).reshape(-1) for a, b in ((i, j), (i, north), (east, j), (east, north))
        ]

        def take(q):
            flat = q.reshape(-1)
            a, b, c, d = (flat.index_select(0, k).reshape(n, n) for k in places)
            return (1 - fx) * ((1 - fy) * a + fy * b) + fx * ((1 - fy) * c + fy * d)

        return take

    def step(u, w, s):
        take = carried(u, w)
        u, w = take(u), take(w)
        d = u.roll(-1, 0) - u.roll(1, 0) + w.roll(-1, 1) - w.roll(1, 1)
        d = -0.5 * h * d
        p = d / 4
        for _ in range(SWEEPS - 1):
            p = (d + p.roll(1, 0) + p.roll(-1, 0) + p.roll(1, 1) + p.roll(-1, 1)) / 4
        u = u - 0.5 * n * (p.roll(-1, 0) - p.roll(1, 0))
        w = w - 0.5 * n * (p.roll(-1, 1) - p.roll(1, 1))
        return u, w, carried(u, w)(s)

    def run(wind):
        u, w = job.fields(wind)
        s = smoke
        for _ in range(job.steps):
            u, w, s = step(u, w, s)
        return ((s - target) ** 2).mean()

    def loss(wind: Array) -> float:
        with torch.no_grad():
            return float(run(torch.from_numpy(wind)))

    def gradient(wind: Array) -> tuple[float, Array]:
        at = torch.from_numpy(np.array(wind)).requires_grad_()
        value = run(at)
        value.backward()
        return float(value), at.grad.numpy()

    return Program(gradient, loss)
