"""What a world is made of, as data: bodies, rows between them, triggers and goals, each by its name."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

import rose_ad as ra
from rosephys.errors import ArgumentError, SceneError
from rosephys.given import is_traced, shape_of, told
from rosephys.physics.rigid.bodies import Body, World
from rosephys.physics.rigid.measures import Measure
from rosephys.physics.rigid.rows import Law, Row, Rows
from rosephys.physics.rigid.shapes import Shape, circle
from rosephys.scene.fields import near

from .state import Kind, Names

WORLD = "world"
"""The name of what does not move and is nowhere to be touched: joints may hold on to it."""
MOST_PAIRS = 100_000
"""More pairs of bodies than this are refused."""
Number = Any  # a float, or a traced number
Point = Any  # (2,) of these


@dataclass
class Placed:
    """A body as it begins."""

    name: str
    body: Body
    at: Point
    angle: Number
    velocity: Point
    spin: Number
    belt: Number
    group: str
    collides: bool
    colour: str

    def point(self, x: Number, y: Number) -> Any:
        """Where a point of the body (2,) begins, given from its centre of mass."""
        c, s = ra.cos(self.angle), ra.sin(self.angle)
        return ra.array([self.at[0] + c * x - s * y, self.at[1] + s * x + c * y])

    def local(self, point: Point) -> tuple[Number, Number]:
        """The point of the body that begins there."""
        c, s = ra.cos(self.angle), ra.sin(self.angle)
        x, y = point[0] - self.at[0], point[1] - self.at[1]
        return c * x + s * y, c * y - s * x


@dataclass
class Link:
    """Something named that has rows: its kind, as the method that made it is called, its bodies, and its
    rows."""

    kind: str
    ends: tuple[int, int]
    rows: list[int]


@dataclass
class Trigger:
    """A disc that a body's centre may come into."""

    body: int
    at: Point
    radius: Number


@dataclass
class Goal:
    """Where a body is to be at the end, along the axes that are named, x, y or both."""

    body: int
    at: Point
    axes: str
    weight: Number


