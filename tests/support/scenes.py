"""Scenes that several tests use."""

from __future__ import annotations

from typing import Any

import rose_ad as ra
from rosephys.scene.fields import control, parameter
from rosephys.scene.scene import Scene


@ra.struct
class Arm:
    angle: float
    tip: ra.Vec


@ra.struct
class Hands:
    arms: tuple[Arm, Arm]
    extra: dict[str, float]


class Juggler(Scene):
    """A state with parts, and no picture."""

    steps: int = 3
    push: float = control(1.0, "turn")

    def initial(self) -> Hands:
        arms = (Arm(0.0, ra.array([1.0, 0.0])), Arm(1.0, ra.array([0.0, 1.0])))
        return Hands(arms, {"mass": 2.0})

    def step(self, state: Hands, t: Any) -> Hands:
        first, second = state.arms
        return Hands((Arm(first.angle + self.push, first.tip), second), state.extra)

    def loss(self, final: Hands) -> Any:
        return final.arms[0].angle


@ra.struct
class Place:
    """A point, (2,)."""

    at: ra.Vec


class Lob(Scene):
    """Straight on for a second, so that the end is where it was thrown from and the velocity together."""

    steps: int = parameter(10, "number of time steps")
    dt: float = parameter(0.1, "time step", unit="s")
    goal: Any = parameter((0.5, 0.7), "where to end", unit="m", handle=True)
    lift: float = control(0.25, "height at the start", unit="m", bounds=(0.0, 0.3))
    velocity: Any = control((1.0, 0.5), "how fast", unit="m/s")

    def initial(self) -> Place:
        return Place(ra.array([0.0, self.lift]))

    def step(self, state: Place, t: Any) -> Place:
        return Place(state.at + self.dt * self.velocity)

    def loss(self, final: Place) -> Any:
        miss = final.at - self.goal
        return ra.dot(miss, miss)


PENDULUM = '''
import rose_ad as ra
from rosephys import Scene, control, parameter

@ra.struct
class State:
    angle: ra.Real
    rate: ra.Real

class Pendulum(Scene):
    """Swing up to an angle."""
    steps: int = parameter(200, "number of time steps")
    push: float = control(1.0, "rate at the start", unit="rad/s", bounds=(-3.0, 3.0))
    goal: float = parameter(0.5, "angle to end at", unit="rad")

    def initial(self):
        return State(0.0, self.push)

    def step(self, state, t):
        rate = state.rate - self.dt * 9.81 * ra.sin(state.angle)
        return State(state.angle + self.dt * rate, rate)

    def loss(self, final):
        return (final.angle - self.goal) ** 2
'''
