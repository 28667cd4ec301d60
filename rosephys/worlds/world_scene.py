"""A world that is described is a scene: its start, steps, loss and picture follow from what there is."""

from __future__ import annotations

from typing import Any

import numpy as np

import rose_ad as ra
from rosephys.errors import SceneError
from rosephys.given import told
from rosephys.physics.rigid import leapfrog
from rosephys.physics.rigid.bodies import Bodies
from rosephys.physics.rigid.numbers import numbers
from rosephys.scene.fields import parameter
from rosephys.scene.picture import Picture, Track
from rosephys.scene.scene import Scene

from .described import rows_of
from .drawn import drawn, seen_at_start
from .overlaps import overlapping
from .plan import Plan
from .state import WorldState


class WorldScene(Scene):
    """A scene of bodies in the plane that has one method of its own, `world(self, w)`, which says what there
    is.

    All others follow, and each may be written instead. `drive(self, state, t)` may say what motors and servos
    do in step t. `view` is the part of the plane that is shown, (xmin, ymin, xmax, ymax), around what there is
    unless given; `sweeps` how often contacts and limits are gone through in a step, and `gravity` (2,) in m/s².
    """

    # longer ones are no motion of bodies that meet
    dt: float = parameter(1 / 240, "time step", unit="s", bounds=(1e-9, 1 / 30))
    view: tuple[float, float, float, float] | None = None
    sweeps: int = 10
    gravity: Any = (0.0, -9.81)

    def __init__(self, **settings: Any) -> None:
        """Raises SceneError for settings that are no fields, and for a world that cannot be."""
        super().__init__(**settings)
        plan = self.plan()
        world = plan.made(self.gravity)
        wrong = overlapping(plan, world)
        if wrong:
            raise SceneError(f"{self.name} begins with {wrong}")
        self._seen = self.view or seen_at_start(plan)

    def world(self, w: Plan) -> None:
        """Say what there is."""
        raise NotImplementedError(f"{type(self).__name__} needs a method world(self, w)")

    def drive(self, state: WorldState, t: Any) -> dict[str, Any]:
        """What is driven in step t, by name: speeds of motors, targets of servos, lengths of springs and ropes,
        and (vx, vy, spin) of fixed bodies."""
        return {}

    def plan(self) -> Plan:
        """What there is, as it was said."""
        plan = Plan()
        self.world(plan)
        return plan

    def initial(self) -> WorldState:
        plan = self.plan()
        world, rows, bodies = plan.made(self.gravity), plan.table(), plan.bodies
        start = world.at(
            *(
                rows_of([getattr(p, k) for p in bodies])
                for k in ("at", "angle", "velocity", "spin")
            ),
        )
        start = leapfrog.started(world, start, self.dt)
        names = plan.names(world, rows)
        none = np.zeros(rows.count)
        values = rows.values(_poses(start)) if rows.count else none
        return WorldState(start, none, values, np.full(len(plan.triggers), -1.0), names)

    def step(self, state: WorldState, t: Any) -> WorldState:
        plan = self.plan()
        driven = self.drive(state, t)
        if not isinstance(driven, dict):
            raise SceneError(f"drive returned {told(driven)}; wanted values by name, a dict")
        plan.driven(driven)
        world, rows = plan.made(self.gravity), plan.table()
        before = _driven(plan, state.bodies, driven)
        belts = numbers([p.belt for p in plan.bodies])
        bodies, impulses = leapfrog.step(
            world, rows, before, self.dt * state.forces, self.dt, belts, self.sweeps
        )
        times = _touched(plan, state, bodies, self.dt * t, self.dt)
        values = rows.values(_poses(bodies)) if rows.count else state.values
        return WorldState(bodies, impulses / self.dt, values, times, state.names)

    def loss(self, final: WorldState) -> Any:
        goals = self.plan().goals
        if not goals:
            name = type(self).__name__
            raise SceneError(
                f"{name} has no goal; wanted w.goal(...) in world, or a method loss(self, final)"
            )
        total: Any = 0.0
        for goal in goals:
            for k in ("xy".index(axis) for axis in goal.axes):
                total += goal.weight * (final.bodies.position[goal.body, k] - goal.at[k]) ** 2
        return total

    def invariants(self, state: WorldState) -> dict[str, Any]:
        """The energy of bodies and springs, which impacts, friction and damping take, and motors give."""
        plan = self.plan()
        world, bodies = plan.made(self.gravity), state.bodies
        half = 0.5 * self.dt * world.pull  # velocities are those of half a step before
        now = world.energy(
            Bodies(
                bodies.position,
                bodies.angle,
                bodies.velocity + half[:, :2],
                bodies.spin,
                bodies.touch,
                bodies.hold,
            )
        )
        rows = plan.table()
        return {"energy": now + (rows.stored(state.values) if rows.count else 0.0)}

    def picture(self, state: WorldState) -> Picture:
        return drawn(self.plan(), state, self._seen)

    def tracks(self, state: WorldState) -> tuple[Track, ...]:
        plan = self.plan()
        of = dict.fromkeys(goal.body for goal in plan.goals)
        return tuple(Track(state.bodies.position[k], "accent", plan.bodies[k].name) for k in of)


def _poses(bodies: Bodies) -> Any:
    x, angle = ra.array(bodies.position), ra.array(bodies.angle)
    return ra.stack([x[:, 0], x[:, 1], angle], axis=1)


def _driven(plan: Plan, bodies: Bodies, driven: dict[str, Any]) -> Bodies:
    """The bodies with the motions that `drive` gives fixed ones."""
    velocity, spin = bodies.velocity, bodies.spin
    for k, placed in enumerate(plan.bodies):
        if placed.name in driven:
            own = ra.arange(len(plan.bodies)) == k
            velocity = ra.where(own[:, None], ra.array(placed.velocity), velocity)
            spin = ra.where(own, placed.spin, spin)
    return Bodies(bodies.position, bodies.angle, velocity, spin, bodies.touch, bodies.hold)


def _touched(plan: Plan, state: WorldState, after: Bodies, now: Any, dt: Any) -> Any:
    """When each trigger was touched first (k,): within the step where its edge is crossed on a line."""
    found = []
    for k, trigger in enumerate(plan.triggers.values()):
        at, b = ra.array(trigger.at), trigger.body
        was, out = (
            ra.norm(x[b] - at) - trigger.radius for x in (state.bodies.position, after.position)
        )
        apart = was - out
        share = ra.clip(was / ra.where(apart > 0, apart, 1.0), 0.0, 1.0)
        touched = (state.times[k] < 0) & (out <= 0)
        found.append(ra.where(touched, now + dt * share, state.times[k]))
    return ra.stack(found) if found else state.times
