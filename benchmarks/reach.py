"""Every scene that has a goal, with other goals: how often it is solved from its own start, and by multi-start.

    python benchmarks/reach.py [SCENE ...] [--goals 5] [--seed 0] [--write]

A goal is one that can be reached: where random controls bring the scene, about its own or alike within bounds,
that stay within its limits. It is the goal at which their loss is least, found by the gradient in the goal; one
that a single update of the scene's own optimiser reaches is drawn again. It is solved when of the loss at the
scene's own controls, above that of the controls that the goal was made of, a hundredth is left: a tenth of the
way, where the loss is a distance squared. Descents end there, the scene's own optimiser after its iterations,
multi-start after two cycles or ten minutes. Seconds are of the processor, of which two threads use two cores.
`--write` puts the table into docs/solving.md.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

import rose_ad as ra
from rosephys import OptimizeError, Problem, descend, find_scene
from rosephys.solve.guard import in_motion
from rosephys.solve.quasi_newton import quasi_newton

GOALS = {  # the field by name, where it is not `goal`
    "heat": "target",
    "smoke": "target",
    "wave": "target",
    "patterns": "target",
}
SCENES = (
    *("bounce", "orbit", "pendulum", "billiards", "tumble", "gyroscope", "rigid", "throw", "rope"),
    *("cradle", "box3d", "boat", "cloth", "stack", "heat", "patterns", "wave", "smoke", "plume"),
    *("blob", "liquid", "sand", "jelly"),
)
SMALLER: dict[str, dict[str, Any]] = {  # as many starts of these as they are take hours
    "heat": {"cells": 32},
    "patterns": {"cells": 32},
    "wave": {"cells": 64},
    "smoke": {"cells": 33},
    "plume": {"cells": 32},
    "blob": {"nodes": 16, "edge": 5},
    "liquid": {"rows": 9, "nodes": 20, "steps": 800, "dt": 1e-3},
    "sand": {"particles": 200, "nodes": 32},
    "jelly": {"edge": 10, "nodes": 60},
}
LEFT = 0.01  # of the loss, where it is solved
STARTS, SECONDS = (4, 64), 0.3  # as many as take so long together for a gradient each
CYCLES, LONGEST = 2 * 95, 600e3  # iterations, and milliseconds
PAGE = Path(__file__).parents[1] / "docs" / "solving.md"
BEGIN, END = "<!-- reach -->\n", "<!-- end of reach -->"

Values = dict[str, Any]


@dataclass(frozen=True)
class Goal:
    """Values of a scene with a goal that can be reached, and the loss where it is solved."""

    values: Values
    solved: float


def made(problem: Problem, name: str, random: np.random.Generator) -> Goal:
    """A goal, by controls that are drawn until they keep to what the scene's model holds for."""
    while True:
        values = {**problem.values, **drawn(problem, random)}
        try:
            if in_motion(problem, values) is not None:
                continue
            values[name], least = nearest(problem, name, values)
        except (IndexError, ra.RoseError):
            continue
        values |= {n: problem.values[n] for n in problem.controls}
        first = problem.loss(values)
        goal = Goal(values, least + LEFT * (first - least))
        if np.isfinite(first - least) and not tried(problem, goal, iterations=1)[0]:
            return goal


def drawn(problem: Problem, random: np.random.Generator) -> Values:
    """Random controls: alike within bounds, or about the scene's own, as far as they are large."""
    found = {}
    for name in problem.controls:
        value, bounds = problem.values[name], problem.scene.fields[name].bounds
        size = float(np.sqrt(np.mean(value**2))) or 1.0
        noise = random.standard_normal(value.shape)
        found[name] = random.uniform(*bounds, value.shape) if bounds else value + size * noise
    return found


def nearest(problem: Problem, name: str, values: Values) -> tuple[Any, float]:
    """The goal at which these controls have the least loss, and that loss."""
    controls, constants = problem.split(values)
    shape = constants[name].shape
    slope = ra.value_and_grad(lambda goal, c, k: problem.traced_loss(c, {**k, name: goal}))

    def evaluate(x: Any) -> tuple[float, Any]:
        loss, gradient = slope(x.reshape(shape), controls, constants)
        return float(loss), np.ravel(gradient) * constants[name].size

    wide = np.full(constants[name].size, np.inf)
    points = quasi_newton(evaluate, np.ravel(constants[name]), -wide, wide)
    *_, last = islice(points, 60)
    return last.x.reshape(shape), last.loss


def tried(problem: Problem, goal: Goal, **how: Any) -> tuple[bool, float]:
    """Whether it was solved, and the seconds that were taken."""
    begin = time.process_time()
    solved = False
    try:
        for iterate in descend(problem, values=goal.values, **how):
            solved = iterate.loss <= goal.solved
            if solved:
                break
    except OptimizeError:
        pass
    return solved, time.process_time() - begin


def row(name: str, count: int, seed: int) -> tuple[str, int, float, int, float, int]:
    """The scene, how many of its goals were solved and seconds for each: alone, and by so many starts."""
    problem = Problem(find_scene(name, SMALLER.get(name, {})))
    goals = [
        made(problem, GOALS.get(name, "goal"), np.random.default_rng([seed, k]))
        for k in range(count)
    ]
    problem.compile()
    begin = time.process_time()
    problem.value_and_gradient(problem.values)
    each = time.process_time() - begin
    starts = int(np.clip(SECONDS / each, *STARTS))
    many: Values = {"optimizer": "multi-start", "starts": starts}
    list(descend(problem, **many, iterations=6))  # so that what is compiled is
    alone = [tried(problem, goal) for goal in goals]
    found = [
        tried(problem, goal, **many, iterations=CYCLES, budget_ms=LONGEST, seed=k)
        for k, goal in enumerate(goals)
    ]
    (a, s), (b, t) = (zip(*results, strict=True) for results in (alone, found))
    return name, sum(a), float(np.median(s)), sum(b), float(np.median(t)), starts


def main() -> None:
    """Print the table, or write it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("scenes", nargs="*", default=SCENES, metavar="SCENE")
    parser.add_argument("--goals", type=int, default=5)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--write", action="store_true")
    asked = parser.parse_args()
    lines = ["| | alone | s | multi-start | s | starts |", "| --- | --- | --- | --- | --- | --- |"]
    sums = np.zeros(2, int)
    for name in asked.scenes:
        scene, alone, s, found, t, starts = row(name, asked.goals, asked.seed)
        sums += alone, found
        lines.append(f"| `{scene}` | {alone} | {s:.3g} | {found} | {t:.3g} | {starts} |")
        print(lines[-1], flush=True)
    of = asked.goals * len(asked.scenes)
    lines.append(f"| of {of} | {sums[0]} | | {sums[1]} | | |")
    text = "\n".join(lines) + "\n"
    print(text)
    if asked.write:
        before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
        PAGE.write_text(before + BEGIN + text + END + rest.partition(END)[2], encoding="utf-8")


if __name__ == "__main__":
    main()
