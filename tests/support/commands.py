"""The scene of a user, and `python -m rosephys` in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parents[2]


SCENE = '''\
import rose_ad as ra
from rosephys import Circles, Picture, Scene, Track, control, parameter


@ra.struct
class State:
    place: ra.Vec


class Walk(Scene):
    """Walk to the goal."""

    iterations = 12
    rate = 0.1
    steps: int = parameter(20, "number of time steps")
    dt: float = parameter(0.05, "time step", unit="s")
    goal: object = parameter((0.8, 0.3), "where to end", handle=True)
    speed: object = control((0.1, 0.1), "how fast", unit="m/s")

    def initial(self):
        return State(ra.array([0.0, 0.0]))

    def step(self, state, t):
        return State(state.place + self.dt * self.speed)

    def loss(self, final):
        miss = final.place - self.goal
        return ra.dot(miss, miss)

    def picture(self, state):
        return Picture((Circles([state.place], 0.05, ("white",)),), (-0.2, -0.2, 1.2, 0.8))

    def tracks(self, state):
        return (Track(state.place, "accent", "walker"),)
'''


def run(*arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    """`python -m rosephys` in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "rosephys", *map(str, arguments)],
        cwd=HERE,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
