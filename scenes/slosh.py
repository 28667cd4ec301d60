"""Water sloshes in a tank: the tilts of the tank that heap it up at a wall are sought.

The picture is that of somebody who tilts with the tank; the arrow is gravity. Lengths are in m, times in s.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import rose_ad as ra
from rosephys import (
    Arrow,
    Fluid,
    Limit,
    Lines,
    Picture,
    Scene,
    SceneError,
    Text,
    control,
    parameter,
)
from rosephys.physics.fluids.sph import Liquid, density_rate, sph_acceleration, sph_limits
from rosephys.physics.mechanics.knots import linear_between

TANK = np.array([1.0, 0.8])  # m, its width and height
REST = 1000.0  # kg/m², the density of water in a layer 1 m deep
LAYERS = ("#1d6fa5", "#2f8fc4", "#55aedb", "#8fd0ee")  # from the bottom up
STIFF = 4e4  # 1/s², of the walls


@ra.struct
class State:
    """Positions and velocities (n, 2), densities (n,), and the tilt of the tank in rad."""

    position: ra.Vec
    velocity: ra.Vec
    density: ra.Vec
    tilt: ra.Real


class Slosh(Scene):
    """Tilt a tank so that its water heaps up at the right wall."""

    iterations = 40
    rate = 0.02
    optimizer = "adam"

    columns: int = parameter(25, "points along the floor", bounds=(4, 400))
    rows: int = parameter(8, "layers of points", bounds=(1, 200))
    steps: int = parameter(600, "number of time steps", bounds=(1, 10_000_000))
    dt: float = parameter(0.001, "time step", unit="s", bounds=(1e-9, 0.1))
    gravity: float = parameter(9.81, "acceleration of gravity", unit="m/s²", bounds=(0.0, 100.0))
    sound: float = parameter(20.0, "speed of sound", unit="m/s", bounds=(0.1, 1e4))
    viscosity: float = parameter(1.0, "viscosity of approach", bounds=(0.0, 10.0))
    effort: float = parameter(0.02, "what the mean square of the tilts costs", unit="m²")
    tilts: Any = control(
        np.full(6, 0.05), "tilt of the tank, in turn", unit="rad", bounds=(-0.35, 0.35)
    )

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        most = int(TANK[1] / self.spacing + 1e-9)
        if self.rows > most:
            high = self.rows * self.spacing
            raise SceneError(
                f"rows are {self.rows}, {high:.3g} m of water in a tank of {TANK[1]:g} m: with {self.columns}"
                f" columns they may be {most}"
            )

    @property
    def spacing(self) -> float:
        """The distance of neighbours at the start, in m."""
        return float(TANK[0] / self.columns)

    def initial(self) -> State:
        at = np.stack(np.meshgrid(np.arange(self.columns), np.arange(self.rows)), axis=-1)
        x = self.spacing * (at.reshape(-1, 2) + 0.5)
        return State(x, np.zeros(x.shape), np.full(len(x), REST), 0.0)

    @property
    def liquid(self) -> Liquid:
        """The water."""
        d = self.spacing
        return Liquid(REST * d**2, 1.3 * d, REST, self.sound, self.viscosity)

    def step(self, state: State, t: Any) -> State:
        x, v, dt = state.position, state.velocity, self.dt
        tilt = linear_between(ra.array(self.tilts), (t + 0.5) / self.steps)
        down = self.gravity * ra.array([ra.sin(tilt), -ra.cos(tilt)])
        push = sph_acceleration(self.liquid, x, v, state.density)
        near = 0.5 * self.spacing
        wall = ra.maximum(near - x, 0.0) - ra.maximum(x - (TANK - near), 0.0)
        v = v + dt * (push + down + STIFF * wall)
        density = state.density + dt * density_rate(self.liquid, x, v, state.density, down)
        return State(x + dt * v, v, density, tilt)

    def limits(self, state: State) -> tuple[Limit, ...]:
        wall = Limit("what the stiffness of the walls allows", self.dt, 2 / STIFF**0.5)
        return (*sph_limits(self.liquid, state.density, self.dt), wall)

    def loss(self, final: State) -> Any:
        """The mean square distance of the water from the right wall."""
        off = TANK[0] - final.position[:, 0]
        return ra.mean(off * off) + self.effort * ra.mean(ra.array(self.tilts) ** 2)

    def picture(self, state: State) -> Picture:
        wide, high = TANK
        corners = np.array([[0.0, high], [0.0, 0.0], [wide, 0.0], [wide, high]])
        layer = np.arange(self.rows).repeat(self.columns) * len(LAYERS) // self.rows
        water = tuple(LAYERS[k] for k in layer)
        down = ra.array([ra.sin(state.tilt), -ra.cos(state.tilt)])
        return Picture(
            (
                Fluid(state.position, 0.5 * self.spacing, water, (0.0, 0.0, wide, 2 * high)),
                Lines(corners[:-2], corners[1:-1], "bone", 4.0),
                Lines(corners[2:3], corners[3:], "good", 4.0),
                Text((wide - 0.14, high - 0.03), "heap it up here", "good"),
                Arrow(np.array([0.5 * wide, high]), 0.18 * down, "accent", 3.0),
                Text((0.5 * wide - 0.09, high - 0.03), "gravity", "accent"),
            ),
            (-0.05, -0.05, wide + 0.05, high + 0.02),
        )
