"""The job every peer does: how far the soft walker comes, and the gradient in its weights and biases.

The rules are at the top of walker.c. The gradient is in 20 numbers: the weights (4, 4), then the biases (4,).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from ..program import Array

NODES, MARGIN, EMPTY = 128, 3, 1e-10
DT, STIFFNESS, STRENGTH, GRAVITY, PACE = 1e-3, 10.0, 4.0, 3.8, 20.0
MUSCLES = WAVES = 4
BLOCKS = ("weights", "bias")


@dataclass(frozen=True)
class Job:
    """For how many steps it walks."""

    steps: int = 1023

    @cached_property
    def scene(self) -> Any:
        """Where the body and the weights come from; nothing of it is run but by the peer `us`."""
        from rosephys.scene.finding import find_scene  # once the path leads to this checkout

        return find_scene("walker", {"steps": self.steps, "nodes": NODES})

    @property
    def particles(self) -> Array:
        """Where they start (n, 2)."""
        return self.scene.creature[0]

    @property
    def muscles(self) -> Array:
        """Which muscle each is in (n,), -1 for none."""
        return self.scene.creature[1]

    def start(self) -> Array:
        """Weights and biases at which the gradient is taken."""
        return np.concatenate([np.ravel(getattr(self.scene, name)) for name in BLOCKS])

    def blocks(self, numbers: Any) -> tuple[Any, Any]:
        """Them as weights (4, 4) and biases (4,)."""
        return numbers[: MUSCLES * WAVES].reshape(MUSCLES, WAVES), numbers[MUSCLES * WAVES :]
