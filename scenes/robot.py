"""Robots of masses and springs learn to walk.

A lattice of point masses stands on sticky ground. Some of its springs are muscles: a network of two tanh
layers sees a clock, the masses and the goal, and sets their rest lengths. Its weights are the controls. The job
is that of DiffTaichi (Hu et al., ICLR 2020) and of Rose (Estep et al., ECOOP 2024). Every mass is 1; lengths
and times are without dimension.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import permutations
from typing import Any

import numpy as np

import rose_ad as ra
from rosephys import (
    Circles,
    Cross,
    Limit,
    Lines,
    Picture,
    Polygon,
    Scene,
    Track,
    control,
    parameter,
)
from rosephys.physics.robots.ground import advance_over_ground
from rosephys.physics.robots.network import CLOCKS, HIDDEN, clock, draw_weights, signals, unbiased
from rosephys.physics.robots.springs import (
    damping,
    rest_lengths,
    spring_forces,
    springs_limit,
    stiffest,
)
from rosephys.scene.scenery import as_far_as_it_can, level_ground

Array = np.ndarray[Any, Any]

# Cells of a lattice, each with its column and row: s a square, m one whose upright sides are muscles, t a
# triangle that points down. The first node of the first cell is the front foot.
ROBOTS = {
    1: "t20 t00 m01 s02 s12 m21 s22",
    2: "m20 m00 m01 s02 s12 m21 s22 s23 s24",
    3: "m20 m00 m01 s02 s12 m21 s22 s23 s24 s31 m40 m41",
}
ORIGIN, SPACING = 0.1, 0.05  # of the lattice, along both axes
SOFTENING = 1e-4  # of the springs
VIEW = (0.0, 0.02, 1.05, 0.42)  # what a picture shows at least
PACE = 10.0  # of the network's clock, in radians a unit of time
SENSES = 0.05  # by which positions and velocities are scaled before the network sees them


@dataclass(frozen=True)
class Body:
    """Where n masses start (n, 2), which of them the m springs join (m, 2), which springs are muscles, and
    the corners of each cell in order round it."""

    masses: Array
    springs: Array
    muscles: Array
    cells: list[list[int]]


@cache
def body(robot: int) -> Body:
    """The body that ROBOTS describes."""
    nodes: dict[tuple[float, float], int] = {}
    springs: dict[tuple[int, int], bool] = {}
    cells: list[list[int]] = []
    for kind, i, j in ((cell[0], int(cell[1]), int(cell[2])) for cell in ROBOTS[robot].split()):
        square = [(i, j), (i, j + 1), (i + 1, j), (i + 1, j + 1)]
        triangle = [(i + 0.5, j + 0.5), (i, j + 1), (i + 1, j + 1)]
        corners = [nodes.setdefault(at, len(nodes)) for at in (triangle if kind == "t" else square)]
        sides = [] if kind == "t" else [tuple(corners[:2]), tuple(corners[2:])]
        for a, b in [*sides, *permutations(corners, 2)]:
            if (b, a) not in springs:
                springs.setdefault((a, b), kind == "m" and (a, b) in sides)
        cells.append([*corners[:2], *corners[:1:-1]])
    return Body(
        ORIGIN + SPACING * np.array(list(nodes), float),
        np.array(list(springs)),
        np.flatnonzero(list(springs.values())),
        cells,
    )


@cache
def first_weights(robot: int, start: str) -> dict[str, Array]:
    """The network before it has learned: "random" is DiffTaichi's, "waves" has a closed form."""
    masses, springs = len(body(robot).masses), len(body(robot).springs)
    senses = CLOCKS + 4 * masses + 2
    if start == "random":
        return draw_weights(senses, springs, gains=(2.0, 3.0))
    i, j = np.ogrid[:HIDDEN, :senses]
    s, h = np.ogrid[:springs, :HIDDEN]
    hidden = 0.33 * np.sin(1 + 0.37 * i + 0.91 * j)
    return unbiased(hidden, 0.62 * np.sin(2 + 0.53 * s + 0.29 * h))


def _first(name: str) -> Any:
    return lambda scene: first_weights(scene.robot, scene.start)[name]


@ra.struct
class State:
    """Positions and velocities of n masses, each of shape (n, 2); mass 0 is the front foot."""

    position: ra.Vec
    velocity: ra.Vec


