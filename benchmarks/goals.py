"""How often a shot is found for a goal anywhere on the billiards table, and how long that takes.

    python benchmarks/goals.py [--goals 100] [--seed 0] [--write]

Each goal is sought by the optimiser `multi-start`, with 64 starts, in one cycle, until the target ball ends
within a ball's radius. It knows nothing of the table: controls are drawn about those of the scene. Seconds are
of the processor, of which two threads use two cores: a person waits less. `--write` puts the table into
docs/solving.md.
"""

from __future__ import annotations

import argparse
import math
import time
from pathlib import Path

import numpy as np

from rosephys import Problem, descend, find_scene
from rosephys.solve.multi_start import DESCENT, FINISH, GENERATIONS

BED = np.array([[-0.05, -0.12], [1.47, 1.04]])  # what the cushions of the scene enclose
CYCLE = 1 + GENERATIONS + DESCENT + 1 + FINISH
PAGE = Path(__file__).parents[1] / "docs" / "solving.md"
BEGIN, END = "<!-- goals -->\n", "<!-- end of goals -->"


def found(problem: Problem, goal: np.ndarray, seed: int) -> tuple[float, float]:
    """How far the target ball ends from the goal, in radii, and the seconds that it took to find that."""
    radius = float(problem.values["radius"])
    begin = time.process_time()
    shots = descend(
        problem, optimizer="multi-start", iterations=CYCLE, seed=seed, values={"goal": goal}
    )
    for shot in shots:
        if shot.loss < radius**2:
            break
    return math.sqrt(shot.loss) / radius, time.process_time() - begin


def table(goals: int, seed: int) -> str:
    """What was found, as Markdown."""
    problem = Problem(find_scene("billiards"))
    list(descend(problem, optimizer="multi-start", iterations=6))  # so that what is compiled is
    inside = BED[0] + problem.values["radius"], BED[1] - problem.values["radius"]
    rows = []
    for k, goal in enumerate(np.random.default_rng(seed).uniform(*inside, (goals, 2))):
        rows.append(found(problem, goal, k))
        print(f"{k + 1:4} {rows[-1][0]:8.3f} radii, {rows[-1][1]:.2f} s", flush=True)
    nearest, seconds = np.array(rows).T
    return "\n".join(
        [
            "| goals | within a radius | median | longest | within 2 s |",
            "| --- | --- | --- | --- | --- |",
            f"| {goals} | {int(np.sum(nearest < 1))} | {np.median(seconds):.2f} s"
            f" | {seconds.max():.2f} s | {int(np.sum(seconds < 2))} |\n",
        ]
    )


def main() -> None:
    """Print the table, or write it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--goals", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--write", action="store_true")
    arguments = parser.parse_args()
    text = table(arguments.goals, arguments.seed)
    print(text)
    if arguments.write:
        before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
        after = rest.partition(END)[2]
        PAGE.write_text(before + BEGIN + text + END + after, encoding="utf-8")


if __name__ == "__main__":
    main()
