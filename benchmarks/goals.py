"""How often a shot is found for a goal anywhere on the billiards table, and how long that takes.

    python benchmarks/goals.py [--goals 100] [--seed 0] [--write]

For each goal 2,048 random shots are tried side by side, and the best 64 of them go down by Adam, side by side
too, until one brings the target ball within a ball's radius; up to three times, with other shots. Times are of
the processor, of which two threads use two cores: a person waits less. `--write` puts the table into
docs/solving.md.
"""

from __future__ import annotations

import argparse
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from rosephys import Problem, find_scene

BED = np.array([[-0.05, -0.12], [1.47, 1.04]])  # what the cushions of the scene enclose
SHOTS, STARTS, ROUNDS, ITERATIONS = 2048, 64, 3, 110
SPEED, RATE = 1.0, 0.005  # deviation of a random velocity; how far a step of Adam goes
PAGE = Path(__file__).parents[1] / "docs" / "solving.md"
BEGIN, END = "<!-- goals -->\n", "<!-- end of goals -->"

Shots = dict[str, np.ndarray]


class Finder:
    """Finds shots for goals; what it draws depends on the seed alone."""

    def __init__(self, seed: int) -> None:
        self.problem = Problem(find_scene("billiards"))
        self.radius = float(self.problem.values["radius"])
        self.random = np.random.default_rng(seed)
        self._threads = ThreadPoolExecutor(2)

    def goal(self) -> np.ndarray:
        """A place on the table where a ball may lie."""
        return self.random.uniform(BED[0] + self.radius, BED[1] - self.radius)

    def find(self, goal: np.ndarray) -> tuple[float, int]:
        """How far the target ball ends from the goal, in radii, and the rounds that were made."""
        values = {**self.problem.values, "goal": goal}
        nearest = np.inf
        made = 0
        while made < ROUNDS and not nearest < 1:
            nearest = min(nearest, self._descended(values, self._shots(values)))
            made += 1
        return nearest, made

    def _shots(self, values: Any) -> Shots:
        """The best of many random shots."""
        places = self.random.uniform(BED[0] + self.radius, BED[1] - self.radius, (SHOTS, 2))
        speeds = SPEED * self.random.standard_normal((SHOTS, 2))
        drawn = {"cue_position": places, "cue_velocity": speeds}
        halves = [{n: v[k::2] for n, v in drawn.items()} for k in range(2)]
        found = list(self._threads.map(lambda half: self.problem.losses(values, half), halves))
        losses = np.empty(SHOTS)
        losses[::2], losses[1::2] = found
        best = np.argsort(np.where(np.isfinite(losses), losses, np.inf))[:STARTS]
        return {n: v[best] for n, v in drawn.items()}

    def _descended(self, values: Any, shots: Shots) -> float:
        """How near the best of these shots comes, in radii, by steps of Adam."""
        mean = {n: np.zeros_like(v) for n, v in shots.items()}
        square = {n: np.zeros_like(v) for n, v in shots.items()}
        nearest = np.inf
        for k in range(ITERATIONS):
            losses, slopes = self._slopes(values, shots)
            nearest = min(nearest, float(np.sqrt(np.nanmin(losses))) / self.radius)
            if nearest < 1:
                break
            rate = RATE * 0.5 * (1 + np.cos(np.pi * k / ITERATIONS))
            for n, g in slopes.items():
                g = np.nan_to_num(g)
                mean[n] = 0.9 * mean[n] + 0.1 * g
                square[n] = 0.99 * square[n] + 0.01 * g * g
                m, s = mean[n] / (1 - 0.9 ** (k + 1)), square[n] / (1 - 0.99 ** (k + 1))
                shots = {**shots, n: shots[n] - rate * m / (np.sqrt(s) + 1e-12)}
        return nearest

    def _slopes(self, values: Any, shots: Shots) -> tuple[np.ndarray, Shots]:
        half = STARTS // 2
        parts = [{n: v[:half] for n, v in shots.items()}, {n: v[half:] for n, v in shots.items()}]
        found = list(self._threads.map(lambda part: self.problem.gradients(values, part), parts))
        losses = np.concatenate([loss for loss, _ in found])
        return losses, {n: np.concatenate([g[n] for _, g in found]) for n in shots}


def table(goals: int, seed: int) -> str:
    """What was found, as Markdown."""
    finder = Finder(seed)
    finder.find(finder.problem.values["goal"])  # so that what is compiled is
    rows = []
    for k in range(goals):
        start = time.process_time()
        nearest, made = finder.find(finder.goal())
        rows.append((nearest, made, time.process_time() - start))
        print(f"{k + 1:4} {nearest:8.3f} radii, {made} rounds, {rows[-1][2]:.2f} s", flush=True)
    nearest, rounds, seconds = np.array(rows).T
    found = int(np.sum(nearest < 1))
    return "\n".join(
        [
            "| goals | within a radius | by the first 64 starts | median | longest | within 2 s |",
            "| --- | --- | --- | --- | --- | --- |",
            f"| {goals} | {found} | {int(np.sum((nearest < 1) & (rounds == 1)))}"
            f" | {np.median(seconds):.2f} s | {seconds.max():.2f} s | {int(np.sum(seconds < 2))} |\n",
        ]
    )


def main() -> None:
    """Print the table, or write it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--goals", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--write", action="store_true")
    arguments = parser.parse_args()
    found = table(arguments.goals, arguments.seed)
    print(found)
    if arguments.write:
        before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
        after = rest.partition(END)[2]
        PAGE.write_text(before + BEGIN + found + END + after, encoding="utf-8")


if __name__ == "__main__":
    main()
