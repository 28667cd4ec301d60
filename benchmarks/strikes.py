"""A batch of strikes, the loss of each and its gradient: `python benchmarks/strikes.py --help`.

Three balls on a 7-ft table, strikes at random. They are played one after the other by compiled code, and in
SIMD lanes: as they come, and in an order in which strikes that are alike lie side by side, so that those of a
group have more events in common. Lanes go on to the last event of the longest shot of a group, through every
kind of event that one of them has. Times are of the processor, the least of so many rounds, all ways in turn;
with two threads by the clock as well.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import rose_ad as ra
from rosephys.physics.pool import shot, strike
from rosephys.physics.pool.table import POOL

BALLS = np.array([(0.5, 0.5), (1.2, 0.6), (1.5, 0.3)])
CORNER = np.array([POOL.table.length, POOL.table.width])


@ra.fn
def loss(played: Any) -> Any:
    """How far from a corner ball 1 ends, squared; of speed, direction, side and height."""
    velocity, spin = strike.struck(POOL.cue, played[0], played[1], side=played[2], height=played[3])
    balls = shot.cued(shot.racked(BALLS), 0, velocity, spin, POOL.constants)
    away = shot.play(POOL.table, balls, POOL.constants).balls.position[1] - CORNER
    return ra.dot(away, away)


def strikes(count: int) -> Any:
    """Speeds, directions, sides and heights (count, 4)."""
    low, high = (0.8, 0.0, -0.3, -0.3), (4.5, 2 * np.pi, 0.3, 0.3)
    return np.random.default_rng(0).uniform(low, high, (count, 4))


def alike(played: Any) -> Any:
    """The same in an order in which neighbours are alike: by speed in steps of 0.5 m/s, then by direction."""
    order = np.lexsort((played[:, 1], np.floor(played[:, 0] / 0.5)))
    return np.ascontiguousarray(played[order])


def ways(one: Any, played: Any) -> dict[str, Callable[[], Any]]:
    """How all may be played."""
    ordered = alike(played)
    after_another = ra.fn(lambda p: ra.build(p.shape[0], lambda i: one(p[i])))
    lanes, threads = ra.vmap(one), ra.vmap(one, threads=2)
    return {
        "one after the other": lambda: after_another(played),
        "lanes, as they come": lambda: lanes(played),
        "lanes, alike side by side": lambda: lanes(ordered),
        "the same, two threads": lambda: threads(ordered),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--strikes", type=int, default=4096)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    played = strikes(options.strikes)
    for name, one in (("loss", loss), ("loss and gradient", ra.value_and_grad(loss))):
        found: dict[str, list[tuple[float, float]]] = {}
        all_ways = ways(one, played)
        for turn in range(options.rounds + 1):  # the first compiles
            for way, run in all_ways.items():
                spent, clock = time.process_time(), time.perf_counter()
                run()
                spent, clock = time.process_time() - spent, time.perf_counter() - clock
                if turn:
                    found.setdefault(way, []).append((spent, clock))
        for way, times in found.items():
            spent, clock = (1e6 * min(t) / len(played) for t in zip(*times, strict=True))
            print(
                f"{len(played)} strikes, {name}, {way}:"
                f" {spent:.1f} µs each, {clock:.1f} by the clock"
            )


if __name__ == "__main__":
    main()
