"""A soft creature of elastic material learns to walk.

Four legs carry a body; each leg is a muscle that pulls or pushes upright, by a signal of four sine waves and a
bias. Their weights are the controls. The job is the 2-D walker of DiffTaichi (Hu et al., ICLR 2020); masses and
volumes of particles are 1 and lengths are in units of the grid, so all is without dimension.
"""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import numpy as np

import rose_ad as ra
from rosephys import Circles, Limit, Lines, Picture, Polygon, Scene, Track, control, parameter
from rosephys.physics.particles.mpm import (
    Grid,
    Particles,
    at_rest,
    corotated,
    determinant,
    mpm_limits,
    muscle,
    step,
)
from rosephys.scene.scenery import as_far_as_it_can

Array = np.ndarray[Any, Any]

BLOCKS = (  # x, y, width, height, and the number of its muscle
    (0.0, 0.1, 0.3, 0.1, -1),
    (0.0, 0.0, 0.05, 0.1, 0),
    (0.05, 0.0, 0.05, 0.1, 1),
    (0.2, 0.0, 0.05, 0.1, 2),
    (0.25, 0.0, 0.05, 0.1, 3),
)
ORIGIN = (0.1, 0.03)
MUSCLES, WAVES = 4, 4
BALLAST = 1e-10  # of the grid's nodes, as in DiffTaichi
PACE = 20.0  # of the waves, in radians a unit of time
FLOOR = 3.0  # height of the ground in cells: where the grid stops what falls
VIEW = (0.0, -0.03, 0.9, 0.4)
COLOURS = ("bone", "low", "accent", "good", "high")  # of the body and each muscle


@cache
def creature(nodes: int) -> tuple[Array, Array]:
    """Positions (n, 2) of the particles, two along each axis of a cell, and their muscles (n,), -1 for none."""
    positions, muscles = [], []
    for x, y, width, height, number in BLOCKS:
        counts = 2 * int(width * nodes), 2 * int(height * nodes)
        i, j = np.meshgrid(*map(np.arange, counts), indexing="ij")
        at = np.stack([(i + 0.5) * width / counts[0] + x, (j + 0.5) * height / counts[1] + y], -1)
        positions.append(at.reshape(-1, 2) + ORIGIN)
        muscles.append(np.full(i.size, number))
    return np.concatenate(positions), np.concatenate(muscles)


class Walker(Scene):
    """Teach a soft creature to walk: it is to come as far to the right as it can."""

    iterations = 100
    rate = 0.1
    optimizer = "gd"
    memory = 1 << 30

    nodes: int = parameter(128, "nodes of the grid along an axis", bounds=(20, 1024))
    steps: int = parameter(1023, "number of time steps", bounds=(1, 10_000_000))
    dt: float = parameter(1e-3, "time step", bounds=(1e-9, 1.0))
    stiffness: float = parameter(10.0, "Lamé's parameters, both", bounds=(0.0, 1e6))
    strength: float = parameter(4.0, "the most stress that a muscle makes", bounds=(0.0, 1e3))
    gravity: float = parameter(3.8, "acceleration of gravity, downwards")
    weights: Any = control(
        lambda scene: 0.01 * np.random.RandomState(0).randn(MUSCLES, WAVES),
        "of each wave in a muscle's signal (4, 4)",
    )
    bias: Any = control(lambda scene: np.zeros(MUSCLES), "of each muscle's signal (4,)")

    @property
    def creature(self) -> tuple[Array, Array]:
        """Where its particles start (n, 2), and the muscle of each (n,), -1 for none."""
        return creature(self.nodes)

    def initial(self) -> Particles:
        return at_rest(self.creature[0])

    def step(self, state: Particles, t: Any) -> Particles:
        waves = ra.sin(PACE * self.dt * t + 2 * np.pi / WAVES * np.arange(WAVES))
        pull = self.strength * ra.tanh(self.weights @ waves + self.bias)
        muscles = ra.array(self.creature[1])

        def tissue(p: Any, f: Any) -> tuple[Any, Any]:
            number = muscles[p]
            strength = ra.where(number >= 0, pull[ra.maximum(number, 0)], 0.0)
            stress = corotated(f, self.stiffness, self.stiffness) + muscle(f, strength, 1)
            return f, stress

        gravity = self.gravity * np.array([0.0, -1.0])
        return step(self._grid, state, self._mass, tissue, gravity, self.dt)

    @property
    def _grid(self) -> Grid:
        return Grid(self.nodes, ballast=BALLAST)

    @property
    def _mass(self) -> Array:
        return np.ones(len(self.creature[0]))

    def limits(self, state: Particles) -> tuple[Limit, ...]:
        sound = ra.sqrt(3 * self.stiffness + self.strength)
        return mpm_limits(self._grid, state, sound, self.dt)

    def loss(self, final: Particles) -> Any:
        return -ra.mean(final.position[:, 0])

    def invariants(self, state: Particles) -> dict[str, Any]:
        """The least det F, 1 at rest, which must stay positive: no part of it may turn inside out."""
        volumes = ra.build(len(self._mass), lambda p: determinant(state.deformation[p]))
        return {"least volume": ra.min(volumes)}

    @property
    def allowed_drift(self) -> dict[str, float | tuple[float, float]]:
        return {"least volume": (0.999, math.inf)}

    def picture(self, state: Particles) -> Picture:
        muscles = self.creature[1]
        colours = tuple(COLOURS[k + 1] for k in muscles)
        return Picture(
            (
                *_earth(FLOOR / self.nodes),
                Circles(state.position, 0.4 / self.nodes, colours, style="disc"),
                *as_far_as_it_can((0.5 * (VIEW[0] + VIEW[2]), 0.9 * VIEW[3]), 0.3),
            ),
            VIEW,
        )

    def tracks(self, state: Particles) -> tuple[Track, ...]:
        return (Track(ra.mean(state.position, axis=0), "text", "middle"),)


def _earth(height: float) -> tuple[Polygon, Lines, Lines]:
    """The ground, its surface, and marks a tenth apart."""
    left, right, deep = -1.0, 2.0, -1.0
    soil = np.array([[left, deep], [right, deep], [right, height], [left, height]])
    marks = np.arange(left, right, 0.1)[:, None] * (1.0, 0.0) + (0.0, height)
    return (
        Polygon(soil, "earth"),
        Lines(marks, marks - (0.0, 0.012), "line", 1.5),
        Lines(soil[3:], soil[2:3], "faint", 2.0),
    )
