"""Hopper: a body on one leg that is a spring, which a motor makes longer and shorter, and a hip that swings it.

When and how far, over the hops, is found. A described world (docs/worlds.md). Kilograms, metres, seconds.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import rose_ad as ra
from rosephys import control, parameter
from rosephys.physics.mechanics.knots import linear_between
from rosephys.worlds import Plan, WorldScene, WorldState, box, circle

KNOTS = 16


class Hopper(WorldScene):
    """Hop to the goal on one leg: how it stretches and swings along the way."""

    optimizer, rate, iterations = "adam", 0.02, 150
    view = (-0.8, -0.3, 2.3, 1.6)

    steps: int = parameter(480, "number of time steps", bounds=(1, 10_000_000))
    goal: Any = parameter((1.5, 0.7), "where the body should be", unit="m", handle=True)
    stretch: Any = control(
        lambda _: 0.06 * np.sin(np.arange(KNOTS) * 2.4), "of the leg", unit="m", bounds=(-0.15, 0.2)
    )
    swing: Any = control(
        lambda _: 0.1 * np.cos(np.arange(KNOTS) * 2.4), "of the hip", unit="rad", bounds=(-1.0, 1.0)
    )

    def world(self, w: Plan) -> None:
        w.ground(friction=0.9)
        w.body("body", box(0.6, 0.2), (0.0, 0.7), mass=5.0, collides=False)
        w.body("leg", box(0.08, 0.4), (0.0, 0.45), mass=0.5, collides=False, colour="dim")
        w.body("foot", circle(0.06), (0.0, 0.16), mass=0.3, friction=0.9, colour="bone")
        w.hinge("hip", "body", "leg", (0.0, 0.65))
        w.slider("knee", "leg", "foot", (0.0, 0.16), (0.0, -1.0), limits=(-0.25, 0.25))
        w.servo("muscle", "hip", 0.0, 200.0, damping=6.0, strength=60.0)
        w.servo("spring", "knee", 0.0, 3000.0, damping=20.0)
        w.goal("body", self.goal)

    def drive(self, state: WorldState, t: Any) -> dict[str, Any]:
        share, body = t / self.steps, state["body"]
        steady = 1.5 * body.angle + 0.2 * body.spin
        return {
            "muscle": linear_between(self.swing, share) + steady,
            "spring": linear_between(self.stretch, share),
        }

    def cost(self, state: WorldState, t: Any) -> Any:
        return 0.5 * state["body"].angle ** 2
