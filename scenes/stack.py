"""Stack: ten boxes stand on each other, and a ball is thrown so that one of them ends at the goal.

Left alone the boxes stand for as long as one looks: `--set ball_velocity=0,0 --set steps=2400`. Contact is
one of rosephys/physics/rigid/models.py. Kilograms, metres, seconds.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import rose_ad as ra
from rosephys import (
    Circles,
    Cross,
    Limit,
    Lines,
    Picture,
    Polygon,
    Scene,
    SceneError,
    Track,
    control,
    parameter,
)
from rosephys.physics.rigid.bodies import Bodies, Body, World
from rosephys.physics.rigid.models import MODELS
from rosephys.physics.rigid.penalty import penalty_limit
from rosephys.physics.rigid.shapes import box, circle

GROUND = box(60.0, 4.0)
SIDE, RADIUS = 0.5, 0.3  # of a box, and of the ball


class Stack(Scene):
    """Throw a ball at a stack of boxes so that the target box ends at the goal."""

    optimizer, rate, iterations = "adam", 0.05, 60

    boxes: int = parameter(10, "how many boxes are stacked", bounds=(1, 100))
    target: int = parameter(-1, "the box that is to be sent to the goal; -1 is the top one")
    steps: int = parameter(330, "number of time steps", bounds=(1, 10_000_000))
    dt: float = parameter(1 / 240, "time step", unit="s", bounds=(1e-6, 0.1))
    contact: str = parameter("impulses", "the model of contact", choices=tuple(MODELS))
    sweeps: int = parameter(8, "of the model of impulses, in half a step", bounds=(1, 1000))
    offsets: Any = parameter(lambda s: np.zeros(s.boxes), "of each box from the line", unit="m")
    friction: float = parameter(0.5, "Coulomb's coefficient of friction", bounds=(0.0, 2.0))
    restitution: float = parameter(0.1, "restitution of an impact", bounds=(0.0, 1.0))
    density: float = parameter(1.5, "of the ball; that of the boxes is 1", unit="kg/m²")
    goal: Any = parameter((4.0, 0.25), "where the target box should be in the end", handle=True)
    ball: Any = parameter((-2.6, 4.6), "where the ball is let go", unit="m", handle=True)
    ball_velocity: Any = control((6.9, 2.1), "of the ball", unit="m/s", anchor="ball")

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        if not -self.boxes <= self.target < self.boxes:
            raise SceneError(f"target {self.target} is not one of the {self.boxes} boxes")

    @property
    def world(self) -> World:
        """The ground, the boxes from the lowest on, and the ball."""
        mu, e = self.friction, self.restitution
        ground = Body(GROUND, friction=mu, restitution=e, fixed=True)
        crate = Body(box(SIDE, SIDE), friction=mu, restitution=e)
        ball = Body(circle(RADIUS), density=self.density, friction=mu, restitution=e)
        return World((ground, *[crate] * self.boxes, ball))

    def initial(self) -> Bodies:
        n, offsets = self.boxes + 2, ra.array(self.offsets)

        def place(k: Any) -> Any:
            x = offsets[ra.clip(k - 1, 0, self.boxes - 1)]
            height = ra.where(k == 0, -2.0, SIDE * (k - 0.5))
            return ra.where(k == n - 1, self.ball, ra.array([ra.where(k == 0, 0.0, x), height]))

        thrown = ra.build(n, lambda k: ra.where(k == n - 1, self.ball_velocity, np.zeros(2)))
        return self.world.at(ra.build(n, place), np.zeros(n), thrown)

    def step(self, state: Bodies, t: Any) -> Bodies:
        how = {"sweeps": self.sweeps} if self.contact == "impulses" else {}
        return MODELS[self.contact](self.world, state, self.dt, **how)

    def limits(self, state: Bodies) -> tuple[Limit, ...]:
        return (penalty_limit(self.world, self.dt),) if self.contact == "penalty" else ()

    def loss(self, final: Bodies) -> Any:
        miss = final.position[1 + self.target % self.boxes] - self.goal
        return ra.dot(miss, miss)

    def invariants(self, state: Bodies) -> dict[str, Any]:
        """The energy, which impacts and friction take away."""
        return {"energy": self.world.energy(state)}

    def picture(self, state: Bodies) -> Picture:
        world = self.world
        soil = world.outline(state, 0)
        target = self.target % self.boxes
        fills = ["#4a6fa5" if k % 2 else "#5b82bb" for k in range(self.boxes)]
        fills[target] = "#d9822b"
        boxes = [
            Polygon(world.outline(state, 1 + k), fills[k], "#f6c98a" if k == target else "#a9c4ea")
            for k in range(self.boxes)
        ]
        height = SIDE * self.boxes
        return Picture(
            (
                Polygon(soil, "earth"),
                Lines(soil[3:], soil[2:3], "faint", 2.0),
                *boxes,
                Circles(state.position[-1:], RADIUS, ("#c0392b",)),
                Cross(self.goal, "good"),
            ),
            (-3.2, -0.5, 5.2, height + 1.0),
        )

    def tracks(self, state: Bodies) -> tuple[Track, ...]:
        target = state.position[1 + self.target % self.boxes]
        return Track(state.position[-1], "bad", "ball"), Track(target, "accent", "target")
