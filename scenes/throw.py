"""Throw: a box bounces, tumbles and slides over the ground, and is to come to rest on the goal.

The box is rigid, with restitution and Coulomb friction (rosephys/physics/rigid/models.py), and is thrown
from a hand's height. Its velocity and its spin are to be found. Kilograms, metres, seconds.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import rose_ad as ra
from rosephys import Cross, Limit, Lines, Picture, Polygon, Scene, Track, control, parameter
from rosephys.physics.rigid.bodies import Bodies, Body, World
from rosephys.physics.rigid.models import MODELS
from rosephys.physics.rigid.penalty import penalty_limit
from rosephys.physics.rigid.shapes import box

GROUND = box(40.0, 2.0)
CRATE = box(0.5, 0.4)


class Throw(Scene):
    """Throw a box so that it comes to rest on the goal."""

    optimizer, rate, iterations = "adam", 0.04, 150

    steps: int = parameter(480, "number of time steps", bounds=(1, 10_000_000))
    dt: float = parameter(1 / 160, "time step", unit="s", bounds=(1e-6, 0.1))
    contact: str = parameter("impulses", "the model of contact", choices=tuple(MODELS))
    start: Any = parameter((0.0, 1.2), "where the box is let go", unit="m", handle=True)
    goal: Any = parameter((5.0, 0.0), "where on the ground it should lie", unit="m", handle=True)
    restitution: float = parameter(0.4, "restitution of an impact", bounds=(0.0, 1.0))
    friction: float = parameter(0.5, "Coulomb's coefficient of friction", bounds=(0.0, 2.0))
    gravity: float = parameter(9.81, "acceleration of gravity, downwards", unit="m/s²")
    velocity: Any = control((2.5, 1.5), "of the throw", unit="m/s", anchor="start")
    spin: float = control(-0.5, "of the throw", unit="rad/s")

    @property
    def world(self) -> World:
        """The ground and the box."""
        ground = Body(GROUND, friction=self.friction, restitution=self.restitution, fixed=True)
        crate = Body(CRATE, friction=self.friction, restitution=self.restitution)
        return World((ground, crate), gravity=ra.array([0.0, -self.gravity]))

    def initial(self) -> Bodies:
        position = ra.array([np.array([0.0, -1.0]), self.start])
        velocity = ra.array([np.zeros(2), self.velocity])
        return self.world.at(position, np.zeros(2), velocity, ra.array([0.0, self.spin]))

    def step(self, state: Bodies, t: Any) -> Bodies:
        return MODELS[self.contact](self.world, state, self.dt)

    def limits(self, state: Bodies) -> tuple[Limit, ...]:
        return (penalty_limit(self.world, self.dt),) if self.contact == "penalty" else ()

    def loss(self, final: Bodies) -> Any:
        miss = final.position[1, 0] - self.goal[0]
        return miss * miss

    def invariants(self, state: Bodies) -> dict[str, Any]:
        """The energy, which impacts and friction take away."""
        return {"energy": self.world.energy(state)}

    def picture(self, state: Bodies) -> Picture:
        world = self.world
        soil = world.outline(state, 0)
        return Picture(
            (
                Polygon(soil, "earth"),
                Lines(soil[3:], soil[2:3], "faint", 2.0),
                Polygon(world.outline(state, 1), "#c98a3d", "#f1c27a"),
                Cross(self.goal, "good"),
            ),
            (-0.6, -0.5, 6.2, 2.6),
        )

    def tracks(self, state: Bodies) -> tuple[Track, ...]:
        return (Track(state.position[1], "accent", "box"),)
