"""Push a disc so that it strikes another to the goal, with little effort.

Two discs are at rest. An acceleration u(t) acts on the first, constant within each step; to be small is

    |x_1(T)|² + ε ∫ |u|² dt        with the goal at 0, ε = 0.01, T = 1.

The two tasks of Zhong, Han, Dey, Brikis (L4DC 2023) have a known optimum, `single` by one collision, `several`
by way of a wall. Only a rule whose derivative knows when the discs meet comes to it; see docs/contact.md. The
wall is made of mirror images: a disc meets it where it meets its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

import rose_ad as ra
from rosephys import (
    Arrow,
    Circles,
    Cross,
    Lines,
    Picture,
    Polygon,
    Scene,
    Track,
    control,
    parameter,
)
from rosephys.physics.contact.discs import RULES
from rosephys.physics.contact.events import Event, advance
from rosephys.physics.mechanics.integrators import verlet

RADIUS = 0.2
WALL = 1.0  # its height, in the task `several`


@dataclass(frozen=True)
class Task:
    """Where the discs start (2, 2), whether there is a wall, the first push, iterations, what to show."""

    starts: tuple[tuple[float, float], tuple[float, float]]
    wall: bool
    push: tuple[float, float]
    iterations: int
    view: tuple[float, float, float, float]


TASKS = {
    "single": Task(((-1.0, -2.0), (-1.0, -1.0)), False, (0.0, 3.0), 500, (-2.4, -2.4, 1.2, 0.5)),
    "several": Task(((0.25, -0.3), (-0.5, 0.6)), True, (-3.5, 3.0), 1500, (-2.2, -0.8, 1.2, 1.1)),
}


@ra.struct
class State:
    """Positions and velocities of the discs (2, 2), and the push on the first (2,)."""

    position: ra.Vec
    velocity: ra.Vec
    push: ra.Vec


class Push(Scene):
    """Push one disc so that it strikes the other to the goal, with little effort."""

    rate = 0.2
    optimizer = "adam"

    task: str = parameter("single", "one collision, or several by way of a wall", choices=(*TASKS,))
    contact: str = parameter("toi-velocity", "the rule for collisions", choices=(*RULES, "events"))
    steps: int = parameter(480, "number of time steps", bounds=(1, 10_000_000))
    dt: float = parameter(1 / 480, "time step", bounds=(1e-9, 1.0))
    effort: float = parameter(0.01, "what effort costs", bounds=(0.0, 1e3))
    push: Any = control(
        lambda scene: np.tile(TASKS[scene.task].push, (scene.steps, 1)),
        "acceleration of the first disc in each step (steps, 2)",
    )

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.iterations = TASKS[self.task].iterations

    def initial(self) -> State:
        return State(np.array(TASKS[self.task].starts), np.zeros((2, 2)), self.push[0])

    def step(self, state: State, t: Any) -> State:
        push = self.push[t]
        move = self._by_events if self.contact == "events" else self._by_rule
        return State(*move(state.position, state.velocity, ra.stack([push, np.zeros(2)])), push)

    def _by_rule(self, x: Any, v: Any, a: Any) -> tuple[Any, Any]:
        dt = self.dt
        v = v + dt * a
        if TASKS[self.task].wall:
            turned = np.array([1.0, -1.0])
            images = (np.array([0.0, 2 * WALL]) + turned * x, turned * v, turned * a)
            among = [ra.concat(pair) for pair in zip((x, v, a), images, strict=True)]
        else:
            among = [x, v, a]
        dv, dx = RULES[self.contact](among[0], among[1], RADIUS, 1.0, dt, among[2])
        v = v + dv[:2]
        return x + dx[:2] + dt * v, v

    def _by_events(self, x: Any, v: Any, a: Any) -> tuple[Any, Any]:
        def flow(state: Any, time: Any) -> Any:
            return verlet(lambda _x, _v: a, state[0], state[1], time)

        def gap(state: Any) -> Any:
            return ra.norm(state[0][0] - state[0][1]) - 2 * RADIUS

        def collide(state: Any) -> Any:
            x, v = state
            normal = (x[0] - x[1]) / ra.norm(x[0] - x[1])
            impulse = -ra.dot(normal, v[0] - v[1]) * normal
            return x, ra.stack([v[0] + impulse, v[1] - impulse])

        def wall(k: int) -> Event[Any]:
            sides = np.ones((2, 2))
            sides[k, 1] = -1.0
            return Event(lambda s: WALL - RADIUS - s[0][k, 1], lambda s: (s[0], sides * s[1]))

        events = [Event(gap, collide), *(wall(k) for k in range(2) if TASKS[self.task].wall)]
        moved: tuple[Any, Any] = advance(flow, events, (x, v), self.dt)
        return moved

    def loss(self, final: State) -> Any:
        miss = final.position[1]
        return ra.dot(miss, miss) + self.effort * self.dt * ra.sum(self.push * self.push)

    def picture(self, state: State) -> Picture:
        x = state.position
        view = TASKS[self.task].view
        shapes: list[Any] = [Cross((0.0, 0.0), "good", 12.0)]
        if TASKS[self.task].wall:
            beyond = ((-9.0, WALL), (9.0, WALL), (9.0, 9.0), (-9.0, 9.0))
            shapes += [Polygon(beyond, "earth"), Lines(beyond[:1], beyond[1:2], "faint")]
        shapes += [
            Circles(x, RADIUS, ("accent", "third")),
            Arrow(x[0], 0.05 * state.push, "text", 3.0),
        ]
        return Picture(tuple(shapes), view)

    def tracks(self, state: State) -> tuple[Track, ...]:
        x = state.position
        return Track(x[0], "accent", "pushed"), Track(x[1], "third", "struck")
