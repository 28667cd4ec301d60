"""Billiards: find the stroke that sends the last ball of the rack to the goal.

A cue ball meets a triangle of balls at rest. The job is that of DiffTaichi (Hu et al., ICLR 2020) and of Rose
(Estep et al., ECOOP 2024) with `cushions` off: theirs is a table without end. Lengths, times and masses are
without dimension, every ball has mass 1.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

import rose_ad as ra
from rosephys import Circles, Cross, Picture, Scene, SceneError, Track, control, parameter
from rosephys.physics.contact.cushions import Cushions
from rosephys.physics.contact.discs import RULES

BED = (-0.05, -0.12, 1.47, 1.04)  # what the cushions enclose: xmin, ymin, xmax, ymax
_COLOURS = ("#e8b931", "#2f5fb3", "#c0392b", "#6c3f8f", "#e07b28", "#2e8b57", "#7b2d26", "#2b2b2b")


@ra.struct
class State:
    """Positions and velocities of n balls, each of shape (n, 2); ball 0 is the cue."""

    position: ra.Vec
    velocity: ra.Vec


class Billiards(Scene):
    """Send the target ball to the goal by choosing where the cue ball starts and how fast."""

    iterations = 200
    rate = 0.01

    layers: int = parameter(
        4, "rows of the rack; n = 1 + layers (layers + 1) / 2 balls", bounds=(1, 64)
    )
    steps: int = parameter(1024, "number of time steps", bounds=(1, 10_000_000))
    contact: str = parameter("toi-velocity", "the rule for collisions", choices=tuple(RULES))
    cushions: bool = parameter(True, "whether cushions throw balls back; without, none are drawn")
    target: int = parameter(-1, "the ball to be sent to the goal; -1 is the last")
    dt: float = parameter(0.003, "time step", bounds=(1e-9, 1.0))
    radius: float = parameter(0.03, "radius of a ball", bounds=(1e-6, 1.0))
    restitution: float = parameter(0.8, "restitution: 1 is elastic", bounds=(0.0, 1.0))
    rebound: float = parameter(0.8, "restitution of the cushions", bounds=(0.0, 1.0))
    goal: Any = parameter(
        (0.9, 0.75), "where the target ball should be after the last step", handle=True
    )
    cue_position: Any = control((0.1, 0.5), "where the cue ball starts", handle=True)
    cue_velocity: Any = control(
        (0.3, 0.0), "velocity of the cue ball at the start", anchor="cue_position"
    )

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        # plain descent is what others published for toi-position; for the true gradient, which is smaller
        # along the stroke, it would take ten times the iterations
        self.optimizer = "gd" if self.contact == "toi-position" else "adam"
        balls = self.balls
        if not -balls <= self.target < balls:
            raise SceneError(f"target {self.target} is not one of the {balls} balls")

    @property
    def balls(self) -> int:
        """The number of balls, the cue ball included."""
        return 1 + self.layers * (self.layers + 1) // 2

    def initial(self) -> State:
        rack = [(i, j) for i in range(self.layers) for j in range(i + 1)]
        grid = np.array([(0, 0), *rack])  # row, and place in the row, of each ball after the cue
        rows, places = ra.array(grid[:, 0]), ra.array(grid[:, 1])
        r, n = self.radius, self.balls

        def ball(k: Any) -> Any:
            i, j = rows[k], places[k]
            return ra.array([0.5 + 2 * r * i, 0.5 + 2 * r * j - 0.7 * r * i])

        position = ra.build(n, lambda k: ra.where(k == 0, self.cue_position, ball(k)))
        velocity = ra.build(n, lambda k: ra.where(k == 0, self.cue_velocity, np.zeros(2)))
        return State(position, velocity)

    def step(self, state: State, t: Any) -> State:
        x, v = state.position, state.velocity
        table = Cushions(np.array(BED[:2]), np.array(BED[2:]), self.rebound)
        cushions = table if self.cushions else None
        rule = RULES[self.contact]
        dv, dx = rule(x, v, self.radius, self.restitution, self.dt, cushions=cushions)
        v = v + dv
        return State(x + dx + self.dt * v, v)

    def loss(self, final: State) -> Any:
        miss = final.position[self.target] - self.goal
        return ra.dot(miss, miss)

    def invariants(self, state: State) -> dict[str, Any]:
        v = state.velocity
        momentum = ra.sum(v, axis=0)
        return {
            "kinetic energy": 0.5 * ra.sum(v * v),
            "momentum x": momentum[0],
            "momentum y": momentum[1],
        }

    @property
    def allowed_drift(self) -> dict[str, float | tuple[float, float]]:
        # collisions take energy, none gives any; cushions change momentum
        momentum = math.inf if self.cushions else 1e-12
        drift = {"kinetic energy": (math.inf, 1e-12)}
        return drift | {f"momentum {axis}": momentum for axis in "xy"}

    def picture(self, state: State) -> Picture:
        target = self.target % self.balls
        colours = ["white", *(_COLOURS[k % len(_COLOURS)] for k in range(self.balls - 1))]
        labels = ["", *(str(k + 1) for k in range(self.balls - 1))]
        colours[target] = "#d8432f"
        balls = Circles(state.position, self.radius, tuple(colours), tuple(labels))
        cloth = "felt" if self.cushions else "felt edge"
        return Picture((Cross(self.goal, "accent"), balls), BED, cloth)

    def tracks(self, state: State) -> tuple[Track, ...]:
        x = state.position
        return Track(x[0], "white", "cue"), Track(x[self.target], "accent", "target")
