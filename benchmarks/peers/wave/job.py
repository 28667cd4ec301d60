"""The job every peer does: the loss of waves that are to draw a picture and its gradient in the first shape.

The rules are at the top of wave.c.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from ..program import Array

COURANT, DAMPING = 1 / math.sqrt(3), 0.05
BENT, BEND = COURANT * DAMPING, COURANT * (COURANT + DAMPING)  # of the shape before, and now


@dataclass(frozen=True)
class Job:
    """Cells along a side, and steps."""

    cells: int = 256
    steps: int = 254

    @cached_property
    def scene(self) -> Any:
        """Where the target comes from; nothing of it is run but by the peer `us`."""
        from rosephys.scene.finding import find_scene  # once the path leads to this checkout

        fields = {"cells": self.cells, "steps": self.steps, "courant": COURANT, "damping": DAMPING}
        return find_scene("wave", fields)

    @property
    def target(self) -> Array:
        return np.ascontiguousarray(self.scene.target)

    def start(self) -> Array:
        """The shape at which the gradient is taken: a few dents, one of them at an edge."""
        at = (np.arange(self.cells) + 0.5) / self.cells
        x, y = at[:, None], at[None, :]
        dents = ((0.3, 0.4, 1.0), (0.7, 0.6, -0.8), (0.05, 0.9, 0.5))
        return np.ravel(
            sum(s * np.exp(-((x - a) ** 2 + (y - b) ** 2) / 0.005) for a, b, s in dents)
        )

    def field(self, shape: Any) -> Any:
        """The same shape as a field."""
        return shape.reshape(self.cells, self.cells)
