"""Throw a cube of jelly so that it comes to the goal, wobbling and tumbling."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

import rose_ad as ra
from rosephys import Cross, Limit, Picture, Polygons, Scene, Track, control, parameter
from rosephys.physics.particles.mpm import (
    Grid,
    Particles,
    at_rest,
    mpm_limits,
    neo_hookean,
    neo_hookean_energy,
    step,
)
from rosephys.scene.projection import Camera

CAMERA = Camera(-65.0, 24.0)
POISSON = 0.3


@cache
def skin(n: int) -> np.ndarray[Any, Any]:
    """The outside of a cube of n³ particles: quadrilaterals (6 (n - 1)², 4), anticlockwise seen from there."""
    number = np.arange(n**3).reshape(n, n, n)
    faces = []
    for axis in range(3):
        layers = np.moveaxis(number, (axis, (axis + 1) % 3, (axis + 2) % 3), (0, 1, 2))
        for layer in (layers[-1], layers[0].T):
            corners = (layer[:-1, :-1], layer[1:, :-1], layer[1:, 1:], layer[:-1, 1:])
            faces.append(np.stack(corners, -1).reshape(-1, 4))
    return np.concatenate(faces)


class Blob(Scene):
    """Throw a cube of jelly so that it ends at the goal."""

    iterations = 15
    rate = 0.3
    optimizer = "lbfgs"
    memory = 1 << 30

    nodes: int = parameter(32, "nodes of the grid along an axis, a metre", bounds=(16, 256))
    edge: int = parameter(10, "particles along an edge of the cube", bounds=(2, 100))
    steps: int = parameter(600, "number of time steps", bounds=(1, 10_000_000))
    dt: float = parameter(1.5e-3, "time step", unit="s", bounds=(1e-9, 1.0))
    size: float = parameter(0.2, "edge of the cube", unit="m", bounds=(1e-3, 0.5))
    density: float = parameter(1000.0, "of the jelly", unit="kg/m³", bounds=(1e-3, 1e5))
    stiffness: float = parameter(2e4, "Young's modulus", unit="Pa", bounds=(0.0, 1e9))
    gravity: float = parameter(9.81, "acceleration of gravity, downwards", unit="m/s²")
    start: Any = parameter((0.25, 0.4, 0.35), "where its middle starts", unit="m")
    goal: Any = parameter(
        lambda scene: CAMERA.place(np.array([0.22, 0.05, 0.0])),
        "where on the floor it should end, as a place in the picture",
        unit="m",
        handle=True,
    )
    velocity: Any = control((0.5, 0.0, 1.0), "velocity at the start", unit="m/s")
    spin: Any = control((0.5, 4.0, 1.0), "angular velocity at the start", unit="rad/s")

    @property
    def _grid(self) -> Grid:
        return Grid(self.nodes)

    @property
    def _volume(self) -> Any:
        """Of a particle."""
        return (self.size / self.edge) ** 3

    @property
    def _lame(self) -> tuple[Any, Any]:
        mu = self.stiffness / (2 * (1 + POISSON))
        return mu, 2 * mu * POISSON / (1 - 2 * POISSON)

    def initial(self) -> Particles:
        cells = np.moveaxis(np.mgrid[: self.edge, : self.edge, : self.edge], 0, -1).reshape(-1, 3)
        arm = self.size * ((cells + 0.5) / self.edge - 0.5)
        turning = ra.build(len(cells), lambda p: ra.cross(self.spin, ra.array(arm)[p]))
        return at_rest(self.start + arm, self.velocity + turning)

    def step(self, state: Particles, t: Any) -> Particles:
        def jelly(p: Any, f: Any) -> tuple[Any, Any]:
            return f, self._volume * neo_hookean(f, *self._lame)

        mass = self.density * self._volume * np.ones(self.edge**3)
        gravity = self.gravity * np.array([0.0, 0.0, -1.0])
        return step(self._grid, state, mass, jelly, gravity, self.dt)

    def limits(self, state: Particles) -> tuple[Limit, ...]:
        mu, lam = self._lame
        return mpm_limits(self._grid, state, ra.sqrt((lam + 2 * mu) / self.density), self.dt)

    def loss(self, final: Particles) -> Any:
        x, y, _ = CAMERA.on_floor(self.goal)
        resting = ra.array([x, y, 0.5 * self.size])
        miss = ra.mean(self._seen(final.position), axis=0) - resting
        return ra.dot(miss, miss)

    def invariants(self, state: Particles) -> dict[str, Any]:
        """The energy, of which the transfers and the floor take some."""
        v = state.velocity

        def strain(p: Any) -> Any:
            return neo_hookean_energy(state.deformation[p], *self._lame)

        moving = self.density * (0.5 * ra.mean(ra.sum(v * v, axis=1)))
        above = self.density * self.gravity * ra.mean(state.position[:, 2])
        elastic = ra.mean(ra.build(self.edge**3, strain))
        return {"energy": self.size**3 * (moving + above + elastic)}

    def _seen(self, points: Any) -> Any:
        """Points (..., 3) from the middle of the floor, which is where the picture is centred."""
        floor = (self._grid.margin - 0.5) * self._grid.spacing
        return points - np.array([0.5, 0.5, floor])

    def picture(self, state: Particles) -> Picture:
        faces = self._seen(state.position)[skin(self.edge)]
        shadow = CAMERA.place(faces * np.array([1.0, 1.0, 0.0]))
        shapes = (
            CAMERA.floor(0.5, 0.4, 0.1),
            Polygons(shadow, np.zeros(len(skin(self.edge))), "shade"),
            Cross(self.goal, "accent"),
            CAMERA.solid(faces, "good"),
        )
        return Picture(shapes, (-0.52, -0.3, 0.52, 0.52))

    def tracks(self, state: Particles) -> tuple[Track, ...]:
        middle = ra.mean(self._seen(state.position), axis=0)
        return (Track(CAMERA.place(middle), "accent", "middle"),)
