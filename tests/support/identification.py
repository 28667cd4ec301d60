"""Motions whose parameters are to be found from what was measured of them."""

from __future__ import annotations

from typing import Any

import numpy as np

import rose_ad as ra
from rosephys import Measurement, Problem, Scene, parameter
from rosephys.physics.contact.events import Event, advance
from rosephys.physics.mechanics.integrators import runge_kutta


@ra.struct
class Moving:
    """Position and velocity, (2,) each."""

    position: ra.Vec
    velocity: ra.Vec


class Toss(Scene):
    """A ball on a spring that pulls along, which bounces on rough ground: what was thrown comes back."""

    steps: int = parameter(150, "number of time steps")
    dt: float = parameter(0.01, "time step", unit="s")
    gravity: float = parameter(9.81, "acceleration of gravity", unit="m/s²")
    restitution: float = parameter(0.6, "restitution", bounds=(0.0, 1.0))
    friction: float = parameter(0.2, "friction of the ground", bounds=(0.0, 2.0))
    stiffness: float = parameter(3.0, "stiffness of the spring", unit="N/m", bounds=(0.0, 100.0))
    damping: float = parameter(0.3, "damping by the spring", unit="N s/m", bounds=(0.0, 10.0))
    mass: float = parameter(1.0, "mass of the ball", unit="kg", bounds=(0.01, 100.0))
    start: Any = parameter((-1.0, 0.7), "where it is thrown", unit="m")
    throw: Any = parameter((0.0, 0.5), "how fast", unit="m/s")

    def initial(self) -> Moving:
        return Moving(ra.array(self.start), ra.array(self.throw))

    def step(self, state: Moving, t: Any) -> Moving:
        moved: Moving = advance(self._fly, (self._ground,), state, self.dt)
        return moved

    def _fly(self, state: Moving, time: Any) -> Moving:
        def acceleration(x: Any, v: Any) -> Any:
            pull = -self.stiffness * x[0] - self.damping * v[0]
            return ra.array([pull / self.mass, -self.gravity])

        return Moving(*runge_kutta(acceleration, state.position, state.velocity, time))

    @property
    def _ground(self) -> Event[Moving]:
        def rebound(state: Moving) -> Moving:
            along, up = state.velocity
            push = self.friction * (1 + self.restitution) * abs(up)
            slid = ra.sign(along) * ra.maximum(abs(along) - push, 0.0)
            return Moving(state.position, ra.array([slid, -self.restitution * up]))

        def roll(state: Moving, time: Any) -> Moving:
            step = ra.array([state.velocity[0], 0.0])
            return Moving(state.position + time * step, step)

        return Event(lambda state: state.position[1], rebound, roll)

    def loss(self, final: Moving) -> Any:
        return ra.dot(final.position, final.position)


TRUE = {"restitution": 0.7, "friction": 0.1, "stiffness": 5.0, "damping": 0.5}
NOISE = {"position.0": 0.02, "position.1": 0.01}


def measured(
    problem: Problem, true: dict[str, Any], noise: dict[str, float], seed: int
) -> Measurement:
    """What was measured of a motion with these values, with normal noise, after every step."""
    motion = problem.trajectory(true)
    random = np.random.default_rng(seed)
    columns = {}
    for name, deviation in noise.items():
        part, _, place = name.partition(".")
        exact = np.asarray(getattr(motion, part, motion))[:, int(place)]
        columns[name] = exact + deviation * random.standard_normal(len(exact))
    times = problem.dt * np.arange(problem.steps + 1)
    return Measurement(times, columns)
