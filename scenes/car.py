"""Car: two wheels on springs, bumps, and a motor whose speed along the way is found, with the springs'
stiffness.

The car is to stand at the goal in the end, and not to be shaken on its way there. A described world
(docs/worlds.md). Kilograms, metres, seconds.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import rose_ad as ra
from rosephys import control, parameter
from rosephys.worlds import Plan, WorldScene, WorldState, box, circle

FLAT, BUMPS = np.array([[-6.0, 0.0], [1.0, 0.0]]), np.linspace(1.4, 8.6, 37)
ROAD = np.concatenate(
    [FLAT, np.stack([BUMPS, 0.12 * np.sin(1.745 * (BUMPS - 1.4)) ** 2], 1), [[20.0, 0.0]]]
)
KNOTS = 8  # speeds of the motor along the way


class Car(WorldScene):
    """Drive a car over bumps to the goal, softly: the motor's speeds, and how stiff its springs are."""

    optimizer, rate, iterations = "adam", 0.3, 80
    view = (-2.2, -0.8, 10.2, 3.2)

    steps: int = parameter(720, "number of time steps", bounds=(1, 10_000_000))
    goal: Any = parameter((8.0, 0.0), "where the car should be at the end", unit="m", handle=True)
    comfort: float = parameter(0.02, "what shaking costs", bounds=(0.0, 10.0))
    speeds: Any = control(np.full(KNOTS, 8.0), "of the wheels", unit="rad/s", bounds=(-40.0, 40.0))
    stiffness: float = control(500.0, "of a spring", unit="N/m", bounds=(100.0, 5000.0), rate=100.0)

    def world(self, w: Plan) -> None:
        w.terrain("road", ROAD, 2.0, friction=0.9)
        w.body("body", box(1.6, 0.3), (0.0, 0.75), mass=20.0)
        for side, x in (("rear", -0.55), ("front", 0.55)):
            wheel, top = (x, 0.25), (x, 0.85)
            w.body(side, circle(0.25), wheel, mass=2.0, friction=0.9)
            w.groove(f"{side} fork", "body", side, wheel, (0.0, 1.0), limits=(-0.1, 0.25))
            w.spring(f"{side} spring", "body", side, (top, wheel), self.stiffness, 60.0, 0.8)
            w.motor(f"{side} motor", f"{side} fork", 0.0, strength=15.0)
        w.goal("body", self.goal, "x")

    def drive(self, state: WorldState, t: Any) -> dict[str, Any]:
        speed = -ra.array(self.speeds)[t * KNOTS // self.steps]
        return {"rear motor": speed, "front motor": speed}

    def cost(self, state: WorldState, t: Any) -> Any:
        body = state["body"]
        return self.comfort * (body.velocity[1] ** 2 + body.spin**2)

    def loss(self, final: WorldState) -> Any:
        return super().loss(final) + 0.1 * final["body"].speed ** 2