class Robot(Scene):
    """Teach a robot of masses and springs to walk: its front foot is to come as far as it can."""

    iterations = 100
    rate = 0.2
    optimizer = "normalized"

    robot: int = parameter(1, "which robot: 1, 2 or 3", bounds=(1, 3))
    start: str = parameter("random", "the weights at the start", choices=("random", "waves"))
    steps: int = parameter(681, "number of time steps", bounds=(1, 10_000_000))
    dt: float = parameter(0.004, "time step", bounds=(1e-9, 1.0))
    stiffness: float = parameter(3e4, "stiffness of the springs", bounds=(0.0, 1e6))
    strength: float = parameter(0.15, "how far a muscle can stretch", bounds=(0.0, 0.9))
    damping: float = parameter(15.0, "damping by the medium", bounds=(0.0, 1e3))
    gravity: float = parameter(4.8, "acceleration of gravity, downwards")
    ground: float = parameter(0.1, "height of the ground")
    goal: Any = parameter((0.9, 0.2), "a place that the network sees", handle=True)
    hidden_weights: Any = control(_first("hidden_weights"), "of each hidden unit (32, senses)")
    hidden_bias: Any = control(_first("hidden_bias"), "of each hidden unit (32,)")
    muscle_weights: Any = control(_first("muscle_weights"), "of each spring (springs, 32)")
    muscle_bias: Any = control(_first("muscle_bias"), "of each spring (springs,)")

    @property
    def body(self) -> Body:
        """What the robot is made of."""
        return body(self.robot)

    def initial(self) -> State:
        masses = self.body.masses
        return State(masses, np.zeros(masses.shape))

    def step(self, state: State, t: Any) -> State:
        x, v, dt = state.position, state.velocity, self.dt
        force = spring_forces(x, self.body.springs, self._rest(state, t), self.stiffness, SOFTENING)
        force -= self.gravity * np.array([0.0, 1.0])
        v = damping(self.damping, dt) * v + dt * force
        return State(*advance_over_ground(x, v, self.ground, dt))

    def _rest(self, state: State, t: Any) -> Any:
        """The rest lengths of all springs, as the network sets those of the muscles."""
        springs, muscles = self.body.springs, self.body.muscles
        rest = rest_lengths(self.body.masses, springs)
        lengths = ra.accum(len(springs))
        lengths += rest
        lengths[muscles] += self.strength * rest[muscles] * self._signals(state, t)
        return lengths.freeze()

    def _signals(self, state: State, t: Any) -> Any:
        """What the network tells the muscles, each between -1 and 1. Springs that are none would not listen."""
        x, v = state.position, state.velocity
        centre = ra.mean(x, axis=0)

        def felt(i: Any) -> Any:
            apart = x[i] - centre
            return SENSES * ra.array([apart[0], apart[1], v[i, 0], v[i, 1]])

        masses = ra.ravel(ra.build(x.shape[0], felt))
        senses = ra.concat([clock(PACE * self.dt * t), masses, self.goal - centre])
        return signals(self, senses, self.body.muscles)

    def limits(self, state: State) -> tuple[Limit, ...]:
        square = self.stiffness * stiffest(self.body.masses, self.body.springs)
        return (springs_limit(square, 0.0, self.dt),)

    def loss(self, final: State) -> Any:
        return -final.position[0, 0]

    def invariants(self, state: State) -> dict[str, Any]:
        depths = ra.maximum(self.ground - state.position[:, 1], 0.0)
        return {"depth under the ground": ra.max(depths)}

    @property
    def allowed_drift(self) -> dict[str, float | tuple[float, float]]:
        return {"depth under the ground": 1e-9}

    def picture(self, state: State) -> Picture:
        x, body = state.position, self.body
        bones = np.delete(body.springs, body.muscles, axis=0)
        return Picture(
            (
                *level_ground(self.ground),
                Cross(self.goal, "faint", 6.0),
                *(Polygon(x[corners], "skin") for corners in body.cells),
                Lines(x[bones[:, 0]], x[bones[:, 1]], "bone"),
                self._muscles(x),
                Circles(x[1:], 0.0055, ("text",), style="disc"),
                Circles(x[:1], 0.011, ("good",), style="disc"),
                *as_far_as_it_can((0.42, 0.36), 0.3),
            ),
            VIEW,
        )

    def _muscles(self, x: Any) -> Lines:
        """The muscles, shaded by how far they are stretched."""
        ends = self.body.springs[self.body.muscles]
        starts, stops = x[ends[:, 0]], x[ends[:, 1]]
        apart = starts - stops
        stretch = ra.sqrt(ra.sum(apart * apart, axis=1)) / rest_lengths(self.body.masses, ends) - 1
        levels = stretch / ra.maximum(self.strength, 1e-6)
        return Lines(starts, stops, "ivory", 6.0, levels)

    def tracks(self, state: State) -> tuple[Track, ...]:
        return (Track(state.position[0], "good", "front foot"),)
