"""A cart swings up the pole that hangs from it: find the forces, from none at all.

The force is linear between `knots` numbers, spread evenly over the time: the controls, which start at zero.
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
)
from rosephys.physics.mechanics.cartpole import (
    CartPole,
    cartpole_acceleration,
    cartpole_energy,
    cartpole_fastest,
)
from rosephys.physics.mechanics.integrators import METHODS, oscillation_limit
from rosephys.physics.mechanics.knots import linear_between

ARROW = 0.04  # metres of arrow a newton


@ra.struct
class State:
    """Place of the cart and angle of the pole from the downward vertical (2,), and their rates."""

    place: ra.Vec
    rate: ra.Vec
    force: ra.Real  # that acted in the last step
    beyond: ra.Real  # the integral over time of the square of how far the cart is off the rail


class Cartpole(Scene):
    """Swing the pole up, so that at the end it stands still over the middle of the rail."""

    iterations = 600
    rate = 0.5
    optimizer = "adam"

    knots: int = parameter(41, "how many numbers give the force over time", bounds=(2, 100_000))
    method: str = parameter("runge-kutta", "how a step is taken", choices=tuple(METHODS))
    steps: int = parameter(250, "number of time steps", bounds=(1, 10_000_000))
    dt: float = parameter(0.01, "time step", unit="s", bounds=(1e-9, 1.0))
    cart: float = parameter(1.0, "mass of the cart", unit="kg", bounds=(1e-3, 1e3))
    pole: float = parameter(0.3, "mass at the end of the pole", unit="kg", bounds=(1e-3, 1e3))
    length: float = parameter(0.5, "length of the pole", unit="m", bounds=(1e-3, 1e3))
    gravity: float = parameter(9.81, "acceleration of gravity", unit="m/s²")
    rail: float = parameter(1.0, "half the length of the rail", unit="m", bounds=(0.1, 1e3))
    effort: float = parameter(1e-4, "weight of the mean squared force", unit="1/N²")
    start: Any = parameter((0.0, 0.0), "place and angle at the start", unit="m, rad")
    force: Any = control(
        lambda scene: np.zeros(scene.knots),
        "force on the cart at each knot",
        unit="N",
        bounds=(-10.0, 10.0),
    )

    @property
    def body(self) -> CartPole:
        """What moves."""
        return CartPole(self.cart, self.pole, self.length, self.gravity)

    def initial(self) -> State:
        return State(ra.array(self.start), np.zeros(2), 0.0, 0.0)

    def step(self, state: State, t: Any) -> State:
        force = self._force(t)

        def acceleration(place: Any, rate: Any) -> Any:
            return cartpole_acceleration(self.body, place, rate, force)

        place, rate = METHODS[self.method](acceleration, state.place, state.rate, self.dt)
        off = ra.maximum(abs(place[0]) - self.rail, 0.0)
        return State(place, rate, force, state.beyond + self.dt * off * off)

    def _force(self, t: Any) -> Any:
        """The force in the middle of a step."""
        return linear_between(self.force, (t + 0.5) / self.steps)

    def limits(self, state: State) -> tuple[Limit, ...]:
        fastest = cartpole_fastest(self.body, state.rate)
        return (oscillation_limit(self.method, fastest, self.dt, "swing"),)

    def loss(self, final: State) -> Any:
        """Squares of the angle from upright, the cart's place and both rates at the end, and of leaving
        the rail."""
        (x, angle), (speed, turning) = final.place, final.rate
        miss = (angle - np.pi) ** 2 + 0.1 * turning**2 + x**2 + 0.1 * speed**2
        return miss + 100.0 * final.beyond + self.effort * ra.mean(self.force * self.force)

    def invariants(self, state: State) -> dict[str, Any]:
        """What does not change where the forces are zero."""
        energy = cartpole_energy(self.body, state.place, state.rate)
        turning = self.length * state.rate[1] * ra.cos(state.place[1])
        momentum = (self.cart + self.pole) * state.rate[0] + self.pole * turning
        return {"energy": energy, "momentum": momentum}

    def _tip(self, state: State) -> Any:
        x, angle = state.place
        return ra.array([x + self.length * ra.sin(angle), -self.length * ra.cos(angle)])

    def picture(self, state: State) -> Picture:
        x, tip = state.place[0], self._tip(state)
        hub = ra.array([x, 0.0])
        corners = 0.16 * np.array([[-1.0, -0.5], [1.0, -0.5], [1.0, 0.5], [-1.0, 0.5]])
        wheels = hub + np.array([[-0.09, -0.105], [0.09, -0.105]])
        side = 0.16 * ra.sign(state.force)
        end, floor = self.rail + 0.16, -0.14
        return Picture(
            (
                Polyline(
                    ra.array([[-end, 0.0], [-end, floor], [end, floor], [end, 0.0]]), "faint", 4.0
                ),
                Lines(((0.0, floor),), ((0.0, floor - 0.06),), "good", 3.0),
                Cross(ra.array([0.0, self.length]), "good"),
                Arrow(
                    hub + ra.array([side, 0.0]), ra.array([ARROW * state.force, 0.0]), "bad", 3.0
                ),
                Circles(wheels, 0.035, ("dim",), style="disc"),
                Polygon(hub + corners, "skin", "bone"),
                Polyline(ra.stack([hub, tip]), "text", 5.0),
                Circles(ra.array([hub]), 0.025, ("dim",), style="disc"),
                Circles(ra.array([tip]), 0.06, ("accent",)),
            ),
            (-1.65, -0.7, 1.65, 0.7),
        )

    def tracks(self, state: State) -> tuple[Track, ...]:
        return (Track(self._tip(state), "accent", "tip"),)
