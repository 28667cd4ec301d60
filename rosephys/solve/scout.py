"""Looking around: many controls near the present ones are tried side by side, to leave a local minimum.

A contact that is missed has no gradient, so a descent cannot find it; one of many throws may (a random local
search: Solis and Wets, Math. of OR 6, 1981). The losses of a batch cost a few gradients: see `Problem.losses`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from rosephys.solve.problem import Arrays, Problem

BATCH = 64  # throws at once
NEAREST, FARTHEST = 10**-2.5, 1.0  # how far a throw goes, in parts of a control's size
BEST = 3  # throws that are worth a descent


class Scout:
    """Draws controls around others; each draw is another, and the same again with the same seed."""

    def __init__(self, problem: Problem, seed: int = 0) -> None:
        self.problem = problem
        self._random = np.random.default_rng(seed)

    def starts(self, values: Arrays, count: int = BEST) -> list[Arrays]:
        """The best of a batch of controls around those in `values`, and of those that the scene knows, the best
        first, as values: `count` of them, at most BATCH.

        Raises what the scene raises.
        """
        reach = np.exp(self._random.uniform(np.log(NEAREST), np.log(FARTHEST), BATCH))
        batch = {name: self._around(name, values[name], reach) for name in self.problem.controls}
        known = self.problem.guesses(values)
        n = len(next(iter(known.values()), ()))
        for name, drawn in batch.items():
            rows = known.get(name, np.broadcast_to(values[name], (n, *values[name].shape)))
            batch[name] = np.concatenate([drawn, rows])
        losses = self.problem.losses(values, batch)
        order = np.argsort(np.where(np.isfinite(losses), losses, np.inf))
        return [{**values, **{name: v[k] for name, v in batch.items()}} for k in order[:count]]

    def _around(self, name: str, at: np.ndarray, reach: np.ndarray) -> np.ndarray:
        """Values of a control within its bounds, of shape (BATCH, *its)."""
        size = float(np.linalg.norm(at)) or 1.0
        far = reach.reshape(-1, *[1] * at.ndim) * size
        low, high = self.problem.scene.fields[name].bounds or (-np.inf, np.inf)
        return np.clip(at + far * self._random.normal(size=(BATCH, *at.shape)), low, high)
