"""Waves that draw a picture: the first shape of a skin is sought.

A square skin with fixed edges is dented at one step and flat at the next, so it moves fast. After 254 more
steps its waves are to meet in a picture. The job is that of DiffTaichi (Hu et al., ICLR 2020). Lengths are in
cells, times in steps; `dt` only says how fast it is shown.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

import rose_ad as ra
from rosephys import Limit, Picture, Scene, Text, control, parameter
from rosephys.physics.fields.wave import wave_limit, wave_step
from rosephys.scene.picture import Image


def heart(n: int) -> np.ndarray[Any, Any]:
    """A heart with soft edges, less its mean."""
    at = 2.6 * ((np.arange(n) + 0.5) / n - 0.5)
    x, y = at[:, None], at[None, :] + 0.12
    beyond = np.hypot(x, y - 0.6 * np.sqrt(np.abs(x))) - 0.75
    shape = 1 / (1 + np.exp(np.clip(beyond / 0.06, -40, 40)))
    return np.asarray(shape - shape.mean())


@ra.struct
class State:
    """The height of the skin a step ago and now, each (n, n)."""

    before: ra.Vec
    now: ra.Vec


class Wave(Scene):
    """Find the dent in a skin whose waves meet in a picture."""

    iterations = 200
    rate = 1.0
    optimizer = "gd"

    cells: int = parameter(256, "cells along a side", bounds=(4, 2048))
    steps: int = parameter(254, "number of time steps", bounds=(1, 10_000_000))
    dt: float = parameter(0.02, "seconds that a step is shown for", unit="s", bounds=(1e-9, 10.0))
    courant: float = parameter(
        1 / math.sqrt(3), "speed of the waves, in cells a step", bounds=(0.0, math.sqrt(0.5))
    )
    damping: float = parameter(0.0, "damping of short waves", bounds=(0.0, 0.35))
    target: Any = parameter(lambda scene: heart(scene.cells), "the picture (cells, cells)")
    dent: Any = control(
        lambda scene: np.zeros((scene.cells,) * 2), "the first shape (cells, cells)"
    )

    def initial(self) -> State:
        return State(self.dent, np.zeros((self.cells,) * 2))

    def step(self, state: State, t: Any) -> State:
        return State(state.now, wave_step(state.before, state.now, self.courant, self.damping))

    def limits(self, state: State) -> tuple[Limit, ...]:
        return (wave_limit(self.courant, self.damping),)

    def loss(self, final: State) -> Any:
        return ra.mean((final.now - self.target) ** 2)

    def picture(self, state: State) -> Picture:
        return Picture(
            (
                Image(state.now, (0.0, 0.0, 1.0, 1.0), "waves", -1.0, 1.0),
                Image(self.target, (1.06, 0.53, 1.53, 1.0), "waves", -1.0, 1.0),
                Text((1.13, 0.96), "target", "accent", 17.0),
            ),
            (0.0, 0.0, 1.53, 1.0),
        )
