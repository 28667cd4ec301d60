"""Bridge: a truss whose members are sized, so that a load in the middle bends it little and it weighs little.

Each bar is a spring of stiffness E A / L with its sectional area A, one of the controls; its volume is what it
costs. The truss sags, swings and comes to rest. A described world (docs/worlds.md). Kilograms, metres, seconds.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import rose_ad as ra
from rosephys import control, parameter
from rosephys.worlds import Plan, WorldScene, WorldState, box, circle

SPANS = 6
LOWER = [(float(k), 0.0) for k in range(SPANS + 1)]
UPPER = [(k + 0.5, 0.9) for k in range(SPANS)]
NODES = np.array([*LOWER, *UPPER])
BARS = (
    [(k, k + 1) for k in range(SPANS)]
    + [(SPANS + 1 + k, SPANS + 2 + k) for k in range(SPANS - 1)]
    + [(k + s, SPANS + 1 + k) for k in range(SPANS) for s in (0, 1)]
)
LONG = np.array([np.hypot(*(NODES[b] - NODES[a])) for a, b in BARS])


class Bridge(WorldScene):
    """Size the members of a bridge: little material, and little sag under the load."""

    optimizer, rate, iterations = "adam", 0.05, 100
    view = (-0.8, -2.8, 6.8, 1.6)

    steps: int = parameter(480, "number of time steps", bounds=(1, 10_000_000))
    elasticity: float = parameter(
        2e4, "N that a bar of one unit of area gives per strain", unit="N"
    )
    price: float = parameter(0.01, "of a unit of material", bounds=(0.0, 10.0))
    load: float = parameter(60.0, "mass of the load", unit="kg", bounds=(0.0, 1e3))
    areas: Any = control(np.full(len(BARS), 1.0), "of each bar's section", bounds=(0.05, 10.0))

    def world(self, w: Plan) -> None:
        for k, at in enumerate(NODES):
            if k in (0, SPANS):
                w.fixed(f"node {k}", circle(0.06), at, collides=False, colour="wood")
            else:
                w.body(f"node {k}", circle(0.05), at, mass=2.0, collides=False, colour="ivory")
        areas, middle = ra.array(self.areas), SPANS // 2
        for n, (a, b) in enumerate(BARS):
            ends, stiff = (NODES[a], NODES[b]), self.elasticity * areas[n] / LONG[n]
            w.spring(f"bar {n}", f"node {a}", f"node {b}", ends, stiff, 60.0, coiled=False)
        at = NODES[middle] - (0.0, 1.0)
        w.body("load", box(0.8, 0.5), at - (0.0, 0.25), mass=self.load, collides=False)
        w.rope("hanger", f"node {middle}", "load", (NODES[middle], at))

    def loss(self, final: WorldState) -> Any:
        sag = 10 * final[f"node {SPANS // 2}"].position[1]
        return sag**2 + self.price * ra.dot(ra.array(self.areas), LONG)
