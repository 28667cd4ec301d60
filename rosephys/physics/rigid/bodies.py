r"""Rigid bodies of the plane: what they are made of, how they move, and what they conserve.

A body of mass m and moment of inertia I about its centre of mass has a position x, an angle θ, a velocity v
and a spin ω. A point that is at r from x moves with v + ω × r = v + ω (-r_y, r_x), and an impulse P there
changes

    v by P / m          ω by (r × P) / I,          a × b = a_x b_y - a_y b_x

A fixed body has 1/m = 1/I = 0: it is the ground, or a wall. Kilograms, metres, seconds, radians.

The pairs of bodies that may touch are known beforehand and fall into rounds. No two pairs of a round share a
body that can move, so a round's pairs may act on the velocities at once and it is as if they had done so one
by one.

Source: Landau, Lifshitz, *Mechanics*, §§31-33.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Annotated, TypeAlias

import numpy as np

import rose_ad as ra
from rosephys.errors import ArgumentError

from ..checked import checked
from ..quantities import (
    Array,
    Axes,
    Between,
    NotNegative,
    NumberOf,
    NumpyArray,
    PlaneVector,
    PlaneVectors,
    Scalar,
    Share,
    Vector,
    Vectors,
)
from .contradictions import Angles, Joint, Places, Point, contradictions, not_two, without_direction
from .numbers import numbers
from .shapes import Shape

Poses: TypeAlias = Array
"""(n, 3): positions in metres and angles in radians."""
Twists: TypeAlias = Array
"""(n, 3): velocities in m/s and spins in rad/s."""


@checked
@dataclass(frozen=True)
class Body:
    """What one body is made of. All but `shape` and `fixed` may be traced values.

    `density` is in kg/m². `inertia`, in kg m², replaces that of the shape: 2/5 m r² makes a circle roll as a
    sphere does. Of two bodies that touch the friction is √(μ μ'), the restitution the larger one.
    """

    shape: Shape
    density: Annotated[Scalar, Between(1e-30, 1e30)] = 1.0
    inertia: Annotated[Scalar, Between(1e-200, 1e200)] | None = None
    friction: NotNegative = 0.5
    restitution: Share = 0.0
    fixed: bool = False

    def __post_init__(self) -> None:
        if self.shape.pieces and not self.fixed:
            what = "is terrain, which does not fall"
            raise ArgumentError(f"Body: shape {what}; wanted Body(terrain(...), fixed=True)")


@checked
@ra.struct
class Bodies:
    """The state of n bodies.

    `position` and `velocity` (n, 2), `angle` and `spin` (n,). `touch` (p, 4) holds for each of p pairs the
    impulses of the last step, along normal and tangent at its two points one after the other, and `hold` (j, 3)
    those of j joints; a solver starts from them.
    """

    position: Annotated[Array, Axes("bodies", 2)]
    angle: Annotated[Array, Axes("bodies")]
    velocity: Annotated[Array, Axes("bodies", 2)]
    spin: Annotated[Array, Axes("bodies")]
    touch: Annotated[Array, Axes("pairs", 4)]
    hold: Annotated[Array, Axes("joints", 3)]


@checked
@dataclass(frozen=True)
class Rounds:
    """Pairs (p, 2) in such an order that round r is those from `bounds[r, 0]` to `bounds[r, 1] - 1`."""

    pairs: NumpyArray
    bounds: NumpyArray
    order: NumpyArray  # (p,) where each pair was in the list that was given


@checked
def rounds(pairs: Sequence[tuple[int, int]], movable: Sequence[bool]) -> Rounds:
    """Each pair in the first round in which neither of its movable bodies is taken."""
    taken: list[set[int]] = []
    chosen: list[int] = []
    for pair in pairs:
        bodies = {k for k in pair if movable[k]}
        r = next((r for r, others in enumerate(taken) if not others & bodies), len(taken))
        if r == len(taken):
            taken.append(set())
        taken[r] |= bodies
        chosen.append(r)
    order = np.argsort(chosen, kind="stable")
    ends = np.cumsum(np.bincount(chosen, minlength=len(taken))) if chosen else np.zeros(0, int)
    bounds = np.stack([np.concatenate([[0], ends[:-1]]), ends], axis=1) if chosen else ends
    return Rounds(
        np.array(pairs, int).reshape(-1, 2)[order], bounds.astype(int).reshape(-1, 2), order
    )


@checked
class World:
    """Bodies, the gravity on them, their joints, and which pairs may touch.

    `gravity` is an acceleration (2,), in m/s². `pairs` are all but those of two fixed bodies and of two that a
    joint holds together, unless given. `parts` are all convex shapes, each with the number of its body, and
    `touching` (p, 2) the two of each of `contacts.pairs`, which are bodies.

    Raises ArgumentError for no bodies, for a pair or joint of bodies that are not two or not there, and for
    joints that hold nothing or contradict each other (`contradictions`).
    """

    def __init__(
        self,
        bodies: Sequence[Body],
        *,
        gravity: Point = (0.0, -9.81),
        joints: Sequence[Joint] = (),
        pairs: Iterable[tuple[int, int]] | None = None,
    ) -> None:
        self.bodies = tuple(bodies)
        self.joints = tuple(joints)
        self.gravity = gravity
        n = len(self.bodies)
        if not n:
            raise ArgumentError("World: bodies are none; wanted one or more")
        self.movable = [not b.fixed for b in self.bodies]
        wrong = contradictions(self.joints, self.movable)
        if wrong:
            raise ArgumentError(f"World: {wrong}")
        pairs = self._unjoined() if pairs is None else _pairs(pairs, n)
        self.parts = [(k, part) for k, b in enumerate(self.bodies) for part in b.shape.parts]
        of: list[list[int]] = [[] for _ in range(n)]
        for a, (b, _) in enumerate(self.parts):
            of[b].append(a)
        touching = [self._faced(a, b) for i, j in pairs for a in of[i] for b in of[j]]
        of_both = [(self.parts[a][0], self.parts[b][0]) for a, b in touching]
        self.contacts = rounds(of_both, self.movable)
        self.touching = np.array(touching, int).reshape(-1, 2)[self.contacts.order]
        self.links = rounds([j.bodies for j in self.joints], self.movable)

    @property
    def sizes(self) -> dict[str, int]:
        """How many bodies, pairs and joints there are."""
        pairs = len(self.contacts.pairs)
        return {"bodies": len(self.bodies), "pairs": pairs, "joints": len(self.joints)}

    def _unjoined(self) -> list[tuple[int, int]]:
        """All pairs but those of two fixed bodies and of two that a joint holds together."""
        joined = {frozenset(j.bodies) for j in self.joints}
        return [
            (i, j)
            for i in range(len(self.bodies))
            for j in range(i + 1, len(self.bodies))
            if (self.movable[i] or self.movable[j]) and frozenset((i, j)) not in joined
        ]

    def _faced(self, a: int, b: int) -> tuple[int, int]:
        """Two parts with a circle, if one is, second: the first has the faces."""
        return (b, a) if len(self.parts[a][1].corners) == 1 else (a, b)

    # -------------------------------------------------------------------------------- of each body

    @property
    def mass(self) -> Array:
        """Of each body (n,), as if it could move."""
        return numbers([b.density * b.shape.area for b in self.bodies])

    @property
    def inertia(self) -> Array:
        """Of each body about its centre of mass (n,), as if it could move."""
        return numbers(
            [b.density * b.shape.moment if b.inertia is None else b.inertia for b in self.bodies]
        )

    @property
    def free(self) -> NumpyArray:
        """1 for each body that can move, 0 for one that is fixed, (n,)."""
        return np.array(self.movable, float)

    @property
    def inverse(self) -> Array:
        """1/m, 1/m and 1/I of each body, (n, 3); 0 for one that is fixed."""
        m, i = self.free / self.mass, self.free / self.inertia
        return ra.stack([m, m, i], axis=1)

    @property
    def friction(self) -> Array:
        """Of each body, (n,)."""
        return numbers([b.friction for b in self.bodies])

    @property
    def restitution(self) -> Array:
        """Of each body, (n,)."""
        return numbers([b.restitution for b in self.bodies])

    @property
    def pull(self) -> Array:
        """What gravity adds to the velocity and the spin of each body in a second, (n, 3)."""
        g, free = ra.array(self.gravity), ra.array(self.free)
        return ra.build(len(self.bodies), lambda k: free[k] * ra.array([g[0], g[1], 0.0]))

    @checked
    def at(
        self,
        position: Places,
        angle: Angles,
        velocity: Places | None = None,
        spin: Angles | None = None,
    ) -> Bodies:
        """The state with bodies at these positions (n, 2) and angles (n,), at rest unless given.

        Raises ArgumentError for a rod with both ends in one place.
        """
        wrong = without_direction(self.joints, position, angle)
        if wrong:
            raise ArgumentError(f"World.at: {wrong}")
        n = len(self.bodies)
        return Bodies(
            1.0 * ra.array(position),
            1.0 * ra.array(angle),
            np.zeros((n, 2)) if velocity is None else 1.0 * ra.array(velocity),
            np.zeros(n) if spin is None else 1.0 * ra.array(spin),
            np.zeros((len(self.contacts.pairs), 4)),
            np.zeros((len(self.joints), 3)),
        )

    # ------------------------------------------------------------------------------- what is kept

    @checked
    def energy(self, state: Bodies) -> Scalar:
        """Kinetic and potential energy of the bodies that can move, in joules."""
        v, w = state.velocity, state.spin
        m = self.free * self.mass
        kinetic = ra.sum(m * ra.sum(v * v, axis=1)) + ra.sum(self.free * self.inertia * w * w)
        return 0.5 * kinetic - ra.sum(m * (state.position @ ra.array(self.gravity)))

    @checked
    def momentum(self, state: Bodies) -> Vector:
        """Momentum (2,) of the bodies that can move, in kg m/s."""
        return (self.free * self.mass) @ state.velocity

    @checked
    def angular_momentum(self, state: Bodies) -> Scalar:
        """Angular momentum about the origin of the bodies that can move, in kg m²/s."""
        x, v = state.position, state.velocity
        orbital = self.mass * (x[:, 0] * v[:, 1] - x[:, 1] * v[:, 0])
        return ra.sum(self.free * (orbital + self.inertia * state.spin))

    @checked
    def outline(self, state: Bodies, k: Annotated[int, NumberOf("bodies")]) -> Vectors:
        """The outline of body k where it is, (m, 2), for a picture."""
        return placed(state.position[k], state.angle[k], self.bodies[k].shape.outline)


def _pairs(pairs: Iterable[tuple[int, int]], n: int) -> list[tuple[int, int]]:
    """The pairs, which are each of two bodies that are there, and all different."""
    found: list[tuple[int, int]] = []
    for k, pair in enumerate(pairs):
        wrong = not_two("pairs", k, pair, n)
        if not wrong and {(pair[0], pair[1]), (pair[1], pair[0])} & set(found):
            wrong = f"pairs[{k}] is {tuple(pair)}, which is there already; wanted each pair once"
        if wrong:
            raise ArgumentError(f"World: {wrong}")
        found.append((int(pair[0]), int(pair[1])))
    return found


@checked
def placed(x: PlaneVector, angle: Scalar, points: PlaneVectors) -> PlaneVectors:
    """Points (m, 2) of a body, as they lie with the body at x and at that angle."""
    c, s = ra.cos(angle), ra.sin(angle)
    u, v = points[:, 0], points[:, 1]
    return ra.stack([x[0] + c * u - s * v, x[1] + s * u + c * v], axis=1)
