"""Throw a box over the floor so that it comes to the goal, tumbling and sliding.

The time ends as it comes to rest. The rattling just before rest (from 800 steps on) depends on the throw by
ever smaller jumps, and derivatives say little about it.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import rose_ad as ra
from rosephys import Cross, Picture, Polygons, Scene, Track, control, parameter
from rosephys.physics.rigid.body3d import (
    BOX_CORNERS,
    BOX_FACES,
    angular_momentum,
    box_moments,
    rotated,
    rotational_energy,
)
from rosephys.physics.rigid.floor3d import Motion, RigidBody, advance_over_floor
from rosephys.scene.projection import Camera

CAMERA = Camera(-65.0, 24.0)
GRAVITY = np.array([0.0, 0.0, -9.81])


class Box3d(Scene):
    """Throw a box so that it ends at the goal."""

    iterations = 100
    rate = 0.02
    optimizer = "adam"

    steps: int = parameter(640, "number of time steps", bounds=(1, 10_000_000))
    dt: float = parameter(0.0015, "time step", unit="s", bounds=(1e-9, 0.1))
    mass: float = parameter(1.0, "mass of the box", unit="kg", bounds=(1e-3, 1e3))
    half: Any = parameter((0.15, 0.1, 0.06), "half its length, width and height", unit="m")
    restitution: float = parameter(0.4, "restitution: 1 is elastic", bounds=(0.0, 1.0))
    friction: float = parameter(0.4, "coefficient of friction", bounds=(0.0, 10.0))
    start: Any = parameter((-0.9, 0.0, 0.7), "where its centre starts", unit="m")
    tilt: Any = parameter((0.92, 0.2, 0.3, 0.15), "first orientation, a quaternion")
    goal: Any = parameter(
        lambda scene: CAMERA.place(np.array([0.7, 0.2, 0.0])),
        "where on the floor it should end, as a place in the picture",
        unit="m",
        handle=True,
    )
    velocity: Any = control((1.0, 0.0, 1.0), "velocity at the start", unit="m/s")
    spin: Any = control((1.0, 3.0, 0.5), "angular velocity at the start", unit="rad/s")

    @property
    def body(self) -> RigidBody:
        """What flies."""
        half = ra.array(self.half)
        return RigidBody(self.mass, box_moments(self.mass, half), BOX_CORNERS * half)

    def initial(self) -> Motion:
        q = ra.array(self.tilt) / ra.norm(self.tilt)
        momentum = angular_momentum(q, ra.array(self.spin), self.body.moments)
        return Motion(ra.array(self.start), ra.array(self.velocity), q, momentum)

    def step(self, state: Motion, t: Any) -> Motion:
        return advance_over_floor(
            self.body, state, self.restitution, self.friction, self.dt, -GRAVITY[2]
        )

    def loss(self, final: Motion) -> Any:
        miss = final.position[:2] - CAMERA.on_floor(self.goal)[:2]
        return ra.dot(miss, miss)

    def invariants(self, state: Motion) -> dict[str, Any]:
        """Kept but by the floor."""
        v = state.velocity
        moving = 0.5 * self.mass * ra.dot(v, v) - self.mass * ra.dot(GRAVITY, state.position)
        turning = rotational_energy(state.orientation, state.momentum, self.body.moments)
        return {"energy": moving + turning, "spin about the vertical": state.momentum[2]}

    def picture(self, state: Motion) -> Picture:
        corners = state.position + rotated(state.orientation, self.body.corners)
        box = CAMERA.solid(corners[BOX_FACES], "accent")
        goal = Cross(self.goal, "good")
        shapes = (CAMERA.floor(1.4, 0.8, 0.2), self._shadow(corners), goal, box)
        return Picture(shapes, (-1.35, -0.7, 1.35, 0.95))

    def _shadow(self, corners: Any) -> Polygons:
        """The faces laid flat on the floor: together, the shadow of a lamp right above."""
        flat = CAMERA.place(corners * np.array([1.0, 1.0, 0.0]))
        return Polygons(flat[BOX_FACES], np.zeros(6), "shade")

    def tracks(self, state: Motion) -> tuple[Track, ...]:
        return (Track(CAMERA.place(state.position), "accent", "box"),)
