"""A T-shaped handle spins in weightlessness and turns over again and again: find the spin that aims its foot.

Its foot is the axis of the middle moment of inertia. Turning about it is not stable, as V. Dzhanibekov saw in
space in 1985; how soon the handle turns over depends on the logarithm of how far the spin is off.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import rose_ad as ra
from rosephys import Cross, Picture, Scene, Track, control, parameter
from rosephys.physics.rigid.body3d import (
    BOX_CORNERS,
    BOX_FACES,
    angular_momentum,
    rotated,
    rotational_energy,
    turn,
)
from rosephys.scene.projection import Camera

CAMERA = Camera(-60.0, 20.0)
FOOT, BAR = np.array([0.07, 0.02, 0.02]), np.array([0.02, 0.15, 0.02])  # half extents, metres
DENSITY = 2700.0  # kg/m³: aluminium


def _handle() -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Principal moments (3,) of the handle, and its boxes' corners (2, 8, 3) from its centre of mass."""
    halves, mids = np.stack([FOOT, BAR]), np.array([[FOOT[0], 0, 0], [-BAR[0], 0, 0]])
    masses = DENSITY * 8 * halves.prod(axis=1)
    mids = mids - masses @ mids / masses.sum()
    squares = masses[:, None] * (halves**2 / 3 + mids**2)
    total = squares.sum(axis=0)
    return total.sum() - total, BOX_CORNERS * halves[:, None] + mids[:, None]


MOMENTS, CORNERS = _handle()
END = CORNERS[0, 4:].mean(axis=0)  # of the foot


@ra.struct
class State:
    """Orientation, a quaternion (4,), and angular momentum (3,)."""

    orientation: ra.Vec
    momentum: ra.Vec


class Tumble(Scene):
    """Spin a handle so that its foot points to the goal when the time is up."""

    iterations = 250
    rate = 0.1
    optimizer = "adam"

    steps: int = parameter(1500, "number of time steps", bounds=(1, 10_000_000))
    dt: float = parameter(0.002, "time step", unit="s", bounds=(1e-9, 0.1))
    goal: Any = parameter((-0.1, 0.06), "where the foot should be seen", unit="m", handle=True)
    spin: Any = control((10.0, 0.1, 0.0), "angular velocity at the start", unit="rad/s")

    def initial(self) -> State:
        q = np.array([1.0, 0.0, 0.0, 0.0])
        return State(q, angular_momentum(q, ra.array(self.spin), MOMENTS))

    def step(self, state: State, t: Any) -> State:
        return State(turn(state.orientation, state.momentum, MOMENTS, self.dt), state.momentum)

    def loss(self, final: State) -> Any:
        miss = self._seen(final) - self.goal
        return ra.dot(miss, miss)

    def _seen(self, state: State) -> Any:
        return CAMERA.place(rotated(state.orientation, END))

    def invariants(self, state: State) -> dict[str, Any]:
        """What does not change."""
        energy = rotational_energy(state.orientation, state.momentum, MOMENTS)
        return {"energy": energy, "angular momentum": ra.norm(state.momentum)}

    def picture(self, state: State) -> Picture:
        turned = rotated(state.orientation, CORNERS)
        faces = turned[np.arange(2)[:, None, None], BOX_FACES]
        handle = CAMERA.solid(ra.reshape(faces, (12, 4, 3)), "curve")
        return Picture((handle, Cross(self.goal, "good")), (-0.26, -0.19, 0.26, 0.19))

    def tracks(self, state: State) -> tuple[Track, ...]:
        return (Track(self._seen(state), "accent", "foot"),)
