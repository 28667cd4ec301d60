"""Domino: a ball topples a row of dominoes, and how far apart they stand is found so that the last one falls in
time.

A described world (docs/worlds.md). Kilograms, metres, seconds.
"""

from __future__ import annotations

from typing import Any

from rosephys import control, parameter
from rosephys.worlds import Plan, WorldScene, WorldState, box, circle

HIGH, WIDE = 0.5, 0.08


class Domino(WorldScene):
    """Set up dominoes so that the last one falls at the second that is wanted."""

    optimizer, rate, iterations = "adam", 0.005, 80
    view = (-1.2, -0.3, 4.2, 1.6)

    dominoes: int = parameter(10, "how many stand in a row", bounds=(2, 60))
    steps: int = parameter(480, "number of time steps", bounds=(1, 10_000_000))
    speed: float = parameter(2.0, "of the ball", unit="m/s", bounds=(1.0, 5.0))
    wanted: float = parameter(1.4, "when the last one should have fallen half-way", unit="s")
    gap: float = control(0.255, "from one domino to the next", unit="m", bounds=(0.12, 0.4))

    def world(self, w: Plan) -> None:
        w.ground(friction=0.6)
        w.body(
            "ball", circle(0.15), (-0.6, 0.15), velocity=(self.speed, 0.0), spin=-self.speed / 0.15
        )
        for k in range(self.dominoes):
            w.body(f"domino {k}", box(WIDE, HIGH), (self.gap * k, HIGH / 2), friction=0.3)
        last = self.gap * (self.dominoes - 1)
        w.trigger("fallen", f"domino {self.dominoes - 1}", (last + 0.4, 0.0), 0.25)

    def loss(self, final: WorldState) -> Any:
        return (final["fallen"].time - self.wanted) ** 2
