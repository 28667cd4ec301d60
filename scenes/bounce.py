"""A ball that bounces over level ground: find the throw that ends at the goal.

Every bounce happens at its instant (`rosephys.physics.contact.events`), so that neither the motion nor its
derivative depends on the time step: in free fall the steps themselves are exact.
"""

from __future__ import annotations

import math
from typing import Any

import rose_ad as ra
from rosephys import Circles, Cross, Lines, Picture, Polygon, Scene, Track, control, parameter
from rosephys.physics.contact.events import Event, advance
from rosephys.physics.mechanics.integrators import verlet

_SPAN, _DEPTH, _TOP = 3.0, 0.3, 2.0  # of what is shown: along the ground, into it and above it


@ra.struct
class State:
    """Where the ball's centre is, and its velocity, each of shape (2,)."""

    position: ra.Vec
    velocity: ra.Vec


class Bounce(Scene):
    """Throw a ball so that it is at the goal in time, after it has bounced."""

    iterations = 200
    rate = 0.02
    optimizer = "adam"

    steps: int = parameter(200, "number of time steps", bounds=(1, 10_000_000))
    dt: float = parameter(0.01, "time step", unit="s", bounds=(1e-9, 1e3))
    gravity: float = parameter(9.81, "acceleration of gravity, downwards", unit="m/s²")
    restitution: float = parameter(0.8, "restitution: 1 is elastic", bounds=(0.0, 1.0))
    radius: float = parameter(0.08, "radius of the ball", unit="m", bounds=(1e-6, 10.0))
    goal: Any = parameter((2.6, 0.6), "where the ball should end", unit="m", handle=True)
    height: float = control(1.6, "height above the ground at the start", unit="m")
    velocity: Any = control((1.0, 1.0), "velocity at the start", unit="m/s")

    def initial(self) -> State:
        return State(ra.array([0.0, self.height + self.radius]), self.velocity)

    def step(self, state: State, t: Any) -> State:
        moved: State = advance(self._fall, (self._ground,), state, self.dt)
        return moved

    def _fall(self, state: State, time: Any) -> State:
        def acceleration(x: Any, _: Any) -> Any:
            return ra.array([0.0, -self.gravity])

        return State(*verlet(acceleration, state.position, state.velocity, time))

    @property
    def _ground(self) -> Event[State]:
        """The ball turns back with less speed; at rest it rolls."""

        def rebound(state: State) -> State:
            v = state.velocity
            return State(state.position, ra.array([v[0], -self.restitution * v[1]]))

        def roll(state: State, time: Any) -> State:
            along = ra.array([state.velocity[0], 0.0])
            return State(state.position + time * along, along)

        return Event(lambda state: state.position[1] - self.radius, rebound, roll)

    def loss(self, final: State) -> Any:
        miss = final.position - self.goal
        return ra.dot(miss, miss)

    def invariants(self, state: State) -> dict[str, Any]:
        x, v = state.position, state.velocity
        height = x[1] - self.radius
        return {"energy": 0.5 * ra.dot(v, v) + self.gravity * height, "momentum along": v[0]}

    @property
    def allowed_drift(self) -> dict[str, float | tuple[float, float]]:
        # a bounce takes energy, none gives any
        return {"energy": (math.inf, 1e-9), "momentum along": 1e-12}

    def picture(self, state: State) -> Picture:
        left, right = -9.0, _SPAN + 9.0
        soil = Polygon(((left, -9.0), (right, -9.0), (right, 0.0), (left, 0.0)), "earth")
        surface = Lines(((left, 0.0),), ((right, 0.0),), "faint", 2.0)
        ball = Circles(ra.array([state.position]), self.radius, ("accent",))
        goal = Cross(self.goal, "good")
        return Picture((soil, surface, goal, ball), (-0.3, -_DEPTH, _SPAN, _TOP))

    def tracks(self, state: State) -> tuple[Track, ...]:
        return (Track(state.position, "accent", "ball"),)
