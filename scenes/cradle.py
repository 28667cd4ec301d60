"""Newton's cradle: pull the first ball aside so that the last one swings to the goal.

Balls hang on massless rods and touch, or nearly do. Impacts are collisions of pairs, one after the other, so
that the last ball takes all the speed and those between stay; a model that solved for all impacts at once
would share the speed out, with every law of conservation kept (see rosephys/physics/rigid/impulses.py).
Kilograms, metres, seconds.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import rose_ad as ra
from rosephys import Circles, Cross, Lines, Picture, Polygon, Scene, Track, control, parameter
from rosephys.physics.rigid import impulses
from rosephys.physics.rigid.bodies import Bodies, Body, World
from rosephys.physics.rigid.joints import distance
from rosephys.physics.rigid.shapes import box, circle

RADIUS, LENGTH = 0.1, 1.0  # of a ball, and of its rod
BEAM = 0.08  # height of the beam from which the rods hang


class Cradle(Scene):
    """Pull the first ball of a cradle aside so that the last one swings to the goal."""

    optimizer, rate, iterations = "adam", 0.02, 100

    balls: int = parameter(5, "how many balls hang in a row", bounds=(2, 50))
    steps: int = parameter(240, "number of time steps", bounds=(1, 10_000_000))
    dt: float = parameter(1 / 240, "time step", unit="s", bounds=(1e-6, 0.1))
    gap: float = parameter(0.0, "between two balls at rest", unit="m", bounds=(0.0, 1.0))
    restitution: float = parameter(1.0, "restitution: 1 is elastic", bounds=(0.0, 1.0))
    goal: Any = parameter((0.965, -0.825), "where the last ball should be in the end", handle=True)
    pull: float = control(0.35, "angle of the first ball at the start", unit="rad")

    @property
    def pivots(self) -> Any:
        """Where the rods hang, (balls, 2)."""
        along = np.arange(self.balls) - (self.balls - 1) / 2
        return ra.stack([along * (2 * RADIUS + self.gap), np.zeros(self.balls)], axis=1)

    @property
    def world(self) -> World:
        """The beam, and the balls from left to right."""
        beam = Body(box(2 * RADIUS * self.balls, BEAM), fixed=True)
        ball = Body(circle(RADIUS), friction=0.0, restitution=self.restitution)
        pivots, n = self.pivots, self.balls
        return World(
            (beam, *[ball] * n),
            joints=[distance(0, k + 1, pivots[k], (0.0, 0.0), LENGTH) for k in range(n)],
            pairs=[(k + 1, k + 2) for k in range(n - 1)],
        )

    def initial(self) -> Bodies:
        pivots = self.pivots

        def place(k: Any) -> Any:
            angle = ra.where(k == 1, -self.pull, 0.0)
            hung = pivots[ra.maximum(k - 1, 0)] + LENGTH * ra.array([ra.sin(angle), -ra.cos(angle)])
            return ra.where(k == 0, np.zeros(2), hung)

        return self.world.at(ra.build(self.balls + 1, place), np.zeros(self.balls + 1))

    def step(self, state: Bodies, t: Any) -> Bodies:
        return impulses.step(self.world, state, self.dt, sweeps=4)

    def loss(self, final: Bodies) -> Any:
        miss = final.position[-1] - self.goal
        return ra.dot(miss, miss)

    def invariants(self, state: Bodies) -> dict[str, Any]:
        """The energy, which elastic impacts keep."""
        return {"energy": self.world.energy(state)}

    def picture(self, state: Bodies) -> Picture:
        balls, pivots = state.position[1:], self.pivots
        half = RADIUS * self.balls + 0.06
        beam = np.array([[-half, 0.0], [half, 0.0], [half, BEAM], [-half, BEAM]])
        colours = ["#9fb2c8"] * self.balls
        colours[0], colours[-1] = "#c0392b", "#d9a441"
        side = LENGTH + 2 * RADIUS
        return Picture(
            (
                Lines(pivots, balls, "bone", 2.0),
                Polygon(beam, "wood", "#8a5a3a"),
                Cross(self.goal, "good"),
                Circles(balls, RADIUS, tuple(colours)),
            ),
            (-half - 0.6 * side, -LENGTH - 2.5 * RADIUS, half + 0.6 * side, 3 * BEAM),
        )

    def tracks(self, state: Bodies) -> tuple[Track, ...]:
        return Track(state.position[1], "bad", "first"), Track(state.position[-1], "accent", "last")
