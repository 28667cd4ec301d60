"""Shake a tank so that its water ends on one side.

Masses and volumes of particles are 1 and lengths are in units of the grid, so all is without dimension.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import rose_ad as ra
from rosephys import Cross, Fluid, Limit, Picture, Polyline, Scene, Track, control, parameter
from rosephys.physics.mechanics.knots import linear_between
from rosephys.physics.particles.mpm import (
    Grid,
    Particles,
    at_rest,
    isotropic,
    liquid,
    mpm_limits,
    step,
)

LAYERS = ("#1f6feb", "#4f9cf5", "#8cc4ff", "#d3e9ff")  # from the bottom up


class Liquid(Scene):
    """Shake a tank so that the middle of its water ends as far right and as high as the goal."""

    iterations = 40
    rate = 1.0
    optimizer = "lbfgs"
    memory = 1 << 30

    nodes: int = parameter(40, "nodes of the grid along an axis", bounds=(16, 512))
    knots: int = parameter(9, "how many accelerations give the shaking", bounds=(2, 1000))
    rows: int = parameter(18, "of particles, two in a cell", bounds=(2, 1000))
    steps: int = parameter(1600, "number of time steps", bounds=(1, 10_000_000))
    dt: float = parameter(5e-4, "time step", bounds=(1e-9, 1.0))
    stiffness: float = parameter(100.0, "bulk modulus of the water", bounds=(0.0, 1e6))
    gravity: float = parameter(9.8, "acceleration of gravity, downwards")
    effort: float = parameter(1e-6, "weight of the mean square of the shaking")
    goal: Any = parameter((0.62, 0.26), "where the middle of the water should be", handle=True)
    shaking: Any = control(
        lambda scene: np.zeros(scene.knots), "acceleration of the tank to the left at each knot"
    )

    @property
    def _grid(self) -> Grid:
        return Grid(self.nodes, "slip")

    def _water(self) -> np.ndarray[Any, Any]:
        """Where the particles start, (n, 2), row after row from the floor up."""
        wide = 2 * (self.nodes - 2 * self._grid.margin + 2)
        up, right = np.mgrid[: self.rows, :wide]
        cells = np.stack([right, up], -1).reshape(-1, 2) / 2 + self._grid.margin - 0.75
        return np.asarray(cells * self._grid.spacing)

    def initial(self) -> Particles:
        return at_rest(self._water())

    def step(self, state: Particles, t: Any) -> Particles:
        def water(p: Any, f: Any) -> tuple[Any, Any]:
            return isotropic(f), liquid(f, self.stiffness)

        sideways = linear_between(self.shaking, (t + 0.5) / self.steps)
        pull = ra.array([sideways, -self.gravity])
        mass = np.ones(len(self._water()))
        return step(self._grid, state, mass, water, pull, self.dt)

    def limits(self, state: Particles) -> tuple[Limit, ...]:
        return mpm_limits(self._grid, state, ra.sqrt(self.stiffness), self.dt)

    def loss(self, final: Particles) -> Any:
        miss = ra.mean(final.position, axis=0) - self.goal
        return ra.dot(miss, miss) + self.effort * ra.mean(self.shaking * self.shaking)

    def picture(self, state: Particles) -> Picture:
        row = np.arange(len(self._water())) * self.rows // len(self._water())
        colours = tuple(LAYERS[k * len(LAYERS) // self.rows] for k in row)
        low = (self._grid.margin - 1) * self._grid.spacing
        high = 1 - low
        tank = np.array([[low, high], [low, low], [high, low], [high, high]])
        return Picture(
            (
                Fluid(state.position, 0.25 / self.nodes, colours, (low, low, high, 2.0)),
                Polyline(tank, "faint", 3.0),
                Cross(self.goal, "accent"),
            ),
            (0.0, 0.0, 1.0, 0.75),
        )

    def tracks(self, state: Particles) -> tuple[Track, ...]:
        return (Track(ra.mean(state.position, axis=0), "accent", "middle"),)
