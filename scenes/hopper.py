"""Hopper: a body on one leg that is a spring. It lengthens while it pushes, and swings to where it will land.

Where the foot is put follows from the speed that is wanted (Raibert, *Legged robots that balance*, 1986). The
speeds and the thrusts along the way are found. A described world (docs/worlds.md). Kilograms, metres, seconds.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import rose_ad as ra
from rosephys import control, parameter
from rosephys.physics.mechanics.knots import linear_between
from rosephys.worlds import Plan, WorldScene, WorldState, box, circle

KNOTS = 6  # along the way


class Hopper(WorldScene):
    """Hop to the goal on one leg: how fast it means to go, and how hard it pushes."""

    optimizer, rate, iterations = "adam", 0.02, 100
    view = (-0.8, -0.3, 2.3, 1.6)

    steps: int = parameter(600, "number of time steps", bounds=(1, 10_000_000))
    goal: Any = parameter((1.5, 0.8), "where the body should be", unit="m", handle=True)
    speed: Any = control(np.full(KNOTS, 0.25), "that is wanted", unit="m/s", bounds=(-2.0, 2.0))
    thrust: Any = control(np.full(KNOTS, 0.05), "of the leg", unit="m", bounds=(0.0, 0.15))

    def world(self, w: Plan) -> None:
        w.ground(friction=0.9)
        w.body("body", box(0.6, 0.2), (0.0, 0.7), mass=5.0, collides=False)
        w.body("leg", box(0.08, 0.3), (0.0, 0.5), mass=0.4, collides=False, colour="dim")
        w.body("foot", circle(0.06), (0.0, 0.16), mass=0.2, friction=0.9, colour="bone")
        w.hinge("hip", "body", "leg", (0.0, 0.65))
        w.slider("knee", "leg", "foot", (0.0, 0.16), (0.0, -1.0), limits=(-0.25, 0.25))
        w.servo("muscle", "hip", 0.0, 100.0, damping=5.0, strength=40.0)
        w.servo("spring", "knee", 0.0, 2000.0, damping=8.0)
        w.goal("body", self.goal)

    def drive(self, state: WorldState, t: Any) -> dict[str, Any]:
        body, share = state["body"], t / self.steps
        v, wanted = body.velocity, linear_between(self.speed, share)
        down = ra.clip((0.08 - state["foot"].position[1]) / 0.02, 0.0, 1.0)  # whether it stands
        put = 0.1 * v[0] + 0.15 * (v[0] - wanted) - body.angle
        upright = 0.7 * body.angle + 0.1 * body.spin
        push = down * ra.clip(v[1] / 0.2, 0.0, 1.0)
        return {
            "muscle": down * upright + (1 - down) * put,
            "spring": push * linear_between(self.thrust, share),
        }

    def cost(self, state: WorldState, t: Any) -> Any:
        return 0.02 * state["body"].angle ** 2
