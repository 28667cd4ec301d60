"""The words that say what a world is made of: what `WorldScene.world` is given."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal

import rose_ad as ra
from rosephys.errors import ArgumentError, SceneError
from rosephys.given import is_traced, shape_of, told
from rosephys.physics.rigid.contradictions import FREE
from rosephys.physics.rigid.measures import Measure
from rosephys.physics.rigid.rows import Law, Row
from rosephys.physics.rigid.shapes import Shape, box
from rosephys.physics.rigid.terrain import terrain
from rosephys.scene.fields import near

from .described import Described, Goal, Link, Number, Placed, Point, Trigger

PIN: tuple[Measure, ...] = ("x", "y")
RAIL: tuple[Measure, ...] = ("across", "angle")
WHOLE: tuple[Measure, ...] = (*PIN, "angle")
"""What a hinge, a slider and a weld hold."""
SIDES: tuple[Literal["above", "below"], ...] = ("above", "below")


class Plan(Described):
    """Bodies, what links them, triggers and goals. Each has a name of its own, and joints begin where bodies
    do.

    All numbers may be fields of the scene, controls among them. Metres, kilograms, seconds, radians, newtons.
    What raises SceneError: two of one name, a name that is none, a joint of one body, what has no mass.
    """

    # ------------------------------------------------------------------------------------- bodies

    def body(
        self,
        name: str,
        shape: Shape,
        at: Point,
        angle: Number = 0.0,
        *,
        velocity: Point = (0.0, 0.0),
        spin: Number = 0.0,
        mass: Number | None = None,
        density: Number = 1.0,
        friction: Number = 0.5,
        restitution: Number = 0.0,
        group: str = "",
        collides: bool = True,
        colour: str = "",
    ) -> Placed:
        """A body that moves, with its centre of mass at a point and turned by an angle.

        `mass` in kg, or `density` in kg/m². Bodies of one `group` pass each other, and what `collides` not
        passes all. Of two that touch the friction is √(μ μ'), the restitution the larger.
        """
        if mass is not None:
            if not is_traced(mass) and not float(mass) > 0:
                raise SceneError(f"{name!r} has the mass {told(mass)}; wanted a number above 0")
            density = mass / self._shape(name, shape).area
        made = self._body(name, shape, density, friction, restitution, fixed=False)
        return self._place(
            Placed(name, made, at, angle, velocity, spin, 0.0, group, collides, colour)
        )

    def fixed(
        self,
        name: str,
        shape: Shape,
        at: Point = (0.0, 0.0),
        angle: Number = 0.0,
        *,
        velocity: Point = (0.0, 0.0),
        spin: Number = 0.0,
        belt: Number = 0.0,
        friction: Number = 0.5,
        restitution: Number = 0.0,
        group: str = "",
        collides: bool = True,
        colour: str = "earth",
    ) -> Placed:
        """A body that nothing moves: it stays, or goes on with its velocity and spin, which `drive` may set.

        `belt` is how fast its surface runs round it, clockwise, in m/s: a conveyor's top to the right.
        """
        made = self._body(name, shape, 1.0, friction, restitution, fixed=True)
        return self._place(
            Placed(name, made, at, angle, velocity, spin, belt, group, collides, colour)
        )

    def ground(
        self, height: float = 0.0, *, friction: Number = 0.5, restitution: Number = 0.0
    ) -> Placed:
        """Level ground, "ground", a hundred metres wide."""
        shape, at = box(100.0, 10.0), (0.0, height - 5.0)
        return self.fixed("ground", shape, at, friction=friction, restitution=restitution)

    def terrain(
        self,
        name: str,
        points: Any,
        thickness: float = 1.0,
        closed: bool = False,
        *,
        friction: Number = 0.5,
        restitution: Number = 0.0,
    ) -> Placed:
        """Ground along points (k, 2), from left to right, or a `closed` room, counter-clockwise."""
        shape = terrain(points, thickness, closed)
        return self.fixed(name, shape, friction=friction, restitution=restitution)

    def passes(self, a: str, b: str) -> None:
        """Two bodies that pass through each other."""
        self._number(a), self._number(b)
        self.passing.add(frozenset((a, b)))

    # ------------------------------------------------------------------------------------- joints

    def hinge(
        self,
        name: str,
        a: str,
        b: str,
        at: Point,
        limits: tuple[Number, Number] | None = None,
        stiffness: Number = 0.0,
    ) -> None:
        """A pin through a point that both bodies have; b turns against a, from the start's angle on, by what
        the `limits` allow. These are hard, or give as springs of a `stiffness`, in N m/rad."""
        rows = [self._row(name, "hold", m, a, b, (at, at)) for m in PIN]
        limited = self._limits(name, "angle", a, b, (at, at), limits, stiffness)
        self._add(name, "hinge", a, b, [*rows, *limited])

    def slider(
        self,
        name: str,
        a: str,
        b: str,
        at: Point,
        axis: Point,
        limits: tuple[Number, Number] | None = None,
        stiffness: Number = 0.0,
    ) -> None:
        """A rail through a point, along an axis that turns with body a, on which b slides without turning
        against a; from where it begins on by what the `limits` allow, which are hard or of a `stiffness` in
        N/m."""
        ends = (at, at)
        rows = [self._row(name, "hold", m, a, b, ends, axis) for m in RAIL]
        limited = self._limits(name, "along", a, b, ends, limits, stiffness, axis)
        self._add(name, "slider", a, b, [*rows, *limited])

    def groove(
        self,
        name: str,
        a: str,
        b: str,
        at: Point,
        axis: Point,
        limits: tuple[Number, Number] | None = None,
        stiffness: Number = 0.0,
    ) -> None:
        """A rail of a along which a point of b slides, as a pin in a slot or a wheel on its fork: b may turn,
        and is what a motor turns. `limits` are those of a slider."""
        rows = [self._row(name, "hold", "across", a, b, (at, at), axis)]
        limited = self._limits(name, "along", a, b, (at, at), limits, stiffness, axis)
        self._add(name, "groove", a, b, [*rows, *limited])

    def weld(self, name: str, a: str, b: str) -> None:
        """Both bodies are one from the start on."""
        at = self._of(b).at
        rows = [self._row(name, "hold", m, a, b, (at, at)) for m in WHOLE]
        self._add(name, "weld", a, b, rows)

    def rod(self, name: str, a: str, b: str, at: tuple[Point, Point]) -> None:
        """A massless rod from a point of a to one of b."""
        zero = _length(*at, name)
        self._add(name, "rod", a, b, [self._row(name, "hold", "distance", a, b, at, zero=zero)])

    def rope(
        self,
        name: str,
        a: str,
        b: str,
        at: tuple[Point, Point],
        length: Number | None = None,
        stiffness: Number = 0.0,
    ) -> None:
        """A rope from a point of a to one of b: they come no farther apart than its length, that at the start
        unless given. It is stretched by nothing, or has a `stiffness`, in N/m."""
        zero = _length(*at, name) if length is None else length
        how = {"zero": zero, "side": "below", "stiffness": stiffness}
        row = self._row(name, "limit", "distance", a, b, at, **how)
        self._add(name, "rope", a, b, [row])

    def spring(
        self,
        name: str,
        a: str,
        b: str,
        at: tuple[Point, Point],
        stiffness: Number,
        damping: Number = 0.0,
        length: Number | None = None,
        *,
        coiled: bool = True,
    ) -> None:
        """A spring from a point of a to one of b, `stiffness` in N/m, `damping` in N s/m; at rest at that
        length, or at the start. One that is not `coiled` is drawn as a bar, which is red where it is pressed
        and blue where it is pulled."""
        zero = _length(*at, name) if length is None else length
        how = {"stiffness": stiffness, "damping": damping, "zero": zero}
        kind = "spring" if coiled else "bar"
        self._add(name, kind, a, b, [self._row(name, "spring", "distance", a, b, at, **how)])

    # ------------------------------------------------------------------------------ what drives

    def motor(self, name: str, joint: str, speed: Number, strength: Number = FREE) -> None:
        """It turns b of a hinge or groove at `speed`, in rad/s, or moves that of a slider, in m/s, with as much
        as `strength`, in N m or N."""
        self._drive(name, "motor", joint, speed=speed, strength=strength)

    def servo(
        self,
        name: str,
        joint: str,
        target: Number,
        stiffness: Number,
        damping: Number = 0.0,
        strength: Number = FREE,
    ) -> None:
        """A spring that takes a hinge to the angle `target`, or a slider so far, both from where it begins.

        `stiffness` in N m/rad or N/m, `damping` in N m s or N s/m, `strength` at most in N m or N.
        """
        how = {"stiffness": stiffness, "damping": damping, "strength": strength}
        self._drive(name, "servo", joint, zero=target, **how)

    # ------------------------------------------------------------------------- what is looked at

    def trigger(self, name: str, body: str, at: Point, radius: Number) -> None:
        """It is touched when the centre of a body first comes within a disc: `final[name].time`."""
        self._fresh(name)
        self.triggers[name] = Trigger(self._number(body), at, radius)

    def goal(self, body: str, at: Point, axes: str = "xy", weight: Number = 1.0) -> None:
        """Where a body is to be at the end; `axes` "x" or "y" for one coordinate alone. The loss is the sum of
        `weight` times the squares of what is missing."""
        if axes not in ("x", "y", "xy"):
            raise SceneError(f'the goal of {body!r} has axes {told(axes)}; wanted "x", "y" or "xy"')
        self.goals.append(Goal(self._number(body), at, axes, weight))

    # ----------------------------------------------------------------------------------- helpers

    def _limits(
        self,
        name: str,
        measure: Measure,
        a: str,
        b: str,
        at: tuple[Point, Point],
        limits: tuple[Number, Number] | None,
        stiffness: Number,
        axis: Point = (1.0, 0.0),
    ) -> list[Row]:
        if limits is None:
            return []
        if shape_of(limits) != (2,):
            raise SceneError(f"{name!r} has limits {told(limits)}; wanted (low, high)")
        if not is_traced(limits) and not limits[0] <= limits[1]:
            raise SceneError(f"{name!r} has limits {tuple(limits)}; wanted the lower first")
        return [
            self._row(
                name, "limit", measure, a, b, at, axis, zero=zero, side=side, stiffness=stiffness
            )
            for zero, side in zip(limits, SIDES, strict=True)
        ]

    def _drive(self, name: str, kind: str, joint: str, **how: Any) -> None:
        if joint not in self.links:
            raise SceneError(f"{name!r}: there is no joint {joint!r}{near(str(joint), self.links)}")
        link = self.links[joint]
        if link.kind not in ("hinge", "slider", "groove"):
            raise SceneError(
                f"{name!r} drives {joint!r}, a {link.kind}; wanted a hinge or a slider"
            )
        first = self.rows[link.rows[0]]
        measure: Measure = "along" if link.kind == "slider" else "angle"
        law: Law = "spring" if kind == "servo" else "motor"
        i, j = link.ends
        start = self.bodies[j].angle - self.bodies[i].angle if measure == "angle" else 0.0
        how["zero"] = how.get("zero", 0.0) + start
        try:
            row = replace(first, law=law, measure=measure, **how)
        except ArgumentError as error:
            raise SceneError(f"{name!r}: {error}") from None
        self._added(name, kind, (i, j), [row])

    def _add(self, name: str, kind: str, a: str, b: str, rows: list[Row]) -> None:
        self._added(name, kind, (self._number(a), self._number(b)), rows)

    def _added(self, name: str, kind: str, ends: tuple[int, int], rows: list[Row]) -> None:
        self._fresh(name)
        count = len(self.rows)
        self.links[name] = Link(kind, ends, list(range(count, count + len(rows))))
        self.rows += rows


def _length(p: Point, q: Point, name: str) -> Number:
    """How far two points are apart at the start."""
    length = ra.hypot(q[0] - p[0], q[1] - p[1])
    if not is_traced(length) and not length > 0:
        raise SceneError(f"{name!r} has both ends in one place; wanted two points")
    return length
