"""A hand swings a rope that hangs from it so that its loose end touches the goal."""

from __future__ import annotations

from typing import Any

import numpy as np

import rose_ad as ra
from rosephys import Circles, Cross, Limit, Picture, Polyline, Scene, Track, control, parameter
from rosephys.physics.mechanics.knots import linear_between
from rosephys.physics.robots.net import Springs, net_energy, net_forces, net_limit, rope_springs
from rosephys.physics.robots.springs import damping


@ra.struct
class State:
    """Positions and velocities of the rope's points, each of shape (n, 2), from the hand down."""

    position: ra.Vec
    velocity: ra.Vec


class Rope(Scene):
    """Swing a rope by one end so that the other touches the goal."""

    iterations = 60
    rate = 0.2
    optimizer = "gd"

    points: int = parameter(31, "points of the rope", bounds=(3, 10_000))
    knots: int = parameter(9, "how many velocities give the hand's motion", bounds=(2, 1000))
    steps: int = parameter(2400, "number of time steps", bounds=(1, 10_000_000))
    dt: float = parameter(0.0005, "time step", unit="s", bounds=(1e-9, 0.1))
    length: float = parameter(1.2, "length of the rope", unit="m", bounds=(1e-2, 1e3))
    mass: float = parameter(0.2, "mass of the rope", unit="kg", bounds=(1e-3, 1e3))
    stretch: float = parameter(2000.0, "stiffness between next neighbours", unit="N/m")
    bend: float = parameter(100.0, "stiffness between the next but one", unit="N/m")
    damping: float = parameter(0.2, "of the springs", unit="N s/m", bounds=(0.0, 1e3))
    air: float = parameter(0.2, "damping by the air", unit="1/s", bounds=(0.0, 1e3))
    gravity: float = parameter(9.81, "acceleration of gravity", unit="m/s²")
    effort: float = parameter(1e-3, "weight of the mean squared speed of the hand", unit="s²")
    goal: Any = parameter((0.9, 0.6), "where the loose end should be", unit="m", handle=True)
    hand: Any = control(
        lambda scene: np.zeros((scene.knots, 2)),
        "velocity of the hand at each knot",
        unit="m/s",
        bounds=(-3.0, 3.0),
    )

    def _line(self) -> np.ndarray[Any, Any]:
        """Where the points of a rope of length 1 start, (n, 2): it hangs from the origin."""
        return np.linspace((0.0, 0.0), (0.0, -1.0), self.points)

    def _springs(self) -> tuple[Springs, ...]:
        kinds = rope_springs(self._line(), self.stretch, self.bend)
        return tuple(Springs(k.ends, self.length * k.rest, k.stiffness) for k in kinds)

    def initial(self) -> State:
        return State(self.length * self._line(), np.zeros((self.points, 2)))

    def step(self, state: State, t: Any) -> State:
        x, v, dt = state.position, state.velocity, self.dt
        force = net_forces(self._springs(), x, v, self.damping)
        pull = force / self._point_mass - self.gravity * np.array([0.0, 1.0])
        v = damping(self.air, dt) * v + dt * pull
        hand = linear_between(self.hand, (t + 0.5) / self.steps)
        v = ra.build(x.shape[0], lambda i: ra.where(i == 0, hand, v[i]))
        return State(x + dt * v, v)

    @property
    def _point_mass(self) -> Any:
        return self.mass / self.points

    def limits(self, state: State) -> tuple[Limit, ...]:
        return (net_limit(self._springs(), self._line(), self._point_mass, self.damping, self.dt),)

    def loss(self, final: State) -> Any:
        miss = final.position[-1] - self.goal
        return ra.dot(miss, miss) + self.effort * ra.mean(self.hand * self.hand)

    def invariants(self, state: State) -> dict[str, Any]:
        """The energy, which dampers and air take and the hand gives."""
        x, v = state.position, state.velocity
        return {"energy": net_energy(self._springs(), x, v, self._point_mass, self.gravity)}

    def picture(self, state: State) -> Picture:
        x = state.position
        return Picture(
            (
                Cross(self.goal, "good"),
                Polyline(x, "wood", 9.0),
                Polyline(x, "sight", 5.0),
                Circles(x[:1], 0.045, ("ivory",)),
                Circles(x[-1:], 0.035, ("accent",)),
            ),
            (-1.5, -1.3, 1.5, 1.25),
        )

    def tracks(self, state: State) -> tuple[Track, ...]:
        x = state.position
        return Track(x[-1], "accent", "end"), Track(x[0], "dim", "hand")
