"""Throw an elastic square so that its middle ends at the goal.

The job is "throw an elastic square" of DiffTaichi (Hu et al., ICLR 2020); masses and volumes of particles are 1
and lengths are in units of the grid, so all is without dimension. Its walls let the square slide.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import rose_ad as ra
from rosephys import Circles, Cross, Limit, Picture, Polygon, Scene, Track, control, parameter
from rosephys.physics.particles.mpm import (
    Grid,
    Particles,
    at_rest,
    corotated,
    corotated_energy,
    mpm_limits,
    step,
)

CORNER = (10.0, 25.0)  # of the square, in cells
BALLAST = 1e-10  # of the grid's nodes, as in DiffTaichi
TILES = 6  # that the square is painted with, along an edge


class Jelly(Scene):
    """Throw an elastic square so that its middle ends at the goal."""

    iterations = 30
    rate = 10.0
    optimizer = "gd"
    memory = 1 << 30

    nodes: int = parameter(120, "nodes of the grid along an axis", bounds=(60, 1024))
    edge: int = parameter(60, "particles along an edge of the square", bounds=(2, 200))
    steps: int = parameter(1023, "number of time steps", bounds=(1, 10_000_000))
    dt: float = parameter(3e-4, "time step", bounds=(1e-9, 1.0))
    apart: float = parameter(0.7, "between particles, in cells", bounds=(0.1, 1.0))
    stiffness: float = parameter(100.0, "Lamé's parameters, both", bounds=(0.0, 1e6))
    gravity: float = parameter(9.8, "acceleration of gravity, downwards")
    goal: Any = parameter((0.3, 0.6), "where the middle should end", handle=True)
    throw: Any = control((0.0, 0.0), "velocity at the start", anchor="goal")

    @property
    def _grid(self) -> Grid:
        return Grid(self.nodes, "slip", ballast=BALLAST)

    @property
    def _mass(self) -> np.ndarray[Any, Any]:
        return np.ones(self.edge**2)

    def initial(self) -> Particles:
        cells = np.moveaxis(np.mgrid[: self.edge, : self.edge], 0, -1).reshape(-1, 2)
        return at_rest((self.apart * cells + CORNER) * self._grid.spacing, self.throw)

    def step(self, state: Particles, t: Any) -> Particles:
        def rubber(p: Any, f: Any) -> tuple[Any, Any]:
            return f, corotated(f, self.stiffness, self.stiffness)

        gravity = self.gravity * np.array([0.0, -1.0])
        return step(self._grid, state, self._mass, rubber, gravity, self.dt)

    def limits(self, state: Particles) -> tuple[Limit, ...]:
        sound = ra.sqrt(3 * self.stiffness)
        return mpm_limits(self._grid, state, sound, self.dt)

    def loss(self, final: Particles) -> Any:
        miss = ra.mean(final.position, axis=0) - self.goal
        return 0.5 * ra.dot(miss, miss)

    def invariants(self, state: Particles) -> dict[str, Any]:
        """The energy, of which the transfers take a little, and the momentum along the floor."""
        height = ra.sum(state.position[:, 1])

        def strain(p: Any) -> Any:
            return corotated_energy(state.deformation[p], self.stiffness, self.stiffness)

        kinetic = 0.5 * ra.sum(state.velocity * state.velocity)
        elastic = ra.sum(ra.build(self.edge**2, strain))
        return {
            "energy": kinetic + elastic + self.gravity * height,
            "momentum": ra.sum(state.velocity[:, 0]),
        }

    def picture(self, state: Particles) -> Picture:
        i, j = np.mgrid[: self.edge, : self.edge] * TILES // self.edge
        colours = tuple(("high", "#2c6fa6")[k] for k in ((i + j) % 2).ravel())
        wall = self._grid.margin * self._grid.spacing
        box = np.array([[wall, wall], [1 - wall, wall], [1 - wall, 1 - wall], [wall, 1 - wall]])
        return Picture(
            (
                Polygon(box, "canvas", "faint"),
                Circles(
                    state.position, 0.7 * self.apart * self._grid.spacing, colours, style="disc"
                ),
                Cross(self.goal, "accent"),
            ),
            (0.0, 0.0, 1.0, 1.0),
        )

    def tracks(self, state: Particles) -> tuple[Track, ...]:
        return (Track(ra.mean(state.position, axis=0), "accent", "middle"),)
