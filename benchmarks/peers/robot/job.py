"""The job every peer does: the loss of a robot's walk and its gradient in the weights of its network.

The rules are at the top of robot.c. The loss is how far the head has come, negative; the gradient is that in
all weights, one after another: W1 (32, senses), b1 (32,), W2 (springs, 32), b2 (springs,).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from ..program import Array

HIDDEN, CLOCKS, PACE, SENSE = 32, 10, 10.0, 0.05
DT, STIFFNESS, STRENGTH, DAMPING = 0.004, 3e4, 0.15, 15.0
GRAVITY, GROUND, GOAL = 4.8, 0.1, (0.9, 0.2)
SOFTENING, SLOWEST = 1e-4, 1e-4
BLOCKS = ("hidden_weights", "hidden_bias", "muscle_weights", "muscle_bias")


@dataclass(frozen=True)
class Job:
    """Which robot walks, and for how many steps."""

    robot: int = 3
    steps: int = 1364

    @cached_property
    def scene(self) -> Any:
        """Where the body and the weights come from; nothing of it is run but by the peer `us`."""
        from rosephys.scene.finding import find_scene  # once the path leads to this checkout

        return find_scene("robot", {"robot": self.robot, "steps": self.steps, "start": "waves"})

    @property
    def masses(self) -> Array:
        return self.scene.body.masses

    @property
    def springs(self) -> Array:
        return self.scene.body.springs

    @property
    def muscles(self) -> Array:
        return self.scene.body.muscles

    @property
    def rest(self) -> Array:
        a, b = self.springs.T
        return np.hypot(*(self.masses[a] - self.masses[b]).T)

    @property
    def senses(self) -> int:
        return CLOCKS + 4 * len(self.masses) + 2

    def start(self) -> Array:
        """The weights at which the gradient is taken."""
        return np.concatenate([np.ravel(getattr(self.scene, name)) for name in BLOCKS])

    def plain(self) -> dict[str, Any]:
        """The job in lists and numbers, for peers in another language."""
        muscles = set(self.muscles.tolist())
        springs = [
            {"a": a, "b": b, "muscle": k in muscles}
            for k, (a, b) in enumerate(self.springs.tolist())
        ]
        blocks = zip(("w1", "b1", "w2", "b2"), self.blocks(self.start()), strict=True)
        return {
            "steps": self.steps,
            "masses": self.masses.tolist(),
            "springs": springs,
            "weights": {name: values.tolist() for name, values in blocks},
        }

    def blocks(self, weights: Any) -> list[Any]:
        """The same weights as W1, b1, W2 and b2."""
        m, s = len(self.springs), self.senses
        shapes = [(HIDDEN, s), (HIDDEN,), (m, HIDDEN), (m,)]
        ends = np.cumsum([int(np.prod(shape)) for shape in shapes])
        parts = zip(ends, shapes, strict=True)
        return [weights[e - int(np.prod(shape)) : e].reshape(shape) for e, shape in parts]
