"""A pendulum of one, two or more links: find the push that brings its tip to the goal."""

from __future__ import annotations

from typing import Any

import numpy as np

import rose_ad as ra
from rosephys import (
    Circles,
    Cross,
    Limit,
    Lines,
    Picture,
    Polygon,
    Polyline,
    Scene,
    Track,
    control,
    parameter,
)
from rosephys.physics.mechanics.integrators import METHODS, oscillation_limit
from rosephys.physics.mechanics.pendulum import (
    pendulum_acceleration,
    pendulum_energy,
    pendulum_fastest,
    pendulum_joints,
)


@ra.struct
class State:
    """The links' angles from the downward vertical, and their rates, each of shape (links,)."""

    angle: ra.Vec
    rate: ra.Vec


class Pendulum(Scene):
    """Push a pendulum so that its tip ends at the goal."""

    iterations = 200
    rate = 0.05
    optimizer = "adam"

    links: int = parameter(2, "how many links", bounds=(1, 50))
    method: str = parameter("runge-kutta", "how a step is taken", choices=tuple(METHODS))
    steps: int = parameter(400, "number of time steps", bounds=(1, 10_000_000))
    dt: float = parameter(0.005, "time step", unit="s", bounds=(1e-9, 1.0))
    gravity: float = parameter(9.81, "acceleration of gravity", unit="m/s²")
    length: float = parameter(1.0, "length of a link", unit="m", bounds=(1e-3, 1e3))
    goal: Any = parameter(
        lambda scene: {1: (0.8, -0.6), 2: (-1.2, 0.4)}.get(scene.links, (-0.5 * scene.links, -1.0)),
        "where the tip should end",
        unit="m",
        handle=True,
    )
    start: Any = parameter(lambda scene: np.full(scene.links, 0.3), "first angles", unit="rad")
    push: Any = control(lambda scene: np.full(scene.links, 0.5), "first rates", unit="rad/s")

    def initial(self) -> State:
        return State(self.start, self.push)

    def step(self, state: State, t: Any) -> State:
        stiffness = self.gravity / self.length

        def acceleration(angle: Any, rate: Any) -> Any:
            return pendulum_acceleration(angle, rate, stiffness)

        return State(*METHODS[self.method](acceleration, state.angle, state.rate, self.dt))

    def limits(self, state: State) -> tuple[Limit, ...]:
        fastest = pendulum_fastest(ra.array(state.rate), self.gravity / self.length)
        return (oscillation_limit(self.method, fastest, self.dt, "swing"),)

    def loss(self, final: State) -> Any:
        miss = self._joints(final)[self.links - 1] - self.goal
        return ra.dot(miss, miss)

    def _joints(self, state: State) -> Any:
        return pendulum_joints(state.angle, self.length)

    def invariants(self, state: State) -> dict[str, Any]:
        return {"energy": pendulum_energy(state.angle, state.rate, self.gravity, self.length)}

    @property
    def allowed_drift(self) -> dict[str, float | tuple[float, float]]:
        return {"energy": 1e-4 * abs(float(self.gravity) * float(self.length))}

    def picture(self, state: State) -> Picture:
        joints = self._joints(state)
        rods = ra.concat([np.zeros((1, 2)), joints])
        pivot = Circles(np.zeros((1, 2)), 0.07, ("text",), style="disc")
        bobs = Circles(joints, 0.09, ("curve",) * (self.links - 1) + ("accent",))
        bearing = Polygon(((-0.2, 0.22), (0.2, 0.22), (0.07, -0.04), (-0.07, -0.04)), "bone")
        beam = Lines(((-0.45, 0.22),), ((0.45, 0.22),), "bone", 6.0)
        rod = Polyline(rods, "text", 4.0)
        shapes = (beam, bearing, Cross(self.goal, "good"), rod, pivot, bobs)
        reach = max(self.links, 2) + 0.3
        return Picture(shapes, (-reach, -reach, reach, reach))

    def tracks(self, state: State) -> tuple[Track, ...]:
        return (Track(self._joints(state)[self.links - 1], "accent", "tip"),)
