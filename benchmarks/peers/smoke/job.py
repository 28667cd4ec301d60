"""The job every peer does: the loss of smoke blown into a picture and its gradient in the wind at the start.

The rules are at the top of smoke.c. The wind is u (cells, cells), then w (cells, cells).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from ..program import Array

SWEEPS = 6


@dataclass(frozen=True)
class Job:
    """Cells along a side, and steps."""

    cells: int = 110
    steps: int = 99

    @cached_property
    def scene(self) -> Any:
        """Where the target comes from; nothing of it is run but by the peer `us`."""
        from rosephys.scene.finding import find_scene  # once the path leads to this checkout

        return find_scene("smoke", {"cells": self.cells, "steps": self.steps, "sweeps": SWEEPS})

    @property
    def target(self) -> Array:
        return np.ascontiguousarray(self.scene.target)

    @property
    def smoke(self) -> Array:
        """The smoke at the start: three bands."""
        smoke = np.zeros((self.cells, self.cells))
        for begin in (self.cells // 11, 5 * self.cells // 11, 9 * self.cells // 11):
            smoke[begin : begin + 10] = 1.0
        return smoke

    def start(self) -> Array:
        """The wind at which the gradient is taken: whirls that carry some smoke over every edge."""
        x = 2 * np.pi * np.arange(self.cells) / self.cells
        u = 0.4 * np.sin(x)[:, None] * np.cos(2 * x) + 0.1
        w = 0.5 * np.cos(x)[:, None] * np.sin(x) - 0.2
        return np.stack([u, w]).ravel()

    def fields(self, wind: Any) -> Any:
        """The same wind as u and w."""
        return wind.reshape(2, self.cells, self.cells)
