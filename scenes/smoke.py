"""Smoke is blown into a picture: the wind at the start is sought.

Three bands of smoke drift with a wind that has no divergence on a grid without edges. The job is that of
DiffTaichi (Hu et al., ICLR 2020) and, before it, of Maclaurin, Duvenaud and Adams' autograd. Times count steps,
velocities are in cells a step, and the sides have length 1.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import rose_ad as ra
from rosephys import Limit, Picture, Scene, Text, control, parameter
from rosephys.physics.fields.advection import advect, advection_limit
from rosephys.physics.fields.grid import beside
from rosephys.physics.fields.pressure import SOLVERS, project
from rosephys.scene.picture import Image

Array = np.ndarray[Any, Any]

BAND = 10  # cells, the width of a band
# A calm is where the published job begins. There every path ends on a line between cells, and the slope of the
# loss is another on either side.
BREEZES = {"breeze": (0.02, 0.01), "calm": (0.0, 0.0)}


def bands(n: int) -> Array:
    """Three bands across the first axis."""
    smoke = np.zeros((n, n))
    for begin in (n // 11, 5 * n // 11, 9 * n // 11):
        smoke[begin : begin + BAND] = 1.0
    return smoke


def ring(n: int) -> Array:
    """A soft ring in the middle."""
    at = (np.arange(n) + 0.5) / n - 0.5
    off = np.hypot(at[:, None], at[None, :]) - 0.27
    return np.exp(-((off / 0.075) ** 2))


def breeze(scene: Any, axis: int) -> Array:
    """The wind along an axis before it is sought, the same everywhere."""
    return np.full((scene.cells, scene.cells), BREEZES[scene.start][axis])


@ra.struct
class State:
    """The velocity along both axes and the smoke, each of shape (n, n)."""

    u: ra.Vec
    w: ra.Vec
    smoke: ra.Vec


class Smoke(Scene):
    """Blow smoke into a picture: find the wind at the start."""

    iterations = 150
    rate = 100.0
    optimizer = "gd"

    cells: int = parameter(110, "cells along a side", bounds=(11, 1024))
    steps: int = parameter(99, "number of time steps", bounds=(1, 10_000_000))
    dt: float = parameter(0.04, "seconds that a step is shown for", unit="s", bounds=(1e-9, 10.0))
    solver: str = parameter("jacobi", "how the pressure is found", choices=tuple(SOLVERS))
    sweeps: int = parameter(6, "sweeps a step, of a solver that sweeps", bounds=(1, 10_000))
    start: str = parameter("breeze", "the wind before it is sought", choices=tuple(BREEZES))
    target: Any = parameter(lambda scene: ring(scene.cells), "the picture (cells, cells)")
    u: Any = control(lambda scene: breeze(scene, 0), "wind along the first axis (cells, cells)")
    w: Any = control(lambda scene: breeze(scene, 1), "wind along the second axis (cells, cells)")

    def initial(self) -> State:
        return State(self.u, self.w, bands(self.cells))

    def step(self, state: State, t: Any) -> State:
        u, w = advect((state.u, state.w), state.u, state.w)
        u, w = project(u, w, 1 / self.cells, self.solver, self.sweeps)
        (smoke,) = advect((state.smoke,), u, w)
        return State(u, w, smoke)

    def limits(self, state: State) -> tuple[Limit, ...]:
        return (advection_limit(state.u, state.w, "u", "a weaker wind is needed"),)

    def loss(self, final: State) -> Any:
        return ra.mean((final.smoke - self.target) ** 2)

    def picture(self, state: State) -> Picture:
        wind = ra.build(
            self.cells, lambda i: ra.build(self.cells, lambda j: self._spin(state, i, j))
        )
        return Picture(
            (
                Image(state.smoke, (0.0, 0.0, 1.0, 1.0), "smoke"),
                Image(self.target, (1.06, 0.53, 1.53, 1.0), "smoke"),
                Image(wind, (1.06, 0.0, 1.53, 0.47), "waves", -0.5, 0.5),
                Text((1.13, 0.96), "target", "accent", 17.0),
                Text((1.13, 0.43), "spin", "accent", 17.0),
            ),
            (0.0, 0.0, 1.53, 1.0),
        )

    def _spin(self, state: State, i: Any, j: Any) -> Any:
        """The vorticity at a cell, in turns a step."""
        west, east, _, _ = beside(state.w, i, j)
        _, _, south, north = beside(state.u, i, j)
        return 0.5 * (east - west - north + south)
