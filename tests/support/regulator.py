"""A linear system with quadratic costs, whose best controls are those of Riccati's equation."""

from __future__ import annotations

from typing import Any

import numpy as np

import rose_ad as ra
from rosephys import Scene, control, parameter

draw = np.random.default_rng(4)
N, M, STEPS = 3, 2, 12
A, B = np.eye(N) + 0.3 * draw.standard_normal((N, N)), draw.standard_normal((N, M))
Q, R, END = (
    w @ w.T + 0.1 * np.eye(len(w)) for w in map(draw.standard_normal, [(N, N), (M, M), (N, N)])
)
START = draw.standard_normal(N)


class Regulator(Scene):
    """A linear system with quadratic costs, and a count of its steps, which has no derivative."""

    optimizer = "ilqr"
    steps: int = parameter(STEPS, "number of steps")
    dt = 0.5
    push: Any = control(lambda scene: np.ones((scene.steps, M)), "control")

    def initial(self) -> Any:
        return {"place": ra.array(START), "count": 0}

    def step(self, state: Any, t: Any) -> Any:
        after = ra.matmul(A, state["place"]) + ra.matmul(B, self.push[t])
        return {"place": after, "count": state["count"] + 1}

    def cost(self, state: Any, t: Any) -> Any:
        x, u = state["place"], self.push[t]
        return (ra.dot(x, ra.matmul(Q, x)) + ra.dot(u, ra.matmul(R, u))) / self.dt

    def loss(self, final: Any) -> Any:
        return ra.dot(final["place"], ra.matmul(END, final["place"]))
