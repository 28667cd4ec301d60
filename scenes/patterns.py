"""Spots and stripes, as on the skins of animals, are grown into a picture by feeding them where they should be.

Two substances react and spread as Gray and Scott wrote: food is supplied everywhere, an eater feeds on it, and
where it is fed well makes patterns. Lengths are in cells, times in steps of 1; `dt` only says how fast it is
shown.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import rose_ad as ra
from rosephys import Limit, Picture, Scene, Text, control, parameter
from rosephys.physics.fields.reaction_diffusion import gray_scott_limit, gray_scott_step
from rosephys.scene.picture import Image

Array = np.ndarray[Any, Any]


def seeds(n: int) -> Array:
    """Where the eater is at the start: a few soft lumps."""
    at = np.arange(n) / n
    x, y = at[:, None], at[None, :]
    eater = np.zeros((n, n))
    for cx, cy in ((0.3, 0.35), (0.7, 0.3), (0.5, 0.7), (0.25, 0.75), (0.8, 0.75)):
        eater += 0.5 * np.exp(-((x - cx) ** 2 + (y - cy) ** 2) / 0.003)
    return eater


def crescent(n: int) -> Array:
    """A crescent with soft edges, 0 .. 0.35."""
    at = (np.arange(n) + 0.5) / n
    x, y = at[:, None], at[None, :]
    outer = 0.38 - np.hypot(x - 0.5, y - 0.5)
    inner = np.hypot(x - 0.64, y - 0.5) - 0.27
    return np.asarray(0.35 / (1 + np.exp(-np.clip(np.minimum(outer, inner) / 0.02, -40, 40))))


@ra.struct
class State:
    """The concentrations of both substances, each (n, n)."""

    food: ra.Vec
    eater: ra.Vec


class Patterns(Scene):
    """Feed a reaction so that its patterns grow into a picture."""

    iterations = 120
    rate = 0.001
    optimizer = "adam"

    cells: int = parameter(96, "cells along a side", bounds=(3, 2048))
    steps: int = parameter(600, "number of time steps", bounds=(1, 10_000_000))
    dt: float = parameter(0.008, "seconds that a step is shown for", unit="s", bounds=(1e-9, 10.0))
    kill: float = parameter(0.06, "rate at which the eater dies", bounds=(0.0, 1.0))
    target: Any = parameter(lambda scene: crescent(scene.cells), "the picture (cells, cells)")
    feed: Any = control(
        lambda scene: np.full((scene.cells,) * 2, 0.03),
        "rate at which food is supplied (cells, cells)",
        bounds=(0.0, 0.1),
    )

    def initial(self) -> State:
        eater = seeds(self.cells)
        return State(1.0 - eater, eater)

    def step(self, state: State, t: Any) -> State:
        food, eater = gray_scott_step(state.food, state.eater, self.feed, self.kill, 1.0)
        return State(food, eater)

    def limits(self, state: State) -> tuple[Limit, ...]:
        return (gray_scott_limit(state.eater, self.feed, self.kill, 1.0),)

    def loss(self, final: State) -> Any:
        return ra.mean((final.eater - self.target) ** 2)

    def picture(self, state: State) -> Picture:
        return Picture(
            (
                Image(state.eater, (0.0, 0.0, 1.0, 1.0), "heat", 0.0, 0.4),
                Image(self.target, (1.06, 0.53, 1.53, 1.0), "heat", 0.0, 0.4),
                Image(self.feed, (1.06, 0.0, 1.53, 0.47), "water", 0.0, 0.08),
                Text((1.13, 0.96), "target", "accent", 17.0),
                Text((1.13, 0.43), "feed", "accent", 17.0),
            ),
            (0.0, 0.0, 1.53, 1.0),
        )
