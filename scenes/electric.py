"""A charge is led along paths by eight electrodes.

A network of two tanh layers sees where the charge and its goal are and how fast they move, and sets the charges
of the electrodes. Each path joins three points in two straight stretches. The job is that of DiffTaichi (Hu et
al., ICLR 2020), but the network sees the charge as it is now, so that what it does feeds back; and a fixed set
of paths is learned at once, in place of a new one each time.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import rose_ad as ra
from rosephys import (
    Circles,
    Cross,
    Limit,
    Picture,
    Polyline,
    Scene,
    Text,
    Track,
    control,
    parameter,
)
from rosephys.physics.mechanics.electric import coulomb_fastest, coulomb_force
from rosephys.physics.mechanics.integrators import oscillation_limit
from rosephys.physics.robots.springs import damping

Array = np.ndarray[Any, Any]

ELECTRODES = np.array([
    (0.1, 0.1), (0.1, 0.9), (0.9, 0.9), (0.9, 0.1), (0.5, 0.9), (0.5, 0.1), (0.1, 0.5), (0.9, 0.5),
])  # fmt: skip
NEAREST = 0.1  # from an electrode, within which its force fades
HIDDEN = 64  # units of the network
COLOURS = ("accent", "curve", "good", "second")


def first_weights(shape: tuple[int, int], seed: int) -> Array:
    """Weights of a layer before it has learned."""
    return 0.3 * (np.random.RandomState(seed).random_sample(shape) - 0.5)


@ra.struct
class State:
    """Positions and velocities of the charges, one a path, (n, 2) each; the charges (n, 8) that the electrodes
    had for each; and how far they were off so far, squared, summed over time."""

    position: ra.Vec
    velocity: ra.Vec
    charges: ra.Vec
    missed: ra.Real


class Electric(Scene):
    """Teach eight electrodes to lead a charge along paths."""

    iterations = 400
    rate = 0.01
    optimizer = "adam"

    paths: int = parameter(3, "how many paths are learned", bounds=(1, 64))
    steps: int = parameter(511, "number of time steps", bounds=(1, 10_000_000))
    dt: float = parameter(0.03, "time step", unit="s", bounds=(1e-9, 1.0))
    strength: float = parameter(1e-3, "force of two unit charges at distance 1")
    friction: float = parameter(0.2, "damping by the medium", unit="1/s", bounds=(0.0, 1e3))
    points: Any = parameter(
        lambda scene: 0.2 + 0.6 * np.random.RandomState(5).random_sample((scene.paths, 3, 2)),
        "the three points of each path (paths, 3, 2)",
    )
    hidden_weights: Any = control(lambda scene: first_weights((8, HIDDEN), 0), "(8, 64)")
    hidden_bias: Any = control(lambda scene: np.zeros(HIDDEN), "(64,)")
    charge_weights: Any = control(lambda scene: first_weights((HIDDEN, 8), 2), "(64, 8)")
    charge_bias: Any = control(lambda scene: np.zeros(8), "(8,)")

    def initial(self) -> State:
        still, none = np.zeros((self.paths, 2)), np.zeros((self.paths, 8))
        return State(ra.array(self.points)[:, 0], still, none, 0.0)

    def step(self, state: State, t: Any) -> State:
        points, dt = ra.array(self.points), self.dt

        def moved(k: Any) -> tuple[Any, Any, Any, Any]:
            x, v = state.position[k], state.velocity[k]
            goal, pace = self._goal(points[k], t)
            charges = self._told(x, v, goal, pace)
            force = coulomb_force(x, ELECTRODES, charges, self.strength, NEAREST)
            v = damping(self.friction, dt) * v + dt * force
            x = x + dt * v
            miss = x - self._goal(points[k], t + 1)[0]
            return x, v, charges, ra.dot(miss, miss)

        x, v, charges, missed = ra.build(self.paths, moved)
        return State(x, v, charges, state.missed + dt * ra.mean(missed))

    def _goal(self, points: Any, t: Any) -> tuple[Any, Any]:
        """Where the charge should be at a step, and where the stretch of path leads."""
        half = (self.steps + 1) / 2
        k = ra.clip(ra.to_int(t / half), 0, 1)
        way = points[k + 1] - points[k]
        return points[k] + (t / half - k) * way, way

    def _told(self, x: Any, v: Any, goal: Any, pace: Any) -> Any:
        seen = ra.concat([x - 0.5, v, goal - 0.5, pace - 0.5])
        hidden = ra.tanh(seen @ ra.array(self.hidden_weights) + self.hidden_bias)
        return ra.tanh(hidden @ ra.array(self.charge_weights) + self.charge_bias)

    def limits(self, state: State) -> tuple[Limit, ...]:
        fastest = coulomb_fastest(self.strength, NEAREST)
        return (
            oscillation_limit("semi-implicit-euler", fastest, self.dt, "passing of an electrode"),
        )

    def loss(self, final: State) -> Any:
        return final.missed

    def picture(self, state: State) -> Picture:
        points = ra.array(self.points)
        colours = tuple(COLOURS[k % len(COLOURS)] for k in range(self.paths))
        words = ((0.3, "red repels ball 1", "low"), (0.7, "blue attracts it", "high"))
        return Picture(
            (
                *_electrodes(state.charges[0]),
                *(Polyline(points[k], "bone", 2.5) for k in range(self.paths)),
                Circles(points[:, 0], 0.012, colours, style="ring"),
                *(Cross(points[k, 2], colour, 6.0) for k, colour in enumerate(colours)),
                Circles(state.position, 0.018, colours),
                Text((0.5, 1.03), "lead each ball along its line", "dim"),
                *(Text((x, -0.02), word, shade) for x, word, shade in words),
            ),
            (0.0, -0.05, 1.0, 1.06),
        )

    def tracks(self, state: State) -> tuple[Track, ...]:
        return tuple(
            Track(state.position[k], COLOURS[k % len(COLOURS)], f"ball {k + 1}")
            for k in range(self.paths)
        )


def _electrodes(charges: Any) -> tuple[Circles, ...]:
    """The electrodes with their charges for the first path: red where they repel, blue where they attract."""
    radii = 0.035 * ra.sqrt(abs(charges) + 1e-12)
    repels = charges > 0
    return (
        Circles(ELECTRODES, ra.where(repels, radii, 0.0), ("low",), style="disc"),
        Circles(ELECTRODES, ra.where(repels, 0.0, radii), ("high",), style="disc"),
        Circles(ELECTRODES, 0.037, ("line",), style="ring"),
    )
