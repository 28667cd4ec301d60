"""The state of a described world, and what is found in it by name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import rose_ad as ra
from rosephys.errors import SceneError
from rosephys.physics.rigid.bodies import Bodies
from rosephys.scene.fields import near

Kind = Literal["body", "joint", "trigger"]


class Names:
    """Where what is named is found: of each name its kind and its rows in the arrays of a state.

    It is equal to another that says the same, so that it can be a part of a state's structure.
    """

    def __init__(
        self,
        rows: dict[str, tuple[Kind, tuple[int, ...]]],
        pairs: dict[tuple[str, str], tuple[int, ...]],
    ) -> None:
        self.rows, self.pairs = rows, pairs
        self._key = repr((sorted(rows.items()), sorted(pairs.items())))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Names) and self._key == other._key

    def __hash__(self) -> int:
        return hash(self._key)

    def of(self, name: str) -> tuple[Kind, tuple[int, ...]]:
        """What has that name. Raises SceneError if nothing has."""
        if name not in self.rows:
            raise SceneError(f"nothing is named {name!r}{near(str(name), self.rows)}")
        return self.rows[name]


@dataclass(frozen=True)
class BodySeen:
    """A body: `position` (2,) in m, `angle` in rad, `velocity` (2,) in m/s and `spin` in rad/s, the last two
    half a step before."""

    position: Any
    angle: Any
    velocity: Any
    spin: Any

    @property
    def speed(self) -> Any:
        """How fast it is, in m/s."""
        return ra.norm(self.velocity)

    def point(self, x: Any, y: Any) -> Any:
        """Where a point of the body (2,) is, given from its centre of mass."""
        c, s = ra.cos(self.angle), ra.sin(self.angle)
        return self.position + ra.array([c * x - s * y, s * x + c * y])


@dataclass(frozen=True)
class JointSeen:
    """A joint, rope, spring, motor or servo: one number, or one for each of its rows.

    `force` is what it does, in N or N m, in the step that has led here, `value` its measure less its rest, in m
    or rad. A hinge has rows along x and along y; then come its limits.
    """

    force: Any
    value: Any


@dataclass(frozen=True)
class TriggerSeen:
    """A trigger: whether it has been touched, and when first, in s; it is -1 before."""

    touched: Any
    time: Any


@ra.struct
class WorldState:
    """The state of a described world: `state["arm"]` is what has that name.

    `bodies` has n rows; `forces` and `values` (r,) are those of the rows of joints, and `times` (k,) when
    triggers were touched first, -1 before.
    """

    bodies: Bodies
    forces: ra.Vec
    values: ra.Vec
    times: ra.Vec
    names: Names

    def __getitem__(self, name: str) -> Any:
        """What has that name: a BodySeen, a JointSeen or a TriggerSeen. Raises SceneError if nothing has."""
        kind, rows = self.names.of(name)
        if kind == "body":
            b, k = self.bodies, rows[0]
            return BodySeen(b.position[k], b.angle[k], b.velocity[k], b.spin[k])
        if kind == "trigger":
            time = self.times[rows[0]]
            return TriggerSeen(ra.where(time >= 0, 1.0, 0.0), time)
        force, value = ([a[k] for k in rows] for a in (self.forces, self.values))
        if len(rows) == 1:
            return JointSeen(force[0], value[0])
        return JointSeen(ra.stack(force), ra.stack(value))

    def pressed(self, a: str, b: str) -> Any:
        """The impulse, in N s, with which two bodies pressed on each other in the last step.

        Raises SceneError for names that are none, and for bodies that never touch.
        """
        for name in (a, b):
            if self.names.of(name)[0] != "body":
                raise SceneError(f"{name!r} is a {self.names.of(name)[0]}; wanted a body")
        pairs = self.names.pairs.get((a, b), self.names.pairs.get((b, a), ()))
        if not pairs:
            raise SceneError(f"{a!r} and {b!r} do not touch: they are joined, or pass each other")
        return sum(self.bodies.touch[p, 0] + self.bodies.touch[p, 2] for p in pairs)
