"""A robot's arm throws a ball: find the torques of its three motors, and when its hand opens.

The ball is part of the forearm until the hand opens, at an instant within a step, and then flies until it meets
the floor, at an instant too. It stays where it lands, while the arm takes itself back to where it began.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import rose_ad as ra
from rosephys import Circles, Cross, Picture, Scene, Track, control, parameter
from rosephys.physics.articulated import (
    Actuator,
    Link,
    Model,
    articulated,
    forward_kinematics,
    jacobian,
    step,
)
from rosephys.physics.mechanics.knots import linear_between
from rosephys.physics.rigid.body3d import BOX_CORNERS, BOX_FACES, box_moments
from rosephys.scene.projection import Camera

CAMERA = Camera(-55.0, 22.0)
GRAVITY = 9.81
HALVES = np.array(
    [[0.11, 0.11, 0.2], [0.05, 0.06, 0.25], [0.035, 0.045, 0.22]]
)  # of the links, metres
MIDS = np.array([[0.0, 0.0, 0.2], [0.0, 0.0, 0.25], [0.0, 0.0, 0.22]])
MASSES = (12.0, 2.5, 1.2)
HAND, RADIUS = (0.0, 0.0, 0.5), 0.06  # where the forearm holds the ball


@ra.struct
class State:
    """Angles of column, shoulder and elbow (3,) and their rates; the ball's place (3,) and velocity."""

    q: ra.Vec
    v: ra.Vec
    ball: ra.Vec
    velocity: ra.Vec


class Arm(Scene):
    """Throw a ball with a robot's arm so that it lands at the goal."""

    iterations = 200
    rate = 0.5
    optimizer = "adam"

    knots: int = parameter(8, "how many torques a motor is given over time", bounds=(2, 100_000))
    steps: int = parameter(360, "number of time steps", bounds=(1, 10_000_000))
    dt: float = parameter(0.004, "time step", unit="s", bounds=(1e-9, 0.05))
    mass: float = parameter(0.4, "mass of the ball", unit="kg", bounds=(0.0, 10.0))
    friction: float = parameter(0.6, "damping of the joints", unit="N m s/rad", bounds=(0.0, 1e3))
    effort: float = parameter(1e-5, "weight of the mean squared torque", unit="1/N²")
    start: Any = parameter((0.0, -0.5, -1.3), "angles of column, shoulder, elbow", unit="rad")
    goal: Any = parameter(
        lambda scene: CAMERA.place(np.array([2.2, 0.6, 0.0])),
        "where on the floor the ball should land, as a place in the picture",
        unit="m",
        handle=True,
    )
    torque: Any = control(
        lambda scene: np.tile([0.0, 8.0, 4.0], (scene.knots, 1)),
        "of each motor at each knot, until the hand opens",
        unit="N m",
        bounds=(-60.0, 60.0),
    )
    release: Any = control(0.45, "when the hand opens", unit="s", bounds=(0.05, 1.4), rate=0.005)

    def model(self, held: Any) -> Model:
        """The arm with the ball in its hand (1), or without and drawn back to where it began (0)."""
        names, axes = ("column", "shoulder", "elbow"), ((0, 0, 1), (0, 1, 0), (0, 1, 0))
        ats = ((0.0, 0.0, 0.0), (0.0, 0.0, 0.42), (0.0, 0.0, 0.5))
        links = []
        for k, name in enumerate(names):
            links.append(
                Link(
                    name,
                    names[k - 1] if k else "world",
                    "revolute",
                    axes[k],
                    ats[k],
                    mass=MASSES[k],
                    centre=MIDS[k],
                    inertia=box_moments(MASSES[k], HALVES[k]),
                    damping=self.friction + 6.0 * (1 - held),
                    stiffness=40.0 * (1 - held),
                    home=self.start[k : k + 1],
                )
            )
        links.append(Link("ball", "elbow", at=HAND, mass=self.mass * held))
        return articulated(links, [Actuator(name, {name: 1.0}) for name in names])

    def _hand(self, q: Any, v: Any) -> tuple[Any, Any]:
        """Where the hand is and its velocity."""
        model = self.model(1.0)
        place = forward_kinematics(model, q).position[3]
        return place, jacobian(model, q, "ball")[:3] @ v

    def initial(self) -> State:
        q, v = ra.array(self.start), np.zeros(3)
        return State(q, v, *self._hand(q, v))

    def step(self, state: State, t: Any) -> State:
        now, dt = t * self.dt, self.dt
        torque = linear_between(self.torque, ra.clip((now + 0.5 * dt) / self.release, 0.0, 1.0))
        last = ra.to_int(self.release / dt)  # the step in which the hand opens
        held = ra.where(
            t < last, dt, self.release - last * dt
        )  # for so long it holds the ball in this one
        q, v = state.q, state.v

        def throwing() -> State:
            at, rate = step(self.model(1.0), q, v, torque, held)
            ball, velocity = _flown(*self._hand(at, rate), dt - held)
            at, rate = step(self.model(0.0), at, rate, np.zeros(3), dt - held)
            return State(at, rate, ball, velocity)

        def empty() -> State:
            at, rate = step(self.model(0.0), q, v, np.zeros(3), dt)
            ball, velocity = _flown(state.ball, state.velocity, dt)
            return State(at, rate, ball, velocity)

        after: State = ra.cond(t <= last, throwing, empty)
        return after

    def loss(self, final: State) -> Any:
        landed = _flown(final.ball, final.velocity, 10.0)[0]
        miss = landed[:2] - CAMERA.on_floor(self.goal)[:2]
        return ra.dot(miss, miss) + self.effort * ra.mean(self.torque * self.torque)

    def picture(self, state: State) -> Picture:
        frames = forward_kinematics(self.model(1.0), state.q)
        corners = [
            frames.position[k] + (MIDS[k] + HALVES[k] * BOX_CORNERS) @ frames.rotation[k].T
            for k in range(3)
        ]
        faces = ra.concat([c[BOX_FACES] for c in corners])
        flat = np.array([1.0, 1.0, 0.0])
        shapes = (
            CAMERA.floor(3.0, 1.5, 0.5),
            Circles(ra.array([CAMERA.place(state.ball * flat)]), 0.05, ("shade",), style="disc"),
            Cross(self.goal, "good"),
            CAMERA.solid(faces, "skin"),
            Circles(ra.array([CAMERA.place(state.ball)]), RADIUS, ("accent",)),
        )
        return Picture(shapes, (-1.3, -1.0, 2.3, 1.3))

    def tracks(self, state: State) -> tuple[Track, ...]:
        return (Track(CAMERA.place(state.ball), "accent", "ball"),)


def _flown(ball: Any, velocity: Any, time: Any) -> Any:
    """The ball's place and velocity after a time of flight, which ends on the floor."""
    down = np.array([0.0, 0.0, -GRAVITY])

    def flying() -> Any:
        height, rise = ball[2] - RADIUS, velocity[2]
        lands = (rise + ra.sqrt(rise * rise + 2 * GRAVITY * height)) / GRAVITY
        return ra.cond(
            lands > time,
            lambda: (ball + time * velocity + 0.5 * time * time * down, velocity + time * down),
            lambda: (
                ra.array([*(ball[:2] + lands * velocity[:2]), RADIUS]),
                ra.array(np.zeros(3)),
            ),
        )

    return ra.cond(ball[2] > RADIUS, flying, lambda: (ball, velocity))
