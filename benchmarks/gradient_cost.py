"""What a gradient costs: the time of value and gradient over that of the value alone.

    python benchmarks/gradient_cost.py [--seconds 2] [--jax PYTHON] [--only NAME] [--out FILE.md]

Four programs, each compiled, f64, one thread. The least time of many calls, value and gradient in turn in one
process, so that both see the same machine. A call goes from numpy arrays to numpy arrays. The same programs in
JAX, as one would write them there, are run before in a process of their own, by the Python that is named, if it
has JAX; its arrays stay on its device. C, of the values only and called from Python too, is left out where no
gcc is.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

STEPS, CARRY, HIDDEN = 100, 32, 64
SIDE = 256
PARTICLES, GRID = 10_000, 64
OPERATIONS, INPUTS = 1_000, 8

Case = tuple[Callable[..., Any], tuple[Any, ...], tuple[int, ...]]


def numbers() -> dict[str, tuple[Any, ...]]:
    """The arguments of each program."""
    r = np.random.default_rng(0)
    weights = (
        r.normal(size=(CARRY, HIDDEN)) / np.sqrt(CARRY),
        r.normal(size=HIDDEN) * 0.1,
        r.normal(size=(HIDDEN, CARRY)) / np.sqrt(HIDDEN),
        r.normal(size=CARRY) * 0.1,
    )
    field = r.normal(size=(SIDE, SIDE))
    return {
        "mlp": (*weights, r.normal(size=CARRY)),
        "stencil": (field,),
        "stencil10": (field,),
        "particles": (r.uniform(size=PARTICLES), r.uniform(size=PARTICLES)),
        "scalars": (0.3 * np.cos(np.arange(INPUTS)),),
    }


TITLES = {
    "mlp": "MLP 32-64-32, a scan of 100 steps",
    "stencil": "5-point stencil, 256 × 256, 1 step",
    "stencil10": "5-point stencil, 256 × 256, 10 steps",
    "particles": "10,000 particles to and from a grid",
    "scalars": "1,000 scalar operations",
}


def straight(operations: int, seed: int = 0, reach: int = 40) -> list[tuple[str, int, int]]:
    """A random straight-line program: (operation, operand, operand), numbers moderate at `numbers()`."""
    r = np.random.default_rng(seed)
    at = list(0.3 * np.cos(np.arange(INPUTS)))
    cost = {"add": 1, "sub": 1, "mul": 1, "div": 3, "sin": 1, "sqrt": 3}
    out: list[tuple[str, int, int]] = []
    left = operations - reach  # the last values are added up
    while left > 0:
        name = str(r.choice(["add", "sub", "mul", "mul", "div", "sin", "sqrt"]))
        a, b = (int(k) for k in r.integers(max(0, len(at) - reach), len(at), 2))
        value = apply(name, at[a], at[b], np)
        if abs(value) > 2:
            name, value = "sin", np.sin(at[a])
        at.append(value)
        out.append((name, a, b))
        left -= cost[name]
    return out


def apply(name: str, p: Any, q: Any, lib: Any) -> Any:
    """One operation of a straight-line program; div and sqrt are three."""
    match name:
        case "add":
            return p + q
        case "sub":
            return p - q
        case "mul":
            return p * q
        case "div":
            return p / (q * q + 1.0)
        case "sin":
            return lib.sin(p)
    return lib.sqrt(p * p + 1.0)


def run_straight(program: list[tuple[str, int, int]], x: Any, lib: Any, reach: int = 40) -> Any:
    """The sum of the last values of a straight-line program."""
    v = [x[k] for k in range(INPUTS)]
    for name, a, b in program:
        v.append(apply(name, v[a], v[b], lib))
    total = v[-1]
    for value in v[-reach:-1]:
        total = total + value
    return total


# ----------------------------------------------------------------------------------------- ours


def ours() -> dict[str, Case]:
    """The programs in rose_ad."""
    import rose_ad as ra

    def mlp(w1: Any, b1: Any, w2: Any, b2: Any, x: Any) -> Any:
        def step(c: Any, _: Any) -> Any:
            h = ra.tanh(ra.matmul(c, w1) + b1)
            return ra.tanh(ra.matmul(h, w2) + b2), None

        c, _ = ra.scan(step, x, length=STEPS)
        return ra.sum(c * c)

    def diffuse(u: Any) -> Any:
        n = SIDE

        def entry(i: Any, j: Any) -> Any:
            c = u[i, j]
            above, below = (
                u[ra.where(i == 0, n - 1, i - 1), j],
                u[ra.where(i == n - 1, 0, i + 1), j],
            )
            left, right = u[i, ra.where(j == 0, n - 1, j - 1)], u[i, ra.where(j == n - 1, 0, j + 1)]
            return c + 0.1 * (above + below + left + right - 4.0 * c) + 0.05 * (c - c * c * c)

        return ra.build(n, lambda i: ra.build(n, lambda j: entry(i, j)))

    def stencil(u: Any) -> Any:
        v = diffuse(u)
        return ra.sum(v * v)

    def stencil10(u: Any) -> Any:
        v = ra.fori_loop(0, 10, lambda _, w: diffuse(w), u)
        return ra.sum(v * v)

    def particles(x: Any, y: Any) -> Any:
        def weights(p: Any) -> Any:
            gx, gy = x[p] * (GRID - 1), y[p] * (GRID - 1)
            i = ra.clip(ra.to_int(ra.floor(gx)), 0, GRID - 2)
            j = ra.clip(ra.to_int(ra.floor(gy)), 0, GRID - 2)
            return i, j, gx - i, gy - j

        mass = ra.accum((GRID, GRID))
        for p in ra.range(PARTICLES):
            i, j, s, t = weights(p)
            mass[i, j] += (1 - s) * (1 - t)
            mass[i + 1, j] += s * (1 - t)
            mass[i, j + 1] += (1 - s) * t
            mass[i + 1, j + 1] += s * t
        g = mass.freeze()

        def gathered(p: Any) -> Any:
            i, j, s, t = weights(p)
            low = (1 - s) * g[i, j] + s * g[i + 1, j]
            high = (1 - s) * g[i, j + 1] + s * g[i + 1, j + 1]
            v = (1 - t) * low + t * high
            return v * v

        return ra.sum(PARTICLES, gathered)

    program = straight(OPERATIONS)

    def scalars(x: Any) -> Any:
        return run_straight(program, x, ra)

    args = numbers()
    functions = (mlp, stencil, stencil10, particles, scalars)
    return {
        f.__name__: (ra.fn(f), args[f.__name__], tuple(range(len(args[f.__name__]))))
        for f in functions
    }


def ours_gradient(f: Any, wrt: tuple[int, ...]) -> Any:
    """Value and gradient."""
    import rose_ad as ra

    return ra.value_and_grad(f, wrt)


# ------------------------------------------------------------------------------------------ JAX


def in_jax() -> dict[str, Case]:
    """The programs in JAX."""
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)
    jax.config.update("jax_platforms", "cpu")

    def mlp(w1: Any, b1: Any, w2: Any, b2: Any, x: Any) -> Any:
        def step(c: Any, _: Any) -> Any:
            return jnp.tanh(jnp.tanh(c @ w1 + b1) @ w2 + b2), None

        c, _ = jax.lax.scan(step, x, None, length=STEPS)
        return jnp.sum(c * c)

    def diffuse(u: Any) -> Any:
        around = jnp.roll(u, 1, 0) + jnp.roll(u, -1, 0) + jnp.roll(u, 1, 1) + jnp.roll(u, -1, 1)
        return u + 0.1 * (around - 4.0 * u) + 0.05 * (u - u * u * u)

    def stencil(u: Any) -> Any:
        return jnp.sum(diffuse(u) ** 2)

    def stencil10(u: Any) -> Any:
        v, _ = jax.lax.scan(lambda w, _: (diffuse(w), None), u, None, length=10)
        return jnp.sum(v * v)

    def particles(x: Any, y: Any) -> Any:
        gx, gy = x * (GRID - 1), y * (GRID - 1)
        i = jnp.clip(jnp.floor(gx).astype(int), 0, GRID - 2)
        j = jnp.clip(jnp.floor(gy).astype(int), 0, GRID - 2)
        s, t = gx - i, gy - j
        corners = (
            (i, j, (1 - s) * (1 - t)),
            (i + 1, j, s * (1 - t)),
            (i, j + 1, (1 - s) * t),
            (i + 1, j + 1, s * t),
        )
        g = jnp.zeros((GRID, GRID))
        for a, b, w in corners:
            g = g.at[a, b].add(w)
        return jnp.sum(sum(w * g[a, b] for a, b, w in corners) ** 2)

    program = straight(OPERATIONS)

    def scalars(x: Any) -> Any:
        return run_straight(program, x, jnp)

    args = numbers()
    functions = (mlp, stencil, stencil10, particles, scalars)
    return {
        f.__name__: (f, args[f.__name__], tuple(range(len(args[f.__name__])))) for f in functions
    }


def time_jax(seconds: float, only: str | None) -> dict[str, Any]:
    """Times and results of the programs in JAX."""
    import jax

    out = {}
    for name, (f, args, wrt) in in_jax().items():
        if only in (None, name):
            on_device = jax.device_put(args)
            forward, gradient = jax.jit(f), jax.jit(jax.value_and_grad(f, wrt))

            def call(g: Any, x: Any = on_device) -> Any:
                return jax.block_until_ready(g(*x))

            value = float(call(forward))
            times = least(partial(call, forward), partial(call, gradient), seconds)
            out[name] = {"value": value, "times": times}
    return out


# -------------------------------------------------------------------------------------------- C


def in_c(folder: str) -> dict[str, Callable[[], float]]:
    """The forward programs in C, ready to be called."""
    if shutil.which("gcc") is None:
        return {}
    source, library = Path(__file__).with_suffix(".c"), Path(folder) / "forward.so"
    flags = ["-O3", "-march=native", "-ffp-contract=fast", "-fassociative-math", "-fno-signed-zeros",
             "-fno-trapping-math", "-shared", "-fPIC"]  # fmt: skip
    subprocess.run(["gcc", *flags, source, "-o", library, "-lm"], check=True)
    loaded, out = ctypes.CDLL(str(library)), {}
    for name, args in numbers().items():
        if name == "scalars":
            continue
        f = getattr(loaded, name)
        f.restype = ctypes.c_double
        pointers = [ctypes.c_void_p(np.ascontiguousarray(a).ctypes.data) for a in args]
        out[name] = lambda f=f, pointers=pointers, _alive=args: f(*pointers)
    return out


# ---------------------------------------------------------------------------------------- timing


def least(f: Callable[[], object], g: Callable[[], object], seconds: float) -> tuple[float, float]:
    """The least time of a call of each, called in turn."""
    times: tuple[list[float], list[float]] = ([], [])
    f(), g()
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        for call, found in zip((f, g), times, strict=True):
            start = time.perf_counter()
            call()
            found.append(time.perf_counter() - start)
    return min(times[0]), min(times[1])


def ask_jax(python: str, seconds: float, only: str | None) -> dict[str, Any]:
    """What JAX takes, in a process of its own; nothing where it is not there."""
    run = [python, __file__, "--as-jax", "--seconds", str(seconds)] + (
        ["--only", only] if only else []
    )
    done = subprocess.run(run, capture_output=True, text=True, check=False,
                          env={**os.environ, "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false"})  # fmt: skip
    if done.returncode:
        print(
            f"JAX is left out: {(done.stderr.strip().splitlines() or ['?'])[-1]}", file=sys.stderr
        )
        return {}
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def table(seconds: float, python: str, only: str | None) -> list[str]:
    """A row for each program."""
    jax = ask_jax(python, seconds, only)
    head = ["program", "C, µs", "value, µs", "value and gradient, µs", "ratio"]
    head += ["JAX value, µs", "JAX both, µs", "JAX ratio"]
    rows = [f"| {' | '.join(head)} |", "|" + " --- |" * len(head)]
    with tempfile.TemporaryDirectory() as folder:
        c = in_c(folder)
        for name, (f, args, wrt) in ours().items():
            if only not in (None, name):
                continue
            g = ours_gradient(f, wrt)
            value = float(f(*args))
            plain, both = least(lambda f=f, a=args: f(*a), lambda g=g, a=args: g(*a), seconds)
            cells = [
                TITLES[name],
                "–",
                f"{plain * 1e6:.3g}",
                f"{both * 1e6:.3g}",
                f"**{both / plain:.2f}**",
            ]
            if name in c:
                assert np.isclose(c[name](), value), name
                cells[1] = f"{least(c[name], c[name], seconds / 4)[0] * 1e6:.3g}"
            if name in jax:
                assert np.isclose(jax[name]["value"], value), name
                theirs, their_both = jax[name]["times"]
                cells += [
                    f"{theirs * 1e6:.3g}",
                    f"{their_both * 1e6:.3g}",
                    f"{their_both / theirs:.2f}",
                ]
            else:
                cells += ["–"] * 3
            rows.append(f"| {' | '.join(cells)} |")
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=2.0, help="for each program")
    parser.add_argument("--jax", default=sys.executable, help="a Python that has JAX")
    parser.add_argument("--only", choices=list(TITLES))
    parser.add_argument("--out", type=Path)
    parser.add_argument("--as-jax", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
    if options.as_jax:
        print(json.dumps(time_jax(options.seconds, options.only)))
        return
    text = "\n".join([*table(options.seconds, options.jax, options.only), ""])
    print(text)
    if options.out:
        options.out.write_text(text)


if __name__ == "__main__":
    main()
