"""A plate is warmed so that, when heat has spread, it shows a picture.

Nothing leaves the plate at its edges. Lengths are in cells, times in seconds.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import rose_ad as ra
from rosephys import Limit, Picture, Scene, Text, control, parameter
from rosephys.physics.fields.reaction_diffusion import heat_limit, heat_step
from rosephys.scene.picture import Image


def star(n: int, corners: int = 5) -> np.ndarray[Any, Any]:
    """A star with soft edges in the middle, 0 .. 1."""
    at = (np.arange(n) + 0.5) / n - 0.5
    x, y = at[:, None], at[None, :]
    angle, distance = np.arctan2(x, y), np.hypot(x, y)
    edge = 0.27 * (1 + 0.35 * np.cos(corners * angle))
    return np.asarray(1 / (1 + np.exp(np.clip((distance - edge) / 0.03, -40, 40))))


@ra.struct
class State:
    """The temperature of each cell (n, n)."""

    warmth: ra.Vec


class Heat(Scene):
    """Warm a plate so that the heat, when it has spread, shows a picture."""

    iterations = 150
    rate = 0.05
    optimizer = "adam"

    cells: int = parameter(96, "cells along a side", bounds=(3, 2048))
    steps: int = parameter(120, "number of time steps", bounds=(1, 10_000_000))
    dt: float = parameter(0.025, "time step", unit="s", bounds=(1e-9, 10.0))
    diffusivity: float = parameter(8.0, "diffusivity", unit="cells²/s", bounds=(0.0, 1e6))
    target: Any = parameter(lambda scene: star(scene.cells), "the picture (cells, cells)")
    warmth: Any = control(
        lambda scene: np.zeros((scene.cells,) * 2), "the first temperature (cells, cells)"
    )

    def initial(self) -> State:
        return State(self.warmth)

    def step(self, state: State, t: Any) -> State:
        return State(heat_step(state.warmth, self.diffusivity, self.dt, "wall"))

    def limits(self, state: State) -> tuple[Limit, ...]:
        return (heat_limit(self.diffusivity, self.dt),)

    def loss(self, final: State) -> Any:
        return ra.mean((final.warmth - self.target) ** 2)

    def picture(self, state: State) -> Picture:
        return Picture(
            (
                Image(state.warmth, (0.0, 0.0, 1.0, 1.0), "waves", -1.5, 1.5),
                Image(self.target, (1.06, 0.53, 1.53, 1.0), "waves", -1.5, 1.5),
                Text((1.13, 0.96), "target", "accent", 17.0),
            ),
            (0.0, 0.0, 1.53, 1.0),
        )

    def invariants(self, state: State) -> dict[str, Any]:
        """The heat in the plate, which no step changes."""
        return {"heat": ra.sum(state.warmth)}
