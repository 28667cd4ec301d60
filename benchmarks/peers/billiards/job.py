"""The job every peer does: one cue ball, a triangle of balls at rest, contact `toi-position`.

Lengths, times and masses are dimensionless and every ball has mass 1. The loss is the squared
distance of the last ball's final position to the goal, its gradient is taken by four numbers:
the cue's initial position and velocity.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..program import Array

RADIUS = 0.03
DIAMETER = 2 * RADIUS
RESTITUTION = 0.8
DT = 0.003
EPSILON = 1e-6  # keeps the normal finite where two centres coincide
SLOWEST = -1e-3  # keeps the time of impact finite where two balls hardly approach
GOAL = (0.9, 0.75)
CUE = (0.1, 0.5, 0.3, 0.0)  # position, velocity


@dataclass(frozen=True)
class Table:
    """A triangle of `layers` rows, played for `steps` steps."""

    layers: int = 4
    steps: int = 1024

    @property
    def balls(self) -> int:
        return 1 + self.layers * (self.layers + 1) // 2

    def start(self) -> Array:
        """The cue at which the gradient is taken."""
        return np.array(CUE)

    def positions(self) -> Array:
        """All balls, the cue first, in the order in which the rows are filled."""
        triangle = [
            (0.5 + DIAMETER * i, 0.5 + DIAMETER * j - 0.7 * RADIUS * i)
            for i in range(self.layers)
            for j in range(i + 1)
        ]
        return np.array([CUE[:2], *triangle])

    def velocities(self) -> Array:
        return np.array([CUE[2:], *[(0.0, 0.0)] * (self.balls - 1)])
