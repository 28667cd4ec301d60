"""A box is thrown at the ground: how does the height at which it ends depend on that from which it comes?

The smallest problem on which contact without a time of impact goes wrong: its gradient has the wrong sign, and
the descent goes up. See docs/rigid_robots.md. Source: DiffTaichi (Hu et al., ICLR 2020), section 5; lengths,
times and masses are without dimension.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import rose_ad as ra
from rosephys import Circles, Limit, Picture, Polygon, Scene, Text, Track, control, parameter
from rosephys.physics.robots.boxes import (
    Impulses,
    Motion,
    RigidBodies,
    advance,
    box_outlines,
    boxes,
    ground_limit,
    kinetic_energy,
    touch_ground,
)
from rosephys.scene.picture import Shape
from rosephys.scene.scenery import SOLID, level_ground

HALF = np.array([[0.06, 0.04]])  # extents of the box
POINT = RigidBodies(np.ones(1), np.ones(1), np.zeros(1, int), np.zeros((1, 2)))
BODIES = {"box": boxes(HALF), "point": POINT}


class Drop(Scene):
    """Throw a box, or a point, at the ground from the height from which it ends lowest."""

    iterations = 150
    rate = 0.02

    shape: str = parameter("box", "what is thrown", choices=tuple(BODIES))
    steps: int = parameter(203, "number of time steps", bounds=(1, 10_000_000))
    time_of_impact: bool = parameter(True, "whether contact counts from the instant of impact")
    dt: float = parameter(0.002, "time step", bounds=(1e-9, 1.0))
    velocity: Any = parameter((-1.0, -2.0), "velocity at the start")
    angle: float = parameter(0.7, "angle of the box at the start", unit="rad")
    gravity: float = parameter(0.0, "acceleration of gravity, downwards")
    ground: float = parameter(0.1, "height of the ground")
    restitution: float = parameter(0.5, "restitution: 1 is elastic", bounds=(0.0, 1.0))
    friction: float = parameter(0.0, "coefficient of friction with the ground", bounds=(0.0, 1e3))
    height: float = control(0.5, "height of the centre at the start", bounds=(0.2, 2.0))

    @property
    def bodies(self) -> RigidBodies:
        """What is thrown."""
        return BODIES[self.shape]

    def initial(self) -> Motion:
        position = ra.array([[0.7, self.height]])
        velocity = ra.array(self.velocity)
        return Motion(position, ra.array([self.angle]), velocity[None], np.zeros(1))

    def step(self, state: Motion, t: Any) -> Motion:
        impulses = Impulses(self.bodies, state)
        touch_ground(
            impulses,
            self.bodies,
            ground=self.ground,
            gravity=self.gravity,
            restitution=self.restitution,
            friction=self.friction,
            dt=self.dt,
            time_of_impact=self.time_of_impact,
        )
        return advance(impulses, drag=1.0, gravity=self.gravity, dt=self.dt)

    def limits(self, state: Motion) -> tuple[Limit, ...]:
        return (ground_limit(self.bodies, state, self.dt),)

    def loss(self, final: Motion) -> Any:
        return final.position[0, 1]

    def invariants(self, state: Motion) -> dict[str, Any]:
        """What a throw keeps: without friction the momentum and, where it is elastic, the energy to O(dt²)."""
        mass = self.bodies.mass
        height = self.gravity * ra.sum(mass * state.position[:, 1])
        momentum = ra.sum(mass * state.velocity[:, 0])
        return {"energy": kinetic_energy(state, self.bodies) + height, "momentum": momentum}

    def picture(self, state: Motion) -> Picture:
        return Picture(
            (
                *level_ground(self.ground),
                self._drawn(self.initial(), "canvas", "faint"),
                self._drawn(state, SOLID, "good"),
                Text((0.55, 0.5 * self.ground), "end as low as it can", "good"),
            ),
            (0.0, 0.0, 1.1, 1.1),
        )

    def _drawn(self, state: Motion, colour: str, outline: str) -> Shape:
        if self.shape == "point":
            return Circles(state.position, 0.012, (outline,), style="disc")
        return Polygon(box_outlines(state, HALF)[0], colour, outline)

    def tracks(self, state: Motion) -> tuple[Track, ...]:
        return (Track(state.position[0], "good"),)
