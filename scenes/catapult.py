"""Catapult: a weight falls, an arm swings up to its stop, and a stone flies on out of its cup to the goal.

How long the arm is, how heavy the weight is and at which angle the arm is stopped are found. The arm's shape
follows its length, so its mass and its inertia do. A described world (docs/worlds.md). Kilograms, metres,
seconds.
"""

from __future__ import annotations

import math
from typing import Any

import rose_ad as ra
from rosephys import control, parameter
from rosephys.worlds import Plan, WorldScene, box, circle

PIN, TILT, SHORT = (
    (0.0, 2.0),
    0.6,
    0.7,
)  # of the arm: its pin, how it leans, and from the pin to the weight


class Catapult(WorldScene):
    """Build a catapult that throws the stone to the goal: its arm, its weight, and where it stops."""

    optimizer, rate, iterations = "adam", 0.02, 150
    view = (-3.6, -0.5, 12.0, 7.5)

    steps: int = parameter(440, "number of time steps", bounds=(1, 10_000_000))
    goal: Any = parameter((9.0, 2.0), "where the stone should be at the end", unit="m", handle=True)
    long: float = control(2.2, "of the arm, from its pin to its end", unit="m", bounds=(1.0, 3.0))
    load: float = control(80.0, "mass of the weight", unit="kg", bounds=(10.0, 300.0), rate=20.0)
    swing: float = control(1.3, "angle by which the arm swings", unit="rad", bounds=(0.5, 2.0))

    @property
    def allowed_drift(self) -> dict[str, float | tuple[float, float]]:
        # of 1,657 J, while the arm swings and is stopped, which goes with the step; what lands loses its own
        return {"energy": (math.inf, 30.0)}

    def world(self, w: Plan) -> None:
        w.ground()
        w.fixed("post", box(0.2, 1.9), (0.0, 0.95), collides=False, colour="wood")
        along = ra.array([ra.cos(TILT), ra.sin(TILT)])
        middle = ra.array(PIN) + 0.5 * (SHORT - self.long) * along
        arm = w.body("arm", box(self.long + SHORT, 0.1), middle, TILT, density=30.0)
        end = 0.5 * (self.long + SHORT)
        hook = arm.point(end, 0.0)
        w.body("weight", box(0.5, 0.5), hook - (0.0, 0.5), mass=self.load, collides=False)
        w.body("cup", box(0.06, 0.3), arm.point(-end - 0.03, 0.1), TILT, mass=2.0)
        w.body("stone", circle(0.1), arm.point(0.1 - end, 0.15), mass=2.0, friction=0.0)
        w.hinge("pin", "world", "arm", PIN, (-self.swing, 0.1), stiffness=2e4)
        w.hinge("hook", "arm", "weight", hook)
        w.weld("end", "arm", "cup")
        w.goal("stone", self.goal)
