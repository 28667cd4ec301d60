"""Robots of rigid boxes, springs and joints learn to walk.

Boxes stand on the ground with their corners, joints hold them together, and the springs between them are
muscles: a network of two tanh layers sees a clock, the boxes and the goal, and sets their rest lengths. Its
weights are the controls. The robots are those of DiffTaichi (Hu et al., ICLR 2020); lengths, times and masses
are without dimension.

Robot 0 is chaotic. Its gradient is exact, astronomically large, and of no use to a descent.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

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
from rosephys.physics.robots.boxes import (
    Impulses,
    Links,
    Motion,
    RigidBodies,
    advance,
    box_outlines,
    boxes,
    ground_limit,
    hold_joints,
    link_ends,
    links_limit,
    pull_springs,
    touch_ground,
)
from rosephys.physics.robots.network import CLOCKS, clock, draw_weights, signals
from rosephys.physics.robots.springs import damping
from rosephys.scene.scenery import SOLID, level_ground

Array = np.ndarray[Any, Any]
Pair = tuple[float, float]

PACE = 30.0  # of the network's clock, in radians a unit of time
SENSES = 0.05  # by which positions, angles and velocities are scaled before the network sees them
VIEWS = ((0.0, 0.0, 1.05, 0.45), (0.0, 0.0, 1.05, 0.45), (-0.1, 0.0, 1.2, 0.8))


# ------------------------------------------------------------------------------------- the robots


class Box(NamedTuple):
    """A box as it stands at the start: its centre, its half extents, its angle."""

    centre: Pair
    half: Pair
    angle: float = 0.0


class Spring(NamedTuple):
    """A muscle between points of two boxes, whose rest length changes by up to the share `reach`."""

    ends: tuple[int, int]
    first: Pair
    second: Pair
    rest: float
    stiffness: float
    reach: float


class Joint(NamedTuple):
    """Points of two boxes that are held together."""

    ends: tuple[int, int]
    first: Pair
    second: Pair
    stiffness: float


Plan = tuple[list[Box], list[Spring | Joint], int]
"""Boxes, what links them, and which of them is the head."""


def crawler() -> Plan:
    """A long body on three feet, with a tail."""
    parts = [Box((0.3, 0.25), (0.15, 0.03))]
    parts += [Box((x, 0.15), (0.03, 0.02)) for x in (0.2, 0.3, 0.4)]
    parts += [Box((0.4, 0.3), (0.005, 0.03))]
    places = ((1, -0.03), (1, -0.1), (2, -0.03), (2, 0.03), (3, 0.03), (3, 0.1))
    links: list[Spring | Joint] = [
        Spring((0, foot), (x, 0.0), (0.0, 0.0), 0.12, 15.0, 0.05) for foot, x in places
    ]
    return parts, [*links, Joint((0, 4), (0.1, 0.0), (0.0, -0.05), 15.0)], 0


def walker() -> Plan:
    """A body on two legs."""
    parts = [
        Box((0.15, 0.25), (0.1, 0.03)),
        Box((0.08, 0.22), (0.03, 0.1)),
        Box((0.22, 0.22), (0.03, 0.1)),
    ]
    links: list[Spring | Joint] = [
        Spring((0, 1), (0.08, 0.02), (0.0, -0.08), 0.22, 50.0, 0.03),
        Spring((0, 2), (-0.08, 0.02), (0.0, -0.08), 0.22, 50.0, 0.03),
        Joint((0, 1), (-0.08, 0.0), (0.0, 0.03), 50.0),
        Joint((0, 2), (0.08, 0.0), (0.0, 0.03), 50.0),
    ]
    return parts, links, 0


def biped() -> Plan:
    """A hip, and two legs of thigh, calf and foot, one behind the other; the head is a foot."""
    bend, half = np.radians(10), 0.11  # of thighs and calves
    thigh_down, calf_down = (
        half * np.array([sign * np.sin(bend), -np.cos(bend)]) for sign in (1, -1)
    )
    thigh = np.array([0.3, 0.58]) + thigh_down
    calf = thigh + thigh_down + calf_down
    foot = calf + calf_down + (0.08, 0.0)
    parts = [Box((0.3, 0.65), (0.06, 0.08))]
    links: list[Spring | Joint] = []
    for first in (1, 4):
        parts += [
            Box(tuple(thigh), (0.02, half), bend),
            Box(tuple(calf), (0.02, half), -bend),
            Box(tuple(foot), (0.08, 0.02)),
        ]
        hip, knee, ankle = (0, first), (first, first + 1), (first + 1, first + 2)
        top, bottom, heel = (0.0, half), (0.0, -half), (-0.08, 0.0)
        sole = 0.7 * np.hypot(half, 0.16)
        links += [
            Spring(hip, (0.0, 0.028), bottom, 1.8 * 2 * half, 5.0, 0.05),
            Spring(knee, top, bottom, 1.8 * 2 * half, 20.0, 0.08),
            Spring(ankle, (0.0, 0.0), (0.08, 0.0), sole, 40.0, 0.05),
            Joint(hip, (0.0, -0.07), top, 200.0),
            Joint(knee, bottom, top, 200.0),
            Joint(ankle, bottom, heel, 200.0),
        ]
    return parts, links, 3


ROBOTS = (crawler, walker, biped)


@dataclass(frozen=True)
class Body:
    """A robot of n boxes as arrays. Its m links are springs and joints; `muscles` says which are springs."""

    start: Motion
    half: Array  # (n, 2)
    bodies: RigidBodies
    springs: Links
    rest: Array  # (springs,)
    reach: Array  # (springs,)
    joints: Links
    muscles: Array  # (springs,) Ints
    links: int
    head: int


@cache
def body(robot: int) -> Body:
    """The robot of that number."""
    parts, links, head = ROBOTS[robot]()
    muscles = [k for k, link in enumerate(links) if isinstance(link, Spring)]
    springs = [link for link in links if isinstance(link, Spring)]
    half = np.array([part.half for part in parts])
    n = len(parts)
    centres, angles = np.array([p.centre for p in parts]), np.array([p.angle for p in parts])
    return Body(
        Motion(centres, angles, np.zeros((n, 2)), np.zeros(n)),
        half,
        boxes(half),
        _links(springs),
        np.array([spring.rest for spring in springs]),
        np.array([spring.reach for spring in springs]),
        _links([link for link in links if isinstance(link, Joint)]),
        np.array(muscles),
        len(links),
        head,
    )


def _links(links: list[Any]) -> Links:
    return Links(
        np.array([link.ends for link in links]),
        np.array([(link.first, link.second) for link in links]),
        np.array([link.stiffness for link in links]),
    )


def _first(name: str) -> Any:
    return lambda scene: _first_weights(scene.robot)[name]


@cache
def _first_weights(robot: int) -> dict[str, Array]:
    made = body(robot)
    return draw_weights(CLOCKS + 6 * len(made.half) + 2, made.links, gains=(0.5, 1.0))


# -------------------------------------------------------------------------------------- the scene


@ra.struct
class State:
    """How the boxes move, and what the network told each of the m springs in the last step, from -1 to 1."""

    motion: Motion
    signals: ra.Vec


class Rigid(Scene):
    """Teach a robot of boxes and springs to walk: its head is to reach the goal."""

    iterations = 100
    rate = 1.0
    clip = 0.2

    robot: int = parameter(1, "which robot: 0 (chaotic), 1 or 2", bounds=(0, 2))
    steps: int = parameter(2047, "number of time steps", bounds=(1, 10_000_000))
    time_of_impact: bool = parameter(True, "whether contact counts from the instant of impact")
    dt: float = parameter(0.001, "time step", bounds=(1e-9, 1.0))
    gravity: float = parameter(9.8, "acceleration of gravity, downwards")
    damping: float = parameter(10.0, "damping by the medium", bounds=(0.0, 1e3))
    ground: float = parameter(0.1, "height of the ground")
    restitution: float = parameter(0.0, "restitution: 1 is elastic", bounds=(0.0, 1.0))
    friction: float = parameter(1.0, "coefficient of friction with the ground", bounds=(0.0, 1e3))
    goal: Any = parameter((0.9, 0.15), "where the head should end", handle=True)
    hidden_weights: Any = control(_first("hidden_weights"), "of each hidden unit (32, senses)")
    hidden_bias: Any = control(_first("hidden_bias"), "of each hidden unit (32,)")
    muscle_weights: Any = control(_first("muscle_weights"), "of each link (links, 32)")
    muscle_bias: Any = control(_first("muscle_bias"), "of each link (links,)")

    @property
    def body(self) -> Body:
        """What the robot is made of."""
        return body(self.robot)

    def initial(self) -> State:
        return State(self.body.start, np.zeros(len(self.body.muscles)))

    def step(self, state: State, t: Any) -> State:
        body, dt = self.body, self.dt
        told = self._signals(state.motion, t)
        impulses = Impulses(body.bodies, state.motion)
        touch_ground(
            impulses,
            body.bodies,
            ground=self.ground,
            gravity=self.gravity,
            restitution=self.restitution,
            friction=self.friction,
            dt=dt,
            time_of_impact=self.time_of_impact,
        )
        pull_springs(impulses, body.springs, body.rest * (1 + body.reach * told), dt)
        hold_joints(impulses, body.joints, dt)
        drag = damping(self.damping, dt)
        return State(advance(impulses, drag=drag, gravity=self.gravity, dt=dt), told)

    def limits(self, state: State) -> tuple[Limit, ...]:
        body = self.body
        springs = links_limit(body.bodies, (body.springs, body.joints), self.dt)
        return springs, ground_limit(body.bodies, state.motion, self.dt)

    def _signals(self, motion: Motion, t: Any) -> Any:
        """What the network tells the springs. Joints would not listen."""
        x, v, head = motion.position, motion.velocity, motion.position[self.body.head]

        def felt(i: Any) -> Any:
            apart = x[i] - head
            seen = [apart[0], apart[1], v[i, 0], v[i, 1], motion.angle[i], motion.spin[i]]
            return SENSES * ra.array(seen)

        seen = ra.ravel(ra.build(x.shape[0], felt))
        senses = ra.concat([clock(PACE * self.dt * t), seen, self.goal])
        return signals(self, senses, self.body.muscles)

    def loss(self, final: State) -> Any:
        return ra.norm(final.motion.position[self.body.head] - self.goal)

    def picture(self, state: State) -> Picture:
        body = self.body
        outlines = box_outlines(state.motion, body.half)
        springs, joints = (link_ends(state.motion, links) for links in (body.springs, body.joints))
        head = body.head
        shown = [k for k in reversed(range(len(body.half))) if k != head]
        return Picture(
            (
                *level_ground(self.ground),
                Cross(self.goal, "accent"),
                *(Polygon(outlines[k], SOLID, "dim") for k in shown),
                Polygon(outlines[head], SOLID, "good"),
                Lines(springs[:, 0], springs[:, 1], "ivory", 5.0, state.signals),
                Circles(joints[:, 0], 0.006, ("text",), style="disc"),
            ),
            VIEWS[self.robot],
        )

    def tracks(self, state: State) -> tuple[Track, ...]:
        return (Track(state.motion.position[self.body.head], "good", "head"),)
