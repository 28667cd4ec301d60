"""The log-likelihood of a Kalman filter of 12 states, and its gradient, beside C by hand.

    python benchmarks/kalman.py [--steps 200] [--rounds 30]

The gradient is that by the transition matrix and the process noise. kalman.c is written with vectors of four
numbers and compiled by `gcc -O3 -march=native -ffast-math -mprefer-vector-width=256`, the fastest choice here.
Both are called in turn in one process, by the processor's clock; the least time of all rounds.
"""

from __future__ import annotations

import argparse
import ctypes
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import rose_ad as ra

N = 12
HERE = Path(__file__).parent


def numbers(steps: int) -> tuple[Any, ...]:
    """A stable transition matrix, process noise, observation matrix, its noise, and observations."""
    r = np.random.default_rng(0)
    f = np.eye(N) + 0.1 * r.normal(size=(N, N)) / np.sqrt(N)
    f /= max(1.0, np.abs(np.linalg.eigvals(f)).max())
    return (
        f,
        0.1 * np.ones(N),
        r.normal(size=(N, N)),
        0.5 * np.eye(N) + 0.1,
        r.normal(size=(steps, N)),
    )


def log_likelihood(f: Any, q: Any, h: Any, r: Any, ys: Any) -> Any:
    def step(state: Any, y: Any) -> Any:
        x, p, sum = state
        x = f @ x
        p = f @ p @ f.T + ra.build(N, lambda i: ra.build(N, lambda j: ra.where(i == j, q[i], 0.0)))
        hp = h @ p
        factor = ra.linalg.cholesky(hp @ h.T + r)
        w = ra.linalg.solve_triangular(factor, hp, lower=True)
        u = ra.linalg.solve_triangular(factor, y - h @ x, lower=True)
        sum = sum - 0.5 * ra.dot(u, u) - ra.sum(ra.log(ra.diagonal(factor)))
        return (x + w.T @ u, p - w.T @ w, sum), None

    return ra.scan(step, (np.zeros(N), np.eye(N), 0.0), ys)[0][2]


def by_hand(folder: str) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """The C as functions like ours: the value, and with the gradient."""
    library = Path(folder) / "kalman.so"
    flags = ["-O3", "-march=native", "-ffast-math", "-mprefer-vector-width=256", "-shared", "-fPIC"]
    subprocess.run(["gcc", *flags, "-o", library, HERE / "kalman.c", "-lm"], check=True)
    c = ctypes.CDLL(str(library))
    c.gradient.restype = c.value.restype = ctypes.c_double

    def call(f: Any, args: tuple[Any, ...], *outs: Any) -> Any:
        pointers = [ctypes.c_void_p(a.ctypes.data) for a in (*args, *outs)]
        return f(*pointers[:5], ctypes.c_int(len(args[4])), *pointers[5:])

    def gradient(*args: Any) -> Any:
        out = np.empty((N, N)), np.empty(N)
        return call(c.gradient, args, *out), out

    tape = np.empty(c.tape_size())

    def value(*args: Any) -> Any:
        return call(c.value, args, tape)

    return value, gradient


def spent(f: Callable[..., Any], args: tuple[Any, ...]) -> float:
    start = time.process_time()
    f(*args)
    return time.process_time() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=30)
    options = parser.parse_args()
    args = numbers(options.steps)
    jobs = {"value": ra.fn(log_likelihood), "gradient": ra.value_and_grad(log_likelihood, (0, 1))}
    with tempfile.TemporaryDirectory() as folder:
        theirs = dict(zip(jobs, by_hand(folder), strict=True))
        (a, da), (b, db) = jobs["gradient"](*args), theirs["gradient"](*args)
        apart = [np.abs(x - y).max() / np.abs(y).max() for x, y in zip(da, db, strict=True)]
        print(f"value {a:.6f} and {b:.6f}; gradients differ by {apart[0]:.1e}, {apart[1]:.1e}")
        for name, ours in jobs.items():
            times = [(spent(ours, args), spent(theirs[name], args)) for _ in range(options.rounds)]
            mine, c = (min(t) / options.steps * 1e6 for t in zip(*times, strict=True))
            print(f"{name}: {mine:.2f} µs a step, C {c:.2f} µs: {mine / c:.2f} times")


if __name__ == "__main__":
    main()
