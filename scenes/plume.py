"""Hot smoke rises round a pillar in a room: the draughts that lead it to the goal are sought.

Smoke is made at the floor and rises by buoyancy. Draughts blow from the left wall at sixteen heights; nothing
leaves the room. Lengths are in cells, times in steps; `dt` only says how fast it is shown.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import rose_ad as ra
from rosephys import Circles, Cross, Limit, Picture, Scene, control, parameter
from rosephys.physics.fields.advection import advect, advection_limit
from rosephys.physics.fields.buoyancy import drag_limit, held, risen
from rosephys.physics.fields.grid import each_cell
from rosephys.physics.fields.pressure import SOLVERS, project
from rosephys.scene.picture import Image

Array = np.ndarray[Any, Any]

PILLAR = (0.45, 0.45, 0.12)  # its middle and radius, in sides of the room
SOURCE = (0.4, 0.08, 0.06)  # where smoke is made, likewise
DRAUGHTS = 16
NEAR = 0.2  # how far round the goal smoke counts, in sides of the room


def disc(n: int, x: float, y: float, radius: float) -> Array:
    """The share of each cell (n, n) in a disc; its edge is a cell wide."""
    at = (np.arange(n) + 0.5) / n
    return np.asarray(np.clip(0.5 + n * (radius - np.hypot(at[:, None] - x, at - y)), 0, 1))


def solid(n: int) -> Array:
    """The share of each cell (n, n) that is pillar or wall; walls are a cell thick."""
    walls = np.pad(np.zeros((n - 2, n - 2)), 1, constant_values=1.0)
    return np.asarray(np.maximum(walls, disc(n, *PILLAR)))


@ra.struct
class State:
    """The velocity along both axes, in cells a step, and the smoke, each of shape (n, n)."""

    u: ra.Vec
    w: ra.Vec
    smoke: ra.Vec


class Plume(Scene):
    """Lead rising smoke round a pillar to the goal by draughts from a wall."""

    iterations = 50
    rate = 0.01
    optimizer = "adam"

    cells: int = parameter(64, "cells along a side", bounds=(16, 1024))
    steps: int = parameter(240, "number of time steps", bounds=(1, 10_000_000))
    dt: float = parameter(0.025, "seconds that a step is shown for", unit="s", bounds=(1e-9, 10.0))
    solver: str = parameter("jacobi", "how the pressure is found", choices=tuple(SOLVERS))
    sweeps: int = parameter(20, "sweeps a step, of a solver that sweeps", bounds=(1, 10_000))
    lift: float = parameter(0.03, "acceleration of smoke, in cells a step²")
    drag: float = parameter(0.01, "share of its speed that the flow loses in a step")
    goal: Any = parameter((0.75, 0.8), "where the smoke should be", handle=True)
    draughts: Any = control(
        np.zeros(DRAUGHTS), "acceleration by each draught, from the floor up", bounds=(-0.1, 0.1)
    )

    def initial(self) -> State:
        still = np.zeros((self.cells, self.cells))
        return State(still, still, still)

    def step(self, state: State, t: Any) -> State:
        n, draughts = self.cells, ra.array(self.draughts)
        source = ra.array(disc(n, *SOURCE))
        u, w = advect((state.u, state.w), state.u, state.w, "wall")

        def pushed(i: Any, j: Any) -> Any:
            reach = ra.maximum(1 - 8.0 / n * i, 0.0)  # an eighth of the room
            return (1 - self.drag) * u[i, j] + reach * draughts[j * DRAUGHTS // n]

        u, w = each_cell(u.shape, pushed), risen(w, state.smoke, self.lift, self.drag, 1.0)
        u, w = held(u, w, solid(n))
        u, w = project(u, w, 1 / n, self.solver, self.sweeps, "wall")
        u, w = held(u, w, solid(n))
        (smoke,) = advect((state.smoke,), u, w, "wall")
        smoke = each_cell(u.shape, lambda i, j: ra.maximum(smoke[i, j], source[i, j]))
        return State(u, w, smoke)

    def limits(self, state: State) -> tuple[Limit, ...]:
        wind = advection_limit(
            state.u, state.w, "lift", "a weaker lift is needed, or weaker draughts"
        )
        return wind, drag_limit(self.drag)

    def loss(self, final: State) -> Any:
        """How much smoke lacks round the goal: 1 where there is none, less with more of it nearby."""
        n = self.cells

        def weighed(i: Any, j: Any) -> Any:
            across, up = (i + 0.5) / n - self.goal[0], (j + 0.5) / n - self.goal[1]
            return final.smoke[i, j] * ra.exp(-(across**2 + up**2) / NEAR**2)

        return 1 - ra.sum(each_cell((n, n), weighed)) / (np.pi * (NEAR * n) ** 2)

    def picture(self, state: State) -> Picture:
        x, y, radius = PILLAR
        return Picture(
            (
                Image(state.smoke, (0.0, 0.0, 1.0, 1.0), "heat"),
                Circles(np.array([[x, y]]), radius, ("bone",), style="ball"),
                Cross(self.goal, "good"),
            ),
            (0.0, 0.0, 1.0, 1.0),
        )
