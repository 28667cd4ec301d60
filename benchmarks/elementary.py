"""Elementary functions: nanoseconds an entry of an array, in lanes, and one after the other.

    python benchmarks/elementary.py [--rounds 200] [--jax]

The array has 4,096 numbers. In lanes a function of one number is vmapped over them; one after the other, each
argument is made of the last result, which is what a simulation's steps do. Beside them NumPy, and JAX if asked
for, on the array. The least of all rounds, by the processor's clock, on one thread.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

os.environ["ROSE_AD_CACHE"] = "off"
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import rose_ad as ra

N = 4096
X = np.linspace(0.1, 40.0, N)
NAMES = ("exp", "expm1", "tanh", "log", "log1p", "sin", "cos", "tan")


def one_after_the_other(f: Callable[[Any], Any], x: Any) -> Any:
    return ra.scan(lambda c, _: (ra.minimum(f(c) + 1.7, 3.0), None), x, length=N)[0]


def peers(jax: bool) -> dict[str, Callable[[str], Callable[[], Any]]]:
    ways: dict[str, Callable[[str], Callable[[], Any]]] = {
        "NumPy": lambda name: lambda: getattr(np, name)(X)
    }
    if jax:
        os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false"
        import jax as j

        j.config.update("jax_enable_x64", True)
        x = j.numpy.asarray(X)

        def by_jax(name: str) -> Callable[[], Any]:
            f = j.jit(getattr(j.numpy, name))
            return lambda: f(x).block_until_ready()

        ways["JAX"] = by_jax
    return ways


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--jax", action="store_true")
    options = parser.parse_args()
    others = peers(options.jax)
    print(f"| function | array | lanes | one after the other | {' | '.join(others)} |")
    print("|---" * (4 + len(others)) + "|")
    for name in NAMES:
        f = ra.fn(lambda x, name=name: getattr(ra, name)(x))
        lanes, chain = ra.vmap(f), ra.fn(lambda x, f=f: one_after_the_other(f, x))
        ways = [lambda f=f: f(X), lambda f=lanes: f(X), lambda f=chain: f(0.3)]
        ways += [way(name) for way in others.values()]
        least = [float("inf")] * len(ways)
        for k in range(options.rounds):
            for n, run in enumerate(ways):
                start = time.process_time()
                run()
                if k:
                    least[n] = min(least[n], time.process_time() - start)
        print(f"| `{name}` | " + " | ".join(f"{1e9 * t / N:.1f}" for t in least) + " |", flush=True)


if __name__ == "__main__":
    main()
