"""Crane: a trolley runs along a beam, a load hangs from it on a cable, and is to end at the goal, at rest.

The trolley's speed along the way and how long the cable is are found. A described world
(docs/worlds.md). Kilograms, metres, seconds.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from rosephys import control, parameter
from rosephys.physics.mechanics.knots import linear_between
from rosephys.worlds import Plan, WorldScene, WorldState, box

KNOTS = 12  # speeds along the way
HIGH, CABLE = 4.0, 1.2  # of the beam, and the cable at the start


class Crane(WorldScene):
    """Bring a load that hangs on a crane's cable to the goal, and to rest there."""

    optimizer, rate, iterations = "adam", 0.05, 120
    view = (-1.0, -0.3, 7.6, 4.8)

    steps: int = parameter(720, "number of time steps", bounds=(1, 10_000_000))
    goal: Any = parameter((5.0, 1.0), "where the load should be at the end", unit="m", handle=True)
    speeds: Any = control(np.r_[0.0, np.ones(KNOTS - 1)], "of the trolley", unit="m/s")
    cable: Any = control(np.linspace(CABLE, 2.7, KNOTS), "how long it is", unit="m")

    def world(self, w: Plan) -> None:
        w.ground()
        w.fixed("beam", box(8.2, 0.12), (3.3, HIGH + 0.16), collides=False, colour="wood")
        w.fixed("mast", box(0.2, HIGH + 0.1), (7.2, HIGH / 2), collides=False, colour="wood")
        w.body("trolley", box(0.5, 0.2), (0.0, HIGH), mass=10.0)
        w.body("load", box(0.6, 0.5), (0.0, HIGH - CABLE - 0.25), mass=30.0)
        w.slider("rail", "beam", "trolley", (0.0, HIGH), (1.0, 0.0), limits=(-0.5, 6.5))
        w.motor("winch", "rail", 0.0, strength=2000.0)
        w.rope("cable", "trolley", "load", ((0.0, HIGH), (0.0, HIGH - CABLE)))
        w.goal("load", self.goal)

    def drive(self, state: WorldState, t: Any) -> dict[str, Any]:
        share = t / self.steps
        return {
            "winch": linear_between(self.speeds, share),
            "cable": linear_between(self.cable, share),
        }

    def loss(self, final: WorldState) -> Any:
        return super().loss(final) + final["load"].speed ** 2 + final["load"].angle ** 2
