"""Scenes that learn a policy over many starts: a pole to be kept upright, and a robot that walks."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

import rose_ad as ra
from rosephys import Linear, Network, Scene, control, normal, parameter, uniform
from rosephys.physics.mechanics.cartpole import CartPole, cartpole_acceleration
from rosephys.physics.mechanics.integrators import runge_kutta
from rosephys.scene.finding import find_scene

POLICIES: dict[str, Any] = {"network": Network((4, 8, 1)), "linear": Linear(4, 1)}


@ra.struct
class Upright:
    """Place of the cart and angle of the pole from upright (2,), their rates, and what was off so far."""

    place: ra.Vec
    rate: ra.Vec
    off: float


class Upright4s(Scene):
    """Keep a pole upright over the middle of a rail for four seconds, from any start within a reach."""

    optimizer, rate, iterations = "adam", 0.05, 150
    policy: str = parameter("network", "what drives the cart", choices=tuple(POLICIES))
    steps: int = parameter(200, "number of time steps")
    dt: float = parameter(0.02, "time step", unit="s")
    strongest: float = parameter(20.0, "largest force", unit="N")
    start: Any = parameter(
        np.zeros(4), "place, angle and their rates", spread=uniform([0.3, 0.3, 0.5, 0.5])
    )
    weights: Any = control(lambda s: POLICIES[s.policy].first(0), "weights of the policy")

    def initial(self) -> Upright:
        start = ra.array(self.start)
        return Upright(start[:2], start[2:], 0.0)

    def step(self, state: Upright, t: Any) -> Upright:
        senses = ra.concat([state.place, state.rate])
        wanted = POLICIES[self.policy](self.weights, senses)[0]
        force = self.strongest * ra.tanh(wanted / 2)
        body = CartPole(1.0, 0.3, 0.5, -9.81)  # gravity from below: the angle is that from upright

        def acceleration(place: Any, rate: Any) -> Any:
            return cartpole_acceleration(body, place, rate, force)

        place, rate = runge_kutta(acceleration, state.place, state.rate, self.dt)
        lean = 2 * (1 - ra.cos(place[1]))  # no more than 4, however often it turns
        far = place[0] ** 2 / (1 + place[0] ** 2)
        off = state.off + self.dt * (lean + 0.3 * far + 1e-4 * force**2)
        return Upright(place, rate, off)

    def loss(self, final: Upright) -> Any:
        speed = ra.dot(final.rate, final.rate)
        return final.off + speed / (1 + speed)


def held(final: Upright) -> bool:
    """Whether the pole is upright at the end, at rest, and its cart on the rail."""
    (x, angle), rate = final.place, final.rate
    return bool(abs(angle) < 0.1 and np.abs(rate).max() < 0.3 and abs(x) < 1.0)


Robot = type(find_scene("robot"))


class Pushed(Robot):  # type: ignore[misc, valid-type]
    """The robot that learns to walk, pushed at the start and on ground that is steeper or not."""

    iterations = 60
    shove: Any = parameter(np.zeros(2), "velocity at the start", spread=normal(0.15))
    gravity: float = parameter(4.8, "acceleration of gravity", spread=normal(0.3))

    def initial(self) -> Any:
        state = super().initial()
        masses = state.position
        moving = ra.zeros(masses.shape) + ra.array(self.shove)
        return type(state)(masses, moving)


def fallen(angle: float) -> bool:
    """Whether an angle from upright is beyond the horizontal."""
    return math.cos(angle) < 0
