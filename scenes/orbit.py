"""Bodies that attract each other: find the velocity that brings the first one to the goal.

`kepler` is a planet and its sun; `eight` the three bodies that chase each other along a figure eight (Chenciner
and Montgomery, Annals of Mathematics 152, 2000; numbers of Simó). Masses and the constant of gravity are 1, but
the planet's, which is small.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

import rose_ad as ra
from rosephys import Circles, Cross, Limit, Picture, Scene, Track, control, parameter
from rosephys.physics.mechanics.gravity import gravity_acceleration, gravity_energy, gravity_fastest
from rosephys.physics.mechanics.integrators import METHODS, oscillation_limit

_X = (0.97000436, -0.24308753)
_V = (0.466203685, 0.43236573)
_COLOURS = ("accent", "third", "second")


@dataclass(frozen=True)
class System:
    """Masses (n,), positions and velocities (n, 2), radii (n,) for the eye, the first body's goal."""

    masses: tuple[float, ...]
    positions: tuple[tuple[float, float], ...]
    velocities: tuple[tuple[float, float], ...]
    radii: tuple[float, ...]
    goal: tuple[float, float]


SYSTEMS = {
    "kepler": System(
        (1e-3, 1.0), ((1.0, 0.0), (0.0, 0.0)), ((0.0, 1.1), (0.0, 0.0)), (0.04, 0.1), (-1.2, -0.6)
    ),
    "eight": System(
        (1.0, 1.0, 1.0),
        (_X, (-_X[0], -_X[1]), (0.0, 0.0)),
        (_V, _V, (-2 * _V[0], -2 * _V[1])),
        (0.06, 0.06, 0.06),
        _X,
    ),
}


@ra.struct
class State:
    """Positions and velocities of n bodies, each of shape (n, 2)."""

    position: ra.Vec
    velocity: ra.Vec


class Orbit(Scene):
    """Launch a planet so that it is at the goal in time."""

    iterations = 300
    rate = 0.01
    optimizer = "adam"

    system: str = parameter("kepler", "which bodies", choices=tuple(SYSTEMS))
    method: str = parameter("verlet", "how a step is taken", choices=tuple(METHODS))
    steps: int = parameter(1000, "number of time steps", bounds=(1, 10_000_000))
    dt: float = parameter(0.00632591398, "time step", bounds=(1e-9, 1.0))
    goal: Any = parameter(
        lambda scene: SYSTEMS[scene.system].goal, "where the first body should end", handle=True
    )
    start: Any = parameter(
        lambda scene: SYSTEMS[scene.system].positions[0], "where the first body starts", handle=True
    )
    velocity: Any = control(
        lambda scene: SYSTEMS[scene.system].velocities[0],
        "velocity of the first body at the start",
        anchor="start",
    )

    @property
    def bodies(self) -> System:
        """What moves."""
        return SYSTEMS[self.system]

    def initial(self) -> State:
        others = (np.array(self.bodies.positions[1:]), np.array(self.bodies.velocities[1:]))
        first = (self.start, self.velocity)
        return State(*(ra.concat([ra.array([a]), b]) for a, b in zip(first, others, strict=True)))

    def step(self, state: State, t: Any) -> State:
        masses = np.array(self.bodies.masses)

        def acceleration(x: Any, _: Any) -> Any:
            return gravity_acceleration(x, masses)

        return State(*METHODS[self.method](acceleration, state.position, state.velocity, self.dt))

    def limits(self, state: State) -> tuple[Limit, ...]:
        fastest = gravity_fastest(state.position, np.array(self.bodies.masses))
        return (oscillation_limit(self.method, fastest, self.dt, "passing of two bodies"),)

    def loss(self, final: State) -> Any:
        miss = final.position[0] - self.goal
        return ra.dot(miss, miss)

    def invariants(self, state: State) -> dict[str, Any]:
        x, v, masses = state.position, state.velocity, np.array(self.bodies.masses)
        momentum = masses @ v
        return {
            "energy": gravity_energy(x, v, masses),
            "momentum x": momentum[0],
            "momentum y": momentum[1],
            "angular momentum": ra.dot(masses, x[:, 0] * v[:, 1] - x[:, 1] * v[:, 0]),
        }

    @property
    def allowed_drift(self) -> dict[str, float | tuple[float, float]]:
        lightest = min(self.bodies.masses)
        momenta = ("momentum x", "momentum y", "angular momentum")
        return {"energy": 1e-4 * lightest, **dict.fromkeys(momenta, 1e-10 * lightest)}

    def picture(self, state: State) -> Picture:
        colours = ("third", "accent") if self.system == "kepler" else _COLOURS
        bodies = Circles(state.position, np.array(self.bodies.radii), colours)
        return Picture((Cross(self.goal, "good"), bodies), (-2.2, -1.7, 2.2, 1.7), "window")

    def tracks(self, state: State) -> tuple[Track, ...]:
        shown = 1 if self.system == "kepler" else 3
        colours = ("third",) if self.system == "kepler" else _COLOURS
        return tuple(Track(state.position[k], colours[k]) for k in range(shown))
