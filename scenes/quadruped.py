"""Quadruped: a body on four legs, each with a hip and a knee that are taken to angles which swing with time.

How far each swings, and when, is found. A described world (docs/worlds.md). Kilograms, metres, seconds.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import rose_ad as ra
from rosephys import control, parameter
from rosephys.worlds import Plan, WorldScene, WorldState, box, capsule

LEGS = {"far rear": -0.35, "far front": 0.35, "near rear": -0.35, "near front": 0.35}


class Quadruped(WorldScene):
    """Teach four legs to trot to the goal: how far hips and knees swing, and when."""

    optimizer, rate, iterations = "adam", 0.03, 120
    view = (-0.8, -0.3, 2.3, 1.5)

    steps: int = parameter(600, "number of time steps", bounds=(1, 10_000_000))
    beat: float = parameter(10.0, "how fast legs swing", unit="rad/s", bounds=(0.0, 100.0))
    goal: Any = parameter((1.5, 0.5), "where the body should be", unit="m", handle=True)
    swing: Any = control(np.full(4, 0.1), "of the hips", unit="rad", bounds=(-1.0, 1.0))
    lift: Any = control(np.full(4, 0.5), "of the knees", unit="rad", bounds=(0.0, 1.5))
    phase: Any = control(np.array([0.0, 2.0, 2.0, 0.0]), "of each leg", unit="rad")

    def world(self, w: Plan) -> None:
        w.ground(friction=0.9)
        w.body("body", box(0.9, 0.2), (0.0, 0.49), mass=8.0, collides=False)
        for leg, x in LEGS.items():
            thigh, shank, shade = f"{leg} thigh", f"{leg} shank", ("dim", "bone")["near" in leg]
            how: dict[str, Any] = {"friction": 0.9, "group": "legs", "colour": shade}
            w.body(thigh, box(0.07, 0.25), (x + 0.06, 0.35), 0.5, mass=0.6, collides=False, **how)
            w.body(shank, capsule(0.24, 0.03), (x + 0.06, 0.135), 1.05, mass=0.4, **how)
            w.hinge(f"{leg} hip", "body", thigh, (x, 0.46))
            w.hinge(f"{leg} knee", thigh, shank, (x + 0.12, 0.24))
            for joint in (f"{leg} hip", f"{leg} knee"):
                w.servo(f"{joint} servo", joint, 0.0, 150.0, damping=4.0, strength=60.0)
        w.goal("body", self.goal, "x")

    def drive(self, state: WorldState, t: Any) -> dict[str, Any]:
        told, gently = {}, ra.minimum(t / 60, 1.0)
        for k, leg in enumerate(LEGS):
            angle = self.beat * self.dt * t + self.phase[k]
            told[f"{leg} hip servo"] = gently * self.swing[k] * ra.sin(angle)
            told[f"{leg} knee servo"] = -gently * self.lift[k] * ra.maximum(ra.cos(angle), 0.0)
        return told

    def cost(self, state: WorldState, t: Any) -> Any:
        body = state["body"]
        return 0.3 * body.angle**2 + 0.02 * body.velocity[1] ** 2
