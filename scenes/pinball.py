"""Pinball: a ball is shot into a table of bumpers, and a flipper sends it on to the goal.

How fast it is shot and when the flipper strikes are found. A described world (docs/worlds.md). Kilograms,
metres, seconds.
"""

from __future__ import annotations

from typing import Any

import rose_ad as ra
from rosephys import control, parameter
from rosephys.worlds import Plan, WorldScene, WorldState, capsule, circle

TABLE = [[-1.0, 0.0], [1.0, 0.0], [1.0, 2.4], [0.7, 2.8], [-0.7, 2.8], [-1.0, 2.4]]
BUMPERS = ((-0.4, 1.9), (0.35, 2.1), (0.0, 1.4))
PIN = (-0.7, 0.55)


class Pinball(WorldScene):
    """Shoot a ball through bumpers and strike it with the flipper so that it comes to the goal."""

    optimizer, rate, iterations = "adam", 0.02, 80
    view = (-1.3, -0.2, 1.3, 3.0)
    gravity = (0.0, -3.0)  # the table is tilted

    steps: int = parameter(340, "number of time steps", bounds=(1, 10_000_000))
    goal: Any = parameter((0.6, 1.6), "where the ball should be at the end", unit="m", handle=True)
    shot: Any = control((-1.0, 1.0), "velocity of the ball", unit="m/s", bounds=(-8.0, 8.0))
    moment: float = control(1.203, "when the flipper strikes", unit="s", bounds=(0.1, 2.0))

    def world(self, w: Plan) -> None:
        w.terrain("table", TABLE, 0.2, closed=True, friction=0.1, restitution=0.6)
        for k, at in enumerate(BUMPERS):
            w.fixed(f"bumper {k}", circle(0.15), at, restitution=0.9, colour="bad")
        w.body("ball", circle(0.06), (0.8, 0.9), velocity=self.shot, mass=0.1, friction=0.1)
        flipper = w.body(
            "flipper", capsule(0.8, 0.05), (PIN[0] + 0.4, PIN[1]), mass=0.5, friction=0.3
        )
        w.hinge("pivot", "world", "flipper", flipper.point(-0.4, 0.0), limits=(-0.5, 0.6))
        w.servo("coil", "pivot", -0.4, stiffness=60.0, damping=1.5, strength=20.0)
        w.passes("table", "flipper")
        w.goal("ball", self.goal)

    def drive(self, state: WorldState, t: Any) -> dict[str, Any]:
        struck = ra.clip((self.dt * t - self.moment) / 0.05, 0.0, 1.0)
        return {"coil": -0.4 + 1.0 * struck}
