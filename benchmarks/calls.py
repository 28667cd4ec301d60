"""What calling a compiled function costs, from Python, and its first call.

    python benchmarks/calls.py [--rounds 100]

The functions do next to nothing. The best of all rounds: the machine may have other work to do.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import timeit
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
CALLS = 100  # in a round: few, so that some rounds are not interrupted

FIRST = """
import time
import rose_ad as ra

def spent(factor):
    f = ra.fn(lambda x: x * factor)
    start = time.perf_counter(), time.process_time()
    f(1.5)
    return time.perf_counter() - start[0], time.process_time() - start[1]

print(*spent(2.0), *spent(3.0))
"""


def cases() -> list[tuple[str, Callable[..., Any], tuple[Any, ...]]]:
    """What is called, and with what."""
    import rose_ad as ra

    @ra.struct
    class State:
        a: Any
        b: Any
        c: Any
        d: Any

    v = np.arange(4.0)
    state = State(v, v + 1, v + 2, v + 3)
    scaled = ra.fn(lambda x: x * 2.0)
    moved = ra.fn(lambda s: State(s.a * 2.0, s.b + s.a, s.c, s.d))
    large = ra.fn(lambda v: ra.fori_loop(0, 1, lambda i, c: c * v, v))

    def declared(x: float) -> Any:
        return x * 2.0

    return [
        ("a float → a float", scaled, (1.5,)),
        ("numpy's float64 → a float", scaled, (np.float64(1.5),)),
        ("numpy's float32 → the same", scaled, (np.float32(1.5),)),
        ("numpy's int64 → an int", ra.fn(lambda n: n * 2), (np.int64(3),)),
        ("an array of no axes → a float", scaled, (np.array(1.5),)),
        ("an int where a Real is declared", ra.fn(declared), (3,)),
        ("numpy's float32 where a Real is declared", ra.fn(declared), (np.float32(1.5),)),
        ("4 floats → 4 floats, an array", scaled, (v,)),
        ("an array that needs scratch memory", large, (np.ones(200),)),
        ("a struct of 4 arrays → the same", moved, (state,)),
        ("{name: array} of 4 → the same", ra.fn(lambda d: dict(d)), ({k: v for k in "abcd"},)),
        ("gradient by a struct of 4 arrays", ra.grad(lambda s: ra.sum(s.a * s.b)), (state,)),
        ("every second of 8 floats, copied first", scaled, (np.arange(8.0)[::2],)),
        ("for comparison: v * 2.0 in numpy", lambda v: v * 2.0, (v,)),
    ]


def microseconds(f: Callable[..., Any], args: tuple[Any, ...], rounds: int) -> float:
    """The best time of a call."""
    names = {"f": f, **{f"a{k}": a for k, a in enumerate(args)}}
    timer = timeit.Timer(f"f({', '.join(f'a{k}' for k in range(len(args)))})", globals=names)
    timer.timeit(10)
    return min(timer.repeat(10 * rounds, CALLS)) / CALLS * 1e6


def first_calls(cache: str, rounds: int) -> list[float]:
    """The best times, in milliseconds, of the first call in a process and of another function's: on the clock
    and on the processor, each."""
    found = []
    for _ in range(rounds):
        out = subprocess.run(
            [sys.executable, "-c", FIRST],
            env={**os.environ, "PYTHONPATH": str(ROOT), "ROSE_AD_CACHE": cache},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        found.append([float(word) * 1e3 for word in out.split()])
    return [min(times) for times in zip(*found, strict=True)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=100)
    rounds = parser.parse_args().rounds
    sys.path.insert(0, str(ROOT))
    print("| call | µs |\n| --- | --- |")
    for name, f, args in cases():
        print(f"| {name} | {microseconds(f, args, rounds):.3g} |")
    print(
        "\n| first call of a one-line function, after import | ms | CPU ms | the next, ms | CPU ms |"
    )
    print("|" + " --- |" * 5)
    with tempfile.TemporaryDirectory() as directory:
        warm = str(Path(directory) / "cache")
        for name, cache in (("cache off", "off"), ("from the cache", warm)):
            if cache == warm:
                first_calls(warm, 1)
            times = first_calls(cache, max(rounds // 4, 1))
            print(f"| {name} | " + " | ".join(f"{t:.3g}" for t in times) + " |")


if __name__ == "__main__":
    main()
