"""A cart keeps the pole that stands on it upright: a plan of forces, one for each step.

The plan covers a second from now on. `python -m rosephys mpc balance` makes it anew in each frame, from where
the cart has come to (model-predictive control), and so holds the pole against pushes.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import rose_ad as ra
from rosephys import (
    Arrow,
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
    uniform,
)
from rosephys.physics.mechanics.cartpole import CartPole, cartpole_acceleration, cartpole_fastest
from rosephys.physics.mechanics.integrators import oscillation_limit, runge_kutta

ARROW = 0.04  # metres of arrow a newton


@ra.struct
class State:
    """Place of the cart and angle of the pole from upright, clockwise (2,), their rates, and the last force."""

    place: ra.Vec
    rate: ra.Vec
    force: ra.Real


class Balance(Scene):
    """Keep a pole upright on a cart, over the middle of the rail, with little force."""

    optimizer = "ddp"
    iterations = 60

    steps: int = parameter(60, "number of time steps", bounds=(1, 10_000_000))
    dt: float = parameter(1 / 60, "time step", unit="s", bounds=(1e-9, 1.0))
    cart: float = parameter(1.0, "mass of the cart", unit="kg", bounds=(1e-3, 1e3))
    pole: float = parameter(0.3, "mass at the end of the pole", unit="kg", bounds=(1e-3, 1e3))
    length: float = parameter(0.5, "length of the pole", unit="m", bounds=(1e-3, 1e3))
    gravity: float = parameter(9.81, "acceleration of gravity", unit="m/s²")
    effort: float = parameter(1e-3, "weight of the square of the force", unit="1/N²")
    middle: float = parameter(0.0, "where the cart is to be", unit="m", bounds=(-1.0, 1.0))
    start: Any = parameter(
        (0.0, 0.25), "place and angle at the start", unit="m, rad", spread=uniform([0.3, 0.2])
    )
    force: Any = control(
        lambda scene: np.zeros(scene.steps),
        "force on the cart in each step",
        unit="N",
        bounds=(-20.0, 20.0),
    )

    def initial(self) -> State:
        return State(ra.array(self.start), np.zeros(2), 0.0)

    @property
    def _body(self) -> CartPole:
        return CartPole(self.cart, self.pole, self.length, self.gravity)

    def step(self, state: State, t: Any) -> State:
        force = self.force[t]

        def acceleration(place: Any, rate: Any) -> Any:
            turned = np.array([1.0, -1.0])  # the model's angle is from below, the other way round
            below = turned * place + np.array([0.0, np.pi])
            return turned * cartpole_acceleration(self._body, below, turned * rate, force)

        place, rate = runge_kutta(acceleration, state.place, state.rate, self.dt)
        return State(place, rate, force)

    def _off(self, state: State) -> Any:
        """How far all is from standing still in the middle."""
        (x, angle), (speed, turning) = state.place, state.rate
        away = x - self.middle
        return angle**2 + 0.1 * turning**2 + 0.2 * away**2 + 0.1 * speed**2

    def cost(self, state: State, t: Any) -> Any:
        return self._off(state) + self.effort * self.force[t] ** 2

    def loss(self, final: State) -> Any:
        return 2.0 * self._off(final)

    def limits(self, state: State) -> tuple[Limit, ...]:
        fastest = cartpole_fastest(self._body, state.rate)
        return (oscillation_limit("runge-kutta", fastest, self.dt, "swing"),)

    def _tip(self, state: State) -> Any:
        x, angle = state.place
        return ra.array([x + self.length * ra.sin(angle), self.length * ra.cos(angle)])

    def picture(self, state: State) -> Picture:
        hub, tip = ra.array([state.place[0], 0.0]), self._tip(state)
        corners = 0.16 * np.array([[-1.0, -0.5], [1.0, -0.5], [1.0, 0.5], [-1.0, 0.5]])
        wheels = hub + np.array([[-0.09, -0.105], [0.09, -0.105]])
        aside = ra.array([0.16 * ra.sign(state.force), 0.0])
        goal = ra.array([self.middle, self.length])
        return Picture(
            (
                Lines(((-1.3, -0.14),), ((1.3, -0.14),), "faint", 4.0),
                Cross(goal, "good"),
                Arrow(hub + aside, ra.array([ARROW * state.force, 0.0]), "bad", 3.0),
                Circles(wheels, 0.035, ("dim",), style="disc"),
                Polygon(hub + corners, "skin", "bone"),
                Polyline(ra.stack([hub, tip]), "text", 5.0),
                Circles(ra.array([hub]), 0.025, ("dim",), style="disc"),
                Circles(ra.array([tip]), 0.06, ("accent",)),
            ),
            (-1.3, -0.6, 1.3, 0.85),
        )

    def tracks(self, state: State) -> tuple[Track, ...]:
        return (Track(self._tip(state), "accent", "tip"),)
