"""Throw a ball against the wind so that it comes down on the goal.

Try it: `python -m rosephys scene FILE`, and drag the goal; then `check`, `optimize`, `record`.
"""

from typing import Any

import rose_ad as ra
from rosephys import Circles, Cross, Lines, Picture, Scene, Track, control, parameter


@ra.struct
class State:
    """What changes from step to step: numbers and arrays."""

    position: ra.Vec
    velocity: ra.Vec


class Starter(Scene):
    """Throw a ball against the wind so that it comes down on the goal."""

    optimizer, rate, iterations = "adam", 0.05, 150  # how the commands solve it

    steps: int = parameter(250, "number of time steps")
    dt: float = parameter(0.004, "time step", unit="s")
    wind: float = parameter(-2.0, "speed of the wind", unit="m/s")
    goal: Any = parameter((2.2, 0.6), "where the ball should be at the end", unit="m", handle=True)
    throw: Any = control((1.5, 5.0), "velocity of the throw", unit="m/s")  # what may be changed

    def initial(self) -> State:
        return State(ra.array([0.0, 0.5]), ra.array(self.throw))

    def step(self, state: State, t: Any) -> State:
        # The state one dt later; t counts the steps. This is traced once, and compiled: use the
        # functions of rose_ad, such as ra.sqrt, and ra.where or ra.cond where things depend.
        air = ra.array([self.wind, 0.0]) - state.velocity
        velocity = state.velocity + self.dt * (0.3 * air + ra.array([0.0, -9.81]))
        return State(state.position + self.dt * velocity, velocity)

    def loss(self, final: State) -> Any:
        # What is to become small, a number of the last state: here the square of the miss.
        miss = final.position - self.goal
        return ra.dot(miss, miss)

    def picture(self, state: State) -> Picture:
        # Shapes, the later above the earlier, and the part of the plane that is seen.
        ground = Lines(((-0.5, 0.0),), ((3.0, 0.0),), "dim")
        ball = Circles(ra.array([state.position]), 0.06, ("accent",))
        return Picture((ground, Cross(self.goal, "good"), ball), (-0.5, -0.2, 3.0, 2.0))

    def tracks(self, state: State) -> tuple[Track, ...]:
        # Points whose paths are drawn.
        return (Track(state.position, "accent", "ball"),)
