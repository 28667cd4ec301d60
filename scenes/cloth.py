"""Two hands flick a cloth so that one of its loose corners touches the goal."""

from __future__ import annotations

from typing import Any

import numpy as np

import rose_ad as ra
from rosephys import Circles, Cross, Limit, Picture, Scene, Track, control, parameter
from rosephys.physics.mechanics.knots import linear_between
from rosephys.physics.robots.net import (
    Springs,
    net_energy,
    net_forces,
    net_limit,
    sheet_cells,
    sheet_springs,
    sheet_triangles,
    wind_forces,
)
from rosephys.scene.projection import Camera

CAMERA = Camera(-62.0, 16.0)
UP = np.array([0.0, 0.0, 1.0])


@ra.struct
class State:
    """Positions and velocities of the cloth's points, each of shape (n, 3)."""

    position: ra.Vec
    velocity: ra.Vec


class Cloth(Scene):
    """Flick a cloth by two corners so that another touches the goal."""

    iterations = 30
    rate = 0.5
    optimizer = "gd"

    columns: int = parameter(11, "points along an edge", bounds=(3, 200))
    knots: int = parameter(5, "how many velocities give a hand's motion", bounds=(2, 1000))
    steps: int = parameter(800, "number of time steps", bounds=(1, 10_000_000))
    dt: float = parameter(0.00125, "time step", unit="s", bounds=(1e-9, 0.1))
    size: float = parameter(1.0, "length of an edge", unit="m", bounds=(1e-2, 1e2))
    mass: float = parameter(0.3, "mass of the cloth", unit="kg", bounds=(1e-3, 1e3))
    stretch: float = parameter(120.0, "stiffness of the structural springs", unit="N/m")
    shear: float = parameter(20.0, "stiffness of the shear springs", unit="N/m")
    bend: float = parameter(2.0, "stiffness of the bend springs", unit="N/m")
    damping: float = parameter(0.01, "of the springs", unit="N s/m", bounds=(0.0, 1e3))
    gravity: float = parameter(9.81, "acceleration of gravity", unit="m/s²")
    wind: Any = parameter((0.0, 1.5, 0.0), "velocity of the air", unit="m/s")
    air: float = parameter(1.2, "density of the air", unit="kg/m³", bounds=(0.0, 1e3))
    effort: float = parameter(1e-3, "weight of the mean squared speed of the hands", unit="s²")
    goal: Any = parameter((0.55, 0.25), "where the corner should be seen", unit="m", handle=True)
    depth: float = parameter(0.3, "of the goal, towards the eye", unit="m")
    hands: Any = control(
        lambda scene: np.zeros((scene.knots, 2, 3)),
        "velocities of both hands at each knot",
        unit="m/s",
        bounds=(-4.0, 4.0),
    )

    @property
    def held(self) -> np.ndarray[Any, Any]:
        """The points in the hands."""
        return np.array([0, self.columns - 1])

    def _sheet(self) -> np.ndarray[Any, Any]:
        """Where the points of a cloth of edge 1 start, (n, 3), row after row from the held one down."""
        at = np.linspace(0.0, 1.0, self.columns)
        down, along = np.meshgrid(at, at, indexing="ij")
        return np.stack([along - 0.5, 0 * along, 0.5 - down], axis=-1).reshape(-1, 3)

    def _springs(self) -> tuple[Springs, ...]:
        kinds = sheet_springs(self._sheet(), self.columns, self.stretch, self.shear, self.bend)
        return tuple(Springs(k.ends, self.size * k.rest, k.stiffness) for k in kinds)

    def initial(self) -> State:
        sheet = self._sheet()
        return State(self.size * sheet, np.zeros(sheet.shape))

    def step(self, state: State, t: Any) -> State:
        x, v, dt = state.position, state.velocity, self.dt
        triangles = sheet_triangles(self.columns, self.columns)
        force = net_forces(self._springs(), x, v, self.damping)
        force = force + wind_forces(triangles, x, v, ra.array(self.wind), self.air)
        v = v + dt * (force / self._point_mass - self.gravity * UP)
        hands = linear_between(self.hands, (t + 0.5) / self.steps)
        last = self.columns - 1
        v = ra.build(
            x.shape[0],
            lambda i: ra.where(i == 0, hands[0], ra.where(i == last, hands[1], v[i])),
        )
        return State(x + dt * v, v)

    @property
    def _point_mass(self) -> Any:
        return self.mass / self.columns**2

    def limits(self, state: State) -> tuple[Limit, ...]:
        return (net_limit(self._springs(), self._sheet(), self._point_mass, self.damping, self.dt),)

    def loss(self, final: State) -> Any:
        right, up, toward = CAMERA.axes
        goal = self.goal[0] * right + self.goal[1] * up + self.depth * toward
        miss = final.position[-1] - goal
        return ra.dot(miss, miss) + self.effort * ra.mean(self.hands * self.hands)

    def invariants(self, state: State) -> dict[str, Any]:
        """The energy, which dampers and air take and hands and wind give."""
        x, v = state.position, state.velocity
        return {"energy": net_energy(self._springs(), x, v, self._point_mass, self.gravity)}

    def picture(self, state: State) -> Picture:
        x = state.position
        cells = sheet_cells(self.columns, self.columns)
        return Picture(
            (
                CAMERA.floor(1.0, 1.0, 0.25, -0.9),
                CAMERA.sheet(x[cells], "#b8483f", "#3a1018", "#f2b89a"),
                Circles(CAMERA.place(x[self.held]), 0.03, ("ivory",)),
                Circles(CAMERA.place(x[-1:]), 0.025, ("accent",)),
                Cross(self.goal, "good"),
            ),
            (-1.15, -0.95, 1.15, 1.1),
        )

    def tracks(self, state: State) -> tuple[Track, ...]:
        return (Track(CAMERA.place(state.position[-1]), "accent", "corner"),)