@dataclass
class Described:
    """What there is. `Plan` has the words that say it."""

    bodies: list[Placed] = field(default_factory=list)
    links: dict[str, Link] = field(default_factory=dict)
    rows: list[Row] = field(default_factory=list)
    triggers: dict[str, Trigger] = field(default_factory=dict)
    goals: list[Goal] = field(default_factory=list)
    passing: set[frozenset[str]] = field(default_factory=set)
    numbered: dict[str, int] = field(default_factory=dict)

    # ----------------------------------------------------------------------------------- results

    def made(self, gravity: Any) -> World:
        """The bodies as a World: which of them may touch is known here."""
        if not self.bodies:
            raise SceneError(
                'there are no bodies; wanted one at least: w.body("ball", circle(0.1), ...)'
            )
        pairs = list(self._pairs())
        return World([p.body for p in self.bodies], gravity=gravity, pairs=pairs)

    def table(self) -> Rows:
        """The rows of all links."""
        return Rows(self.rows)

    def names(self, world: World, rows: Rows) -> Names:
        """Where what is named is in a state."""
        found: dict[str, tuple[Kind, tuple[int, ...]]] = {}
        place = {row: k for k, row in enumerate(rows.order)}
        for k, placed in enumerate(self.bodies):
            found[placed.name] = ("body", (k,))
        for name, link in self.links.items():
            found[name] = ("joint", tuple(place[r] for r in link.rows))
        for k, name in enumerate(self.triggers):
            found[name] = ("trigger", (k,))
        pairs: dict[tuple[str, str], tuple[int, ...]] = {}
        for p, (i, j) in enumerate(world.contacts.pairs):
            both = self.bodies[i].name, self.bodies[j].name
            pairs[both] = (*pairs.get(both, ()), p)
        return Names(found, pairs)

    def driven(self, values: dict[str, Any]) -> None:
        """Let motors, servos, springs and ropes, and fixed bodies, have what `drive` says."""
        for name, value in values.items():
            if name in self.links:
                self._driven_link(name, value)
            elif name in self.numbered:
                self._driven_body(name, value)
            else:
                raise SceneError(f"drive: nothing is named {name!r}{near(name, self._names())}")

    def _driven_link(self, name: str, value: Any) -> None:
        link = self.links[name]
        k = link.rows[0]
        row = self.rows[k]
        if shape_of(value) != ():
            raise SceneError(f"drive: {name!r} is given {told(value)}; wanted a number")
        if link.kind == "motor":
            self.rows[k] = replace(row, speed=value)
        elif link.kind == "servo":
            self.rows[k] = replace(row, zero=self._start(row) + value)
        elif link.kind in ("spring", "bar", "rope"):
            self.rows[k] = replace(row, zero=value)
        else:
            raise SceneError(
                f"drive: {name!r} is a {link.kind}; wanted a motor, servo, spring or rope"
            )

    def _driven_body(self, name: str, value: Any) -> None:
        placed = self._of(name)
        if not placed.body.fixed or shape_of(value) != (3,):
            what = "fixed" if placed.body.fixed else "not fixed"
            raise SceneError(
                f"drive: body {name!r} is {what} and given {told(value)}; wanted a fixed one and three"
                " numbers, (vx, vy, spin)"
            )
        placed.velocity, placed.spin = (value[0], value[1]), value[2]

    # ----------------------------------------------------------------------------------- helpers

    def _names(self) -> list[str]:
        return [*self.numbered, *self.links, *self.triggers]

    def _fresh(self, name: str) -> None:
        if not isinstance(name, str) or not name:
            raise SceneError(f"a name is {told(name)}; wanted a word, in quotes")
        if name in self.numbered or name in self.links or name in self.triggers:
            raise SceneError(f"two are named {name!r}; wanted a name for each")

    def _number(self, name: str) -> int:
        """The number of a body. Raises SceneError for a name that is none."""
        if name == WORLD and name not in self.numbered:
            away, zero = Body(circle(1e-3), fixed=True), np.zeros(2)
            self._place(Placed(WORLD, away, zero, 0.0, zero, 0.0, 0.0, "", False, ""))
        if name not in self.numbered:
            raise SceneError(f"there is no body {name!r}{near(str(name), list(self.numbered))}")
        return self.numbered[name]

    def _of(self, name: str) -> Placed:
        return self.bodies[self._number(name)]

    def _shape(self, name: str, shape: Shape) -> Shape:
        if not isinstance(shape, Shape):
            raise SceneError(f"{name!r} has the shape {told(shape)}; wanted box(1.0, 0.5), say")
        return shape

    def _body(
        self,
        name: str,
        shape: Shape,
        density: Number,
        friction: Number,
        restitution: Number,
        fixed: bool,
    ) -> Body:
        self._fresh(name)
        shape = self._shape(name, shape)
        try:
            return Body(shape, density, None, friction, restitution, fixed)
        except ArgumentError as error:
            raise SceneError(f"{name!r}: {error}") from None

    def _place(self, placed: Placed) -> Placed:
        for what, shape in (("at", (2,)), ("angle", ()), ("velocity", (2,)), ("spin", ())):
            value = getattr(placed, what)
            if shape_of(value) != shape:
                wanted = "a point, (x, y)" if shape else "a number"
                raise SceneError(f"{placed.name!r}: {what} is {told(value)}; wanted {wanted}")
        placed.at, placed.velocity = point(placed.at), point(placed.velocity)
        self.numbered[placed.name] = len(self.bodies)
        self.bodies.append(placed)
        return placed

    def _row(
        self,
        name: str,
        law: Law,
        measure: Measure,
        a: str,
        b: str,
        at: tuple[Point, Point],
        axis: Point = (1.0, 0.0),
        **how: Any,
    ) -> Row:
        """A row between points where they begin; its measure is from there, unless `zero` says what is taken
        off."""
        i, j = self._number(a), self._number(b)
        if i == j:
            raise SceneError(f"{name!r} joins {a!r} to itself; wanted two bodies")
        if self.bodies[i].body.fixed and self.bodies[j].body.fixed:
            raise SceneError(f"{name!r} joins {a!r} and {b!r}, which are both fixed")
        if shape_of(at) != (2, 2) or shape_of(axis) != (2,):
            raise SceneError(f"{name!r}: wanted a point (x, y) for each end, and an axis (x, y)")
        first, second = self.bodies[i], self.bodies[j]
        size = ra.hypot(axis[0], axis[1])
        if not is_traced(size) and not size > 0:
            raise SceneError(f"{name!r} has the axis {told(axis)}; wanted a direction")
        c, s = ra.cos(first.angle), ra.sin(first.angle)
        turned = (c * axis[0] + s * axis[1]) / size, (c * axis[1] - s * axis[0]) / size
        anchors = first.local(at[0]), second.local(at[1])
        try:
            row = Row(law, measure, (i, j), anchors, turned, **{"zero": 0.0, **how})
        except ArgumentError as error:
            raise SceneError(f"{name!r}: {error}") from None
        if measure == "angle":
            row = replace(row, zero=row.zero + self._start(row))
        return row

    def _start(self, row: Row) -> Number:
        """The angle of a measure of angles at the start; other measures begin at 0."""
        i, j = row.bodies
        return self.bodies[j].angle - self.bodies[i].angle if row.measure == "angle" else 0.0

    def _pairs(self) -> Iterable[tuple[int, int]]:
        """The pairs that may touch."""
        joined = {
            frozenset(link.ends)
            for link in self.links.values()
            if link.kind in ("hinge", "slider", "groove", "weld", "rod")
        }
        joined |= {frozenset(self._number(n) for n in pair) for pair in self.passing}
        there = [k for k, p in enumerate(self.bodies) if p.collides]
        group = [self.bodies[k].group for k in range(len(self.bodies))]
        members = Counter(group[k] for k in there if group[k])
        count = math.comb(len(there), 2) - sum(math.comb(n, 2) for n in members.values())
        if count > MOST_PAIRS:
            raise SceneError(
                f"{len(there)} bodies are {count:,} pairs that may touch, more than {MOST_PAIRS:,}; give those"
                " that need not touch each other one group"
            )
        fixed = [placed.body.fixed for placed in self.bodies]
        others = {g: [k for k in there if not g or group[k] != g] for g in {*group}}
        for i in there:
            for j in others[group[i]]:
                if i < j and not ((fixed[i] and fixed[j]) or frozenset((i, j)) in joined):
                    yield i, j


def point(p: Point) -> Any:
    """A point as an array (2,)."""
    return ra.array([1.0 * p[0], 1.0 * p[1]]) if is_traced(p) else np.array(p, float)


def rows_of(values: Sequence[Any]) -> Any:
    """Numbers, or points, as rows of an array."""
    return (
        ra.stack([1.0 * ra.array(v) for v in values])
        if is_traced(values)
        else np.array(values, float)
    )
