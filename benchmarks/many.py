"""A batch of 4,096 billiards, value and gradient of each: SIMD lanes and threads beside JAX's vmap.

    python benchmarks/many.py [--batch 4096] [--rounds 5] [--steps 1024] [--out FILE.md]

The job is that of billiards.py (`toi-position`, 11 balls, f64), from as many strokes around the scene's own.
JAX is the peer of that page under `jit`, in reverse and in forward mode: by `vmap`, where the `cond` around the
contact becomes a select, with it and without, and by `lax.map`, one after the other, where it is a branch.
Every way is asked in turn; the least of the rounds counts. The processor's time is that of all threads. A way
that takes longer than --budget seconds is asked once.
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

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import jax
from batch import double_precision, strokes
from jax import lax
from peers.billiards import jax as peer
from peers.billiards.job import Table

import rose_ad as ra
from rosephys import Problem, find_scene

Work = Callable[[], tuple[np.ndarray, np.ndarray]]


def ours(steps: int, threads: int, controls: dict[str, np.ndarray]) -> Work:
    """Values (n,) and gradients (n, 4) by lanes."""
    settings = {"steps": steps, "contact": "toi-position", "cushions": False}
    gradient, rest = double_precision(Problem(find_scene("billiards", settings)))
    batch = ra.vmap(gradient, (0, *[None] * len(rest)), threads=threads)
    batch(controls, *rest)  # compiles

    def work() -> tuple[np.ndarray, np.ndarray]:
        value, slopes = batch(controls, *rest)
        return value, np.hstack([slopes["cue_position"], slopes["cue_velocity"]])

    return work


def always(collide: Any) -> Any:
    """The step of the peer without the test whether there is a contact."""

    def step(state: Any, _: None) -> Any:
        position, velocity = state
        return collide(position + peer.DT * velocity, velocity), None

    return step


def theirs(steps: int, mode: str, how: str, cues: np.ndarray) -> Work:
    """The same by JAX, compiled."""
    collide = jax.checkpoint(peer.collide, prevent_cse=False) if mode == "reverse" else peer.collide
    loss = peer.play(
        Table(4, steps), always(collide) if how == "vmap, no cond" else peer.step_with(collide)
    )

    def forward(cue: Any) -> Any:
        push = jax.vmap(lambda d: jax.jvp(loss, (cue,), (d,)), out_axes=(None, 0))
        return push(jax.numpy.eye(4))

    one = jax.value_and_grad(loss) if mode == "reverse" else forward
    many = (lambda c: lax.map(one, c)) if how == "map" else jax.vmap(one)
    made = jax.jit(many).lower(cues).compile()

    def work() -> tuple[np.ndarray, np.ndarray]:
        value, slope = made(cues)
        return np.asarray(value), np.asarray(slope)

    return work


def measure(ways: dict[str, Work], rounds: int, budget: float) -> dict[str, tuple[float, float]]:
    """The least seconds of each: by the clock, and of the processor."""
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
    expected: np.ndarray | None = None
    for k in range(rounds):
        for name, work in ways.items():
            if k and times[name][0][0] > budget:
                continue
            start = time.perf_counter(), time.process_time()
            value, _ = work()
            times[name].append((time.perf_counter() - start[0], time.process_time() - start[1]))
            expected = value if expected is None else expected
            assert np.allclose(value, expected, rtol=1e-3), name
    return {n: (min(t for t, _ in ts), min(t for _, t in ts)) for n, ts in times.items()}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--batch", type=int, default=4096)
    parser.add_argument("--steps", type=int, default=1024)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--budget", type=float, default=60.0)
    parser.add_argument(
        "--only", default="", help="ways whose names have one of these parts, with ; between"
    )
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    n, steps, cores = options.batch, options.steps, os.cpu_count() or 1
    settings = {"steps": steps, "contact": "toi-position", "cushions": False}
    controls = strokes(Problem(find_scene("billiards", settings)), n, np.float64)
    cues = np.hstack([controls["cue_position"], controls["cue_velocity"]])
    ways: dict[str, Work] = {
        f"Rosephys, lanes, {cores} threads": ours(steps, cores, controls),
        "Rosephys, lanes, 1 thread": ours(steps, 1, controls),
    }
    for how in ("vmap", "vmap, no cond", "map"):
        for mode in ("reverse", "forward"):
            ways[f"JAX, {how}, {mode}"] = theirs(steps, mode, how, cues)
    wanted = options.only.split(";")
    ways = {n: work for n, work in ways.items() if any(word.strip() in n for word in wanted)}
    found = measure(ways, options.rounds, options.budget)
    wall, cpu = next(iter(found.values()))
    rows = ["| way | a second | × | a second of the processor | × |", "|" + " --- |" * 5]
    for name, (t, c) in found.items():
        rows.append(f"| {name} | {n / t:,.0f} | {t / wall:.1f} | {n / c:,.0f} | {c / cpu:.1f} |")
    text = "\n".join([*rows, ""])
    print(text)
    if options.out:
        options.out.write_text(text)


if __name__ == "__main__":
    main()
