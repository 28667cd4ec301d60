"""A gyroscope on a stand: find the spin and the push with which its axle comes to the goal."""

from __future__ import annotations

from typing import Any

import numpy as np

import rose_ad as ra
from rosephys import (
    Circles,
    Cross,
    Limit,
    Picture,
    Polygons,
    Polyline,
    Scene,
    Track,
    control,
    parameter,
)
from rosephys.physics.mechanics.top import top_axis, top_energy, top_limit, top_step
from rosephys.physics.rigid.body3d import angular_momentum, rotated
from rosephys.scene.picture import Shape
from rosephys.scene.projection import Camera

CAMERA = Camera(-60.0, 22.0)
WEDGES = 12  # on either side of the wheel


@ra.struct
class State:
    """Orientation, a quaternion (4,), and angular momentum (3,) about the pivot."""

    orientation: ra.Vec
    momentum: ra.Vec


class Gyroscope(Scene):
    """Spin a gyroscope so that the end of its axle comes to the goal."""

    iterations = 250
    rate = 0.3
    optimizer = "adam"

    steps: int = parameter(1500, "number of time steps", bounds=(1, 10_000_000))
    dt: float = parameter(0.002, "time step", unit="s", bounds=(1e-9, 0.1))
    mass: float = parameter(1.0, "mass of the wheel", unit="kg", bounds=(1e-3, 1e3))
    radius: float = parameter(0.15, "radius of the wheel", unit="m", bounds=(1e-3, 10.0))
    arm: float = parameter(0.15, "from the pivot to the wheel", unit="m", bounds=(1e-3, 10.0))
    gravity: float = parameter(9.81, "acceleration of gravity", unit="m/s²")
    inclination: float = parameter(1.1, "of the axle, from the vertical", unit="rad")
    goal: Any = parameter((-0.12, 0.0), "where the axle's end is to be seen", unit="m", handle=True)
    spin: float = control(45.0, "of the wheel about its axle", unit="rad/s", rate=10.0)
    push: Any = control((0.0, 0.0), "of the axle at first, down and round", unit="rad/s")

    @property
    def moments(self) -> Any:
        """Principal moments (3,) of a thin disc about the pivot."""
        own = 0.25 * self.mass * self.radius**2
        across = own + self.mass * self.arm**2
        return ra.array([across, across, 2 * own])

    @property
    def weight(self) -> Any:
        """m g l (N m)."""
        return self.mass * self.gravity * self.arm

    def initial(self) -> State:
        half = 0.5 * self.inclination
        q = ra.array([ra.cos(half), 0.0, ra.sin(half), 0.0])
        turning = rotated(q, ra.array([-self.push[1], self.push[0], self.spin]))
        return State(q, angular_momentum(q, turning, self.moments))

    def step(self, state: State, t: Any) -> State:
        return State(
            *top_step(state.orientation, state.momentum, self.moments, self.weight, self.dt)
        )

    def limits(self, state: State) -> tuple[Limit, ...]:
        return (top_limit(state.momentum, self.moments, self.weight, self.dt),)

    def loss(self, final: State) -> Any:
        miss = CAMERA.place(self._end(final)) - self.goal
        return ra.dot(miss, miss)

    def _end(self, state: State) -> Any:
        return 1.5 * self.arm * top_axis(state.orientation)

    def invariants(self, state: State) -> dict[str, Any]:
        """Kept by a top without friction."""
        q, momentum = state.orientation, state.momentum
        return {
            "energy": top_energy(q, momentum, self.moments, self.weight),
            "momentum about the vertical": momentum[2],
            "momentum about the axle": ra.dot(momentum, top_axis(q)),
        }

    def picture(self, state: State) -> Picture:
        axis, end = top_axis(state.orientation), self._end(state)
        pivot, hub, foot = np.zeros(3), self.arm * axis, np.array([0.0, 0.0, -0.3])
        behind = axis @ CAMERA.axes[2] < 0  # the axle's end, which the wheel then hides
        outer = CAMERA.place(ra.stack([hub, end]))
        shapes: tuple[Shape, ...] = (
            CAMERA.floor(0.3, 0.3, 0.1, foot[2]),
            Polyline(CAMERA.place(ra.stack([foot, pivot])), "bone", 7.0),
            Circles(np.zeros((1, 2)), 0.012, ("dim",)),
            Polyline(CAMERA.place(ra.stack([pivot, hub])), "text", 4.0),
            *_axle(outer, behind),
            *self._wheel(state),
            *_axle(outer, ~behind),
            Cross(self.goal, "good"),
        )
        return Picture(shapes, (-0.42, -0.36, 0.42, 0.34))

    def _wheel(self, state: State) -> tuple[Polygons, ...]:
        """A cylinder: its sides in wedges of two colours, so that it is seen to spin."""
        angles = np.linspace(0, 2 * np.pi, 2 * WEDGES + 1)
        rim = np.stack([np.cos(angles), np.sin(angles), 0 * angles], axis=1) * self.radius
        hub, thick = np.zeros((1, 3)), np.array([0.0, 0.0, 0.12]) * self.radius
        start = np.arange(0, 2 * WEDGES, 2)
        disc = ra.concat([hub, rim])
        wedges = disc[np.stack([0 * start, start + 1, start + 2, start + 3], axis=1)]
        under = disc[np.stack([0 * start, start + 3, start + 2, start + 1], axis=1)]
        caps = ra.concat([wedges + thick, under - thick])
        k = np.arange(2 * WEDGES)
        band = ra.stack(
            [rim[k] - thick, rim[k + 1] - thick, rim[k + 1] + thick, rim[k] + thick], axis=1
        )

        def placed(faces: Any, colour: str) -> Polygons:
            turned = rotated(state.orientation, faces + np.array([0.0, 0.0, 1.0]) * self.arm)
            return CAMERA.solid(turned, colour)

        return placed(band, "wood"), placed(caps[::2], "accent"), placed(caps[1::2], "curve")

    def tracks(self, state: State) -> tuple[Track, ...]:
        return (Track(CAMERA.place(self._end(state)), "good", "end"),)


def _axle(points: Any, shown: Any) -> tuple[Polyline, Circles]:
    """The outer half of the axle, from hub to end (2, 2), if it is to be shown."""
    line = Polyline(ra.where(shown, points, np.nan), "text", 4.0)
    # of radius zero where it is not drawn: a hand that has it keeps it across
    return line, Circles(points[1:], ra.where(shown, 0.012, 0.0), ("good",))
