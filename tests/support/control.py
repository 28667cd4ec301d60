"""Problems of optimal control whose solutions are known."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

import rose_ad as ra
from rosephys import Constraint, Scene, control, parameter
from rosephys.physics.mechanics.cartpole import CartPole, cartpole_acceleration
from rosephys.physics.mechanics.integrators import runge_kutta


@ra.struct
class Moving:
    """A place and a speed."""

    place: float
    speed: float


class Cart(Scene):
    """A cart that is to be at rest at 1 after a second, with little effort; each step is exact."""

    optimizer, rate, iterations = "lbfgs", 1.0, 200
    steps: int = parameter(20, "number of time steps")
    dt: float = parameter(0.05, "time step", unit="s")
    miss: float = parameter(1e4, "weight of the miss")
    force: Any = control(lambda scene: np.zeros(scene.steps), "force in each step", unit="N")

    def initial(self) -> Moving:
        return Moving(0.0, 0.0)

    def step(self, state: Moving, t: Any) -> Moving:
        push, dt = self.force[t], self.dt
        return Moving(state.place + dt * (state.speed + 0.5 * dt * push), state.speed + dt * push)

    def cost(self, state: Moving, t: Any) -> Any:
        return self.force[t] ** 2

    def loss(self, final: Moving) -> Any:
        return self.miss * ((final.place - 1.0) ** 2 + final.speed**2)


def best_force(steps: int) -> np.ndarray:
    """6 - 12 t in the middle of each of the steps, as much more as makes up for their width."""
    return (6 - 12 * (np.arange(steps) + 0.5) / steps) / (1 - 1 / steps**2)


class Rest(Cart):
    """The same, with the end as a constraint: the least effort is 12 / (1 - 1/steps²)."""

    optimizer = "slsqp"

    def loss(self, final: Moving) -> Any:
        return 0.0

    def end_constraints(self, final: Moving) -> Any:
        end = np.array([1.0, 0.0])
        return (Constraint("at rest at 1", ra.array([final.place, final.speed]), end, end),)


class Slow(Rest):
    """The same, and never faster than `fastest`."""

    fastest: float = parameter(1.2, "largest speed", unit="m/s")

    def constraints(self, state: Moving, t: Any) -> Any:
        return (Constraint("speed", state.speed, high=self.fastest),)


class Sprint(Scene):
    """The same distance in the least time with a force of at most 1: 2 seconds, at full force throughout."""

    optimizer, rate, iterations = "slsqp", 0.1, 200
    steps: int = parameter(20, "number of time steps")
    dt: float = control(0.2, "time step", unit="s", bounds=(1e-3, 1.0))
    force: Any = control(lambda s: np.linspace(0.5, -0.5, s.steps), "force", bounds=(-1.0, 1.0))
    initial, step = Cart.initial, Cart.step
    end_constraints = Rest.end_constraints

    def loss(self, final: Moving) -> Any:
        return self.steps * self.dt


@ra.struct
class Bead:
    """A place (2,), downwards the second, and a speed along the wire."""

    place: ra.Vec
    speed: float


class Brachistochrone(Scene):
    """The wire on which a bead slides from rest to (1, 1) soonest, of straight pieces of the same time."""

    optimizer, rate, iterations = "slsqp", 0.1, 300
    steps: int = parameter(60, "number of pieces")
    dt: float = control(0.011, "time on each piece", unit="s", bounds=(1e-4, 0.1))
    angle: Any = control(lambda scene: np.full(scene.steps, 0.8), "angle from the vertical")

    def initial(self) -> Bead:
        return Bead(np.zeros(2), 0.0)

    def step(self, state: Bead, t: Any) -> Bead:
        along = ra.array([ra.sin(self.angle[t]), ra.cos(self.angle[t])])
        after = state.speed + 9.81 * along[1] * self.dt
        return Bead(state.place + 0.5 * (state.speed + after) * self.dt * along, after)

    def loss(self, final: Bead) -> Any:
        return self.steps * self.dt

    def end_constraints(self, final: Bead) -> Any:
        return (Constraint("at the end of the wire", final.place, np.ones(2), np.ones(2)),)


@ra.struct
class Swinging:
    """Place and angle, and their rates, each (2,)."""

    place: ra.Vec
    rate: ra.Vec


class SwingUp(Scene):
    """A pole on a cart is to stand upright after 2.5 s, by forces of at most 10 N."""

    optimizer, iterations = "ddp", 300
    steps: int = parameter(100, "number of time steps")
    dt: float = parameter(0.025, "time step", unit="s")
    force: Any = control(lambda s: np.zeros(s.steps), "force", unit="N", bounds=(-10.0, 10.0))

    def initial(self) -> Swinging:
        return Swinging(np.zeros(2), np.zeros(2))

    def step(self, state: Swinging, t: Any) -> Swinging:
        body = CartPole(1.0, 0.3, 0.5, 9.81)

        def acceleration(place: Any, rate: Any) -> Any:
            return cartpole_acceleration(body, place, rate, self.force[t])

        return Swinging(*runge_kutta(acceleration, state.place, state.rate, self.dt))

    def cost(self, state: Swinging, t: Any) -> Any:
        return 1e-2 * self.force[t] ** 2

    def loss(self, final: Swinging) -> Any:
        (x, angle), (speed, turning) = final.place, final.rate
        return 100 * ((angle - math.pi) ** 2 + 0.1 * turning**2 + x**2 + 0.1 * speed**2)


@ra.struct
class Flying:
    """Distance from the centre, upward speed, mass."""

    height: float
    speed: float
    mass: float


class Goddard(Scene):
    """The thrust by which a rocket comes highest with the fuel it has; every number without dimension.

    Goddard 1919; the numbers are those of Bryson, Dynamic optimization, 1999: the best height is 1.01283.
    """

    optimizer, iterations = "ddp", 300
    steps: int = parameter(100, "number of time steps")
    dt: float = parameter(0.1989 / 100, "time step")
    smooth: float = parameter(1e-6, "what thrust costs, so that there is one best")
    thrust: Any = control(lambda s: np.full(s.steps, 1.0), "thrust", bounds=(0.0, 3.5))

    def initial(self) -> Flying:
        return Flying(1.0, 0.0, 1.0)

    def _rates(self, state: Flying, thrust: Any) -> Flying:
        drag = 310.0 * state.speed * abs(state.speed) * ra.exp(-500.0 * (state.height - 1.0))
        mass = ra.maximum(state.mass, 0.3)  # so that too much fuel is no wonder
        lift = (thrust - drag) / mass - 1.0 / state.height**2
        return Flying(state.speed, lift, -thrust / 0.5)

    def step(self, state: Flying, t: Any) -> Flying:
        def on(rates: Flying, share: float) -> Flying:
            return ra.map_leaves(lambda s, r: s + share * self.dt * r, state, rates)

        a = self._rates(state, self.thrust[t])
        b = self._rates(on(a, 0.5), self.thrust[t])
        c = self._rates(on(b, 0.5), self.thrust[t])
        d = self._rates(on(c, 1.0), self.thrust[t])
        return ra.map_leaves(
            lambda s, k, l, m, n: s + self.dt / 6 * (k + 2 * l + 2 * m + n), state, a, b, c, d
        )

    def cost(self, state: Flying, t: Any) -> Any:
        return self.smooth * self.thrust[t] ** 2

    def loss(self, final: Flying) -> Any:
        return 100.0 * (1.0 - final.height)

    def end_constraints(self, final: Flying) -> Any:
        return (Constraint("fuel", final.mass, low=0.6),)
