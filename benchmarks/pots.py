"""How often a pot is found, and how fast: `python benchmarks/pots.py --help`.

Random layouts of a cue ball, a ball to be potted and four others: it is to go into any pocket, and the cue ball
is not to follow it. By gradient: the shots that geometry gives for each pocket are played side by side, and the
best are descended from. Beside it, what players' tools do: 18,000 strikes, 900 directions at five speeds and
four heights of the tip, are played, and one that pots is taken.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

import rose_ad as ra
from rosephys import OptimizeError, Problem, descend, find_scene
from rosephys.physics.pool import shot
from rosephys.physics.pool.ball import POCKETED

OTHERS, TRIED, ITERATIONS = 4, 3, 20
Values = dict[str, Any]


@dataclass
class Pots:
    """The scene with these many balls, compiled once."""

    problem: Problem

    def __post_init__(self) -> None:
        scene = self.problem.scene
        self.pockets = scene.table.pockets  # type: ignore[attr-defined]

        @ra.fn
        def end(values: Any) -> Any:
            bound: Any = scene.bound(values)
            return shot.play(bound.table, bound.initial().shot.balls, bound.cloth)

        self.end = end
        self.ends = ra.vmap(
            ra.fn(lambda strike, values: end({**values, **strike})), in_axes=(0, None)
        )

    def layout(self, seed: int) -> Values:
        """Balls anywhere on the table, none touching, and a place for the cue ball to be left at."""
        random, scene = np.random.default_rng(seed), self.problem.scene
        r, size = scene.radius, scene.size  # type: ignore[attr-defined]
        while True:
            places = random.uniform(2 * r, size - 2 * r, (2 + OTHERS, 2))
            apart = np.linalg.norm(places[:, None] - places, axis=2)
            if apart[np.triu_indices(len(places), 1)].min() > 2.1 * r:
                break
        leave = random.uniform(3 * r, size - 3 * r)
        return self.problem.complete(
            {
                "cue_position": places[0],
                "target_position": places[1],
                "places": places[2:],
                "leave": leave,
                "importance": np.array(0.2),
            }
        )

    def potted(self, values: Values) -> bool:
        """Whether the strike pots the ball in the pocket that is meant, and the cue ball stays on the table."""
        balls = self.end(values).balls
        return bool(
            balls.phase[1] == POCKETED
            and balls.phase[0] != POCKETED
            and np.linalg.norm(balls.position[1] - values["pocket"]) < 0.01
        )

    def by_gradient(self, layout: Values) -> Values | None:
        """The best strike for the best pocket of those that pot."""
        tried = []
        for pocket in self.pockets:
            aimed = {**layout, "pocket": pocket}
            starts = self.problem.guesses(aimed)
            losses = self.problem.losses(aimed, starts)
            for k in np.argsort(losses)[:2]:
                tried.append((losses[k], {**aimed, **{n: row[k] for n, row in starts.items()}}))
        tried.sort(key=lambda pair: float(pair[0]))
        found: tuple[float, Values | None] = (np.inf, None)
        for _, start in tried[:TRIED]:
            try:
                for step in descend(self.problem, values=start, iterations=ITERATIONS):
                    if step.loss < found[0] and self.potted(self.problem.complete(step.values)):
                        found = step.loss, self.problem.complete(step.values)
            except OptimizeError:
                continue
        return found[1]

    def by_trying(self, layout: Values) -> Values | None:
        """Of 18,000 strikes the one that pots in any pocket and leaves the cue ball best."""
        grid = np.meshgrid(
            np.linspace(0, 2 * np.pi, 900, endpoint=False),
            np.array([0.8, 1.3, 2.0, 3.0, 4.5]),
            np.array([-0.3, -0.1, 0.1, 0.3]),
        )
        batch = dict(zip(("direction", "speed", "height"), map(np.ravel, grid), strict=True))
        balls = self.ends(batch, layout).balls
        good = (balls.phase[:, 1] == POCKETED) & (balls.phase[:, 0] != POCKETED)
        away = np.linalg.norm(balls.position[:, 0] - layout["leave"], axis=1)
        if not good.any():
            return None
        k = int(np.argmin(np.where(good, away, np.inf)))
        return {**layout, **{n: row[k] for n, row in batch.items()}}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--layouts", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--tried", type=int, default=20, help="layouts for the 18,000 strikes")
    options = parser.parse_args()
    pots = Pots(Problem(find_scene("pool", {"steps": 1, "others": OTHERS})))
    ways: list[tuple[str, Callable[[Values], Values | None], int]] = [
        ("gradient", pots.by_gradient, options.layouts),
        ("18,000 strikes", pots.by_trying, options.tried),
    ]
    for name, way, count in ways:
        way(pots.layout(10_000))  # compiles
        found, wall, spent, left = 0, [], [], []
        for k in range(count):
            layout = pots.layout(options.seed + k)
            begun, used = time.perf_counter(), time.process_time()
            values = way(layout)
            wall.append(time.perf_counter() - begun)
            spent.append(time.process_time() - used)
            if values is not None:
                found += 1
                end = pots.end(values).balls.position[0]
                left.append(float(np.linalg.norm(end - layout["leave"])))
        print(
            f"{name}: {found} of {count} potted; the cue ball is {np.median(left):.3f} m from where it"
            f" should be (median); {np.median(wall):.3f} s, {max(wall):.3f} at most;"
            f" of a processor {np.median(spent):.3f} s, {max(spent):.3f} at most"
        )


if __name__ == "__main__":
    main()
