"""Throw a column of sand so that the middle of its heap is at the goal.

Sand that has landed runs on, and how far depends on the throw and on the friction. All is a metre deep.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

import rose_ad as ra
from rosephys import Circles, Cross, Limit, Picture, Scene, Track, control, parameter
from rosephys.physics.particles.mpm import Grid, Particles, at_rest, mpm_limits, step
from rosephys.physics.particles.sand import friction_cone, sand, sand_energy
from rosephys.scene.scenery import level_ground

PLASTIC = 1.3247179572447460  # the plastic number, x³ = x + 1
LAYERS = ("#b5793f", "#e9c778", "#8c5a33", "#d9a95b")  # from the bottom up, and again
BANDS = 9  # of them
POISSON = 0.3


@cache
def scattered(n: int) -> np.ndarray[Any, Any]:
    """n points (n, 2) spread evenly over the unit square and in no rows, the lowest first: Roberts's R2, the
    fractions of multiples of 1 / p and 1 / p², p the plastic number."""
    points = np.arange(1, n + 1)[:, None] * (1 / PLASTIC, 1 / PLASTIC**2) % 1.0
    return np.asarray(points[np.argsort(points[:, 1])])


class Sand(Scene):
    """Throw a column of sand so that its heap ends at the goal."""

    iterations = 6
    rate = 0.3
    optimizer = "lbfgs"
    memory = 1 << 30

    nodes: int = parameter(64, "nodes of the grid along an axis, a metre", bounds=(16, 512))
    particles: int = parameter(1200, "number of particles", bounds=(1, 1_000_000))
    steps: int = parameter(1400, "number of time steps", bounds=(1, 10_000_000))
    dt: float = parameter(5e-4, "time step", unit="s", bounds=(1e-9, 1.0))
    corner: Any = parameter((0.08, 0.12), "of the column, the lower left one", unit="m")
    size: Any = parameter((0.12, 0.26), "width and height of the column", unit="m")
    density: float = parameter(1600.0, "of the sand", unit="kg/m³", bounds=(1e-3, 1e5))
    stiffness: float = parameter(1e5, "Young's modulus", unit="Pa", bounds=(1.0, 1e9))
    friction: float = parameter(35.0, "angle of friction", unit="degrees", bounds=(0.0, 60.0))
    gravity: float = parameter(9.81, "acceleration of gravity, downwards", unit="m/s²")
    goal: Any = parameter(
        (0.48, 0.05), "where the middle of the heap should be", unit="m", handle=True
    )
    throw: Any = control((0.4, 0.4), "velocity at the start", unit="m/s", anchor="goal")

    @property
    def _grid(self) -> Grid:
        return Grid(self.nodes)

    @property
    def _volume(self) -> Any:
        """Of a particle, a metre deep."""
        return self.size[0] * self.size[1] / self.particles

    @property
    def _lame(self) -> tuple[Any, Any]:
        mu = self.stiffness / (2 * (1 + POISSON))
        return mu, 2 * mu * POISSON / (1 - 2 * POISSON)

    def initial(self) -> Particles:
        return at_rest(self.corner + scattered(self.particles) * self.size, self.throw)

    def step(self, state: Particles, t: Any) -> Particles:
        mu, lam = self._lame
        cone = friction_cone(self.friction, 2)

        def grains(p: Any, f: Any) -> tuple[Any, Any]:
            kept, stress = sand(f, mu, lam, cone)
            return kept, self._volume * stress

        mass = self.density * self._volume * np.ones(self.particles)
        gravity = self.gravity * np.array([0.0, -1.0])
        return step(self._grid, state, mass, grains, gravity, self.dt)

    def limits(self, state: Particles) -> tuple[Limit, ...]:
        mu, lam = self._lame
        return mpm_limits(self._grid, state, ra.sqrt((lam + 2 * mu) / self.density), self.dt)

    def loss(self, final: Particles) -> Any:
        return (ra.mean(final.position[:, 0]) - self.goal[0]) ** 2

    def invariants(self, state: Particles) -> dict[str, Any]:
        """The energy, which friction takes."""
        v = state.velocity

        def strain(p: Any) -> Any:
            return sand_energy(state.deformation[p], *self._lame)

        moving = self.density * (0.5 * ra.mean(ra.sum(v * v, axis=1)))
        above = self.density * self.gravity * ra.mean(state.position[:, 1])
        elastic = ra.mean(ra.build(self.particles, strain))
        return {"energy": self._volume * self.particles * (moving + above + elastic)}

    def picture(self, state: Particles) -> Picture:
        bands = (scattered(self.particles)[:, 1] * BANDS).astype(int)
        colours = tuple(LAYERS[k % len(LAYERS)] for k in bands)
        floor = (self._grid.margin - 0.5) * self._grid.spacing
        return Picture(
            (
                *level_ground(floor),
                Circles(state.position, 0.8 * ra.sqrt(self._volume), colours, style="disc"),
                Cross(self.goal, "accent"),
            ),
            (0.02, -0.02, 0.97, 0.5),
        )

    def tracks(self, state: Particles) -> tuple[Track, ...]:
        return (Track(ra.mean(state.position, axis=0), "accent", "middle"),)
