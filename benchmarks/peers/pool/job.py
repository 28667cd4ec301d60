"""The job every peer does: a shot of pool, from event to event, and its gradient by the cue ball's start.

The rules are at the top of pool.c. Lengths, times and masses are dimensionless and every ball has mass 1. The
loss is the squared distance of the target ball from the goal after the last event; the gradient is that in four
numbers, the cue ball's initial position and velocity.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..program import Array

WIDTH, HEIGHT, RADIUS = 2.0, 1.0, 0.12
RESTITUTION, CUSHION = 0.95, 0.9  # of two balls, and of a ball and a cushion
GOAL = (1.5, 0.5)
CUE = (0.3, 0.5, 1.4, 0.4)  # position, velocity
RACK = ((1.53, 0.35), (0.58, 0.68), (0.4, 0.18), (0.95, 0.48), (1.08, 0.8))
TARGET = 5  # the ball that is wanted at the goal


@dataclass(frozen=True)
class Job:
    """For how many events it is played."""

    events: int = 64

    @property
    def balls(self) -> int:
        return 1 + len(RACK)

    @property
    def positions(self) -> Array:
        """All balls at the start (n, 2), the cue ball first."""
        return np.array([CUE[:2], *RACK])

    def start(self) -> Array:
        """The cue ball's position and velocity, at which the gradient is taken."""
        return np.array(CUE)
