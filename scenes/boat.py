"""A boat floats in a tank: the strokes of a paddle whose waves carry it to the mark are sought.

Boat and water push each other, so the boat makes waves, too. The paddle is the left wall; the water beside it
moves as it does. All is per metre of breadth; lengths are in m, times in s.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import rose_ad as ra
from rosephys import (
    Circles,
    Limit,
    Picture,
    Polygon,
    Polygons,
    Polyline,
    Scene,
    Track,
    control,
    parameter,
)
from rosephys.physics.fluids.floating import (
    Basin,
    Canal,
    Hulls,
    canal_limit,
    canal_step,
    energy,
    hull,
    press,
)
from rosephys.physics.mechanics.knots import linear_between
from rosephys.physics.robots.boxes import Impulses, Motion, RigidBodies, advance, points_of

Array = np.ndarray[Any, Any]

TANK = 8.0  # m, its length
LONG, HIGH, BLUFF = 1.6, 0.5, 3.0  # m, m: the hull's length and height; how full it is
CENTRE = 0.22  # m, of mass, over the keel
POINTS = 5  # of the hull, in a cell
LAYERS = 6  # of water in the picture
CABIN = np.array([[-0.42, 0.44], [0.2, 0.44], [0.12, 0.68], [-0.38, 0.68]])
FUNNEL = np.array([[-0.24, 0.68], [-0.08, 0.68], [-0.1, 0.92], [-0.24, 0.92]])
WINDOWS = np.array([[-0.28, 0.56], [-0.13, 0.56], [0.02, 0.56]])


@ra.struct
class State:
    """The water, the boat, how far the paddle is to the right, in m, and what water came with it, in m²."""

    water: Canal
    boat: Motion
    paddle: ra.Real
    entered: ra.Real


class Boat(Scene):
    """Find the strokes of a paddle whose waves carry a boat to the mark and leave it there."""

    iterations = 100
    rate = 0.01
    optimizer = "adam"

    cells: int = parameter(120, "cells along the tank", bounds=(40, 4000))
    steps: int = parameter(1800, "number of time steps", bounds=(1, 10_000_000))
    dt: float = parameter(0.004, "time step", unit="s", bounds=(1e-9, 0.1))
    depth: float = parameter(1.0, "depth of the calm water", unit="m", bounds=(0.3, 10.0))
    mass: float = parameter(150.0, "mass of the boat", unit="kg/m", bounds=(1.0, 300.0))
    start: float = parameter(2.2, "where the boat is at first", unit="m")
    stiffness: float = parameter(
        20.0, "of the hull, in weights of the water ousted", bounds=(1.0, 1e4)
    )
    friction: float = parameter(0.02, "friction of the hull", bounds=(0.0, 1.0))
    viscosity: float = parameter(0.004, "of the water, by eddies", unit="m²/s", bounds=(0.0, 1.0))
    gravity: float = parameter(9.81, "acceleration of gravity", unit="m/s²", bounds=(0.0, 100.0))
    effort: float = parameter(0.1, "what the mean square of the paddle's speed costs", unit="s²")
    goal: Any = parameter((5.4, 1.6), "where the boat should end", unit="m", handle=True)
    strokes: Any = control(
        np.full(17, 0.05), "speed of the paddle, in turn", unit="m/s", bounds=(-0.7, 0.7)
    )

    @property
    def basin(self) -> Basin:
        """The tank."""
        return Basin(TANK / self.cells, gravity=self.gravity, viscosity=self.viscosity)

    def hulls(self) -> tuple[RigidBodies, Hulls]:
        """The boat, and its hull."""
        points = round(POINTS * self.cells * LONG / TANK)
        curve, share = hull(LONG, HIGH, BLUFF, points)
        owner, offset = np.zeros(points, int), curve - (0.0, CENTRE)
        mass = self.mass * np.ones(1)
        body = RigidBodies(mass, mass * (LONG**2 + HIGH**2) / 12, owner, offset)
        return body, Hulls(owner, offset, share, self.stiffness, self.friction)

    def draught(self) -> Any:
        """How deep the keel is where the boat floats at rest."""
        pressed = (1 + self.stiffness) / self.stiffness
        area = pressed * self.mass / self.basin.density
        full = (BLUFF + 1) / BLUFF * area * HIGH ** (1 / BLUFF) / LONG
        return full ** (BLUFF / (BLUFF + 1))

    def initial(self) -> State:
        keel = self.depth - self.draught()
        x = TANK / self.cells * (np.arange(self.cells) + 0.5) - self.start
        below = keel + HIGH * ra.abs(2 * x / LONG) ** BLUFF
        deep = ra.maximum(self.depth - below, 0.0) / (1 + 1 / self.stiffness)
        boat = Motion(
            ra.array([[self.start, keel + CENTRE]]), np.zeros(1), np.zeros((1, 2)), np.zeros(1)
        )
        return State(Canal(self.depth - deep, np.zeros(self.cells + 1)), boat, 0.0, 0.0)

    def step(self, state: State, t: Any) -> State:
        speed = linear_between(ra.array(self.strokes), (t + 0.5) / self.steps)
        body, hulls = self.hulls()
        impulses = Impulses(body, state.boat)
        pressure, friction = press(self.basin, state.water, hulls, impulses, self.dt)
        inflow = speed * state.water.depth[0]
        water = canal_step(self.basin, state.water, pressure, friction, self.dt, inflow)
        boat = advance(impulses, drag=1.0, gravity=self.gravity, dt=self.dt)
        return State(water, boat, state.paddle + self.dt * speed, state.entered + self.dt * inflow)

    def limits(self, state: State) -> tuple[Limit, ...]:
        return (canal_limit(self.basin, state.water, self.hulls()[1], self.dt),)

    def loss(self, final: State) -> Any:
        """The squares of the distance from the mark and of the speed there, of how far the paddle is from where
        it began, and, on the mean and at a cost, of its speed; in m and s."""
        miss = final.boat.position[0, 0] - self.goal[0]
        left = final.boat.velocity[0, 0]
        cost = self.effort * ra.mean(ra.array(self.strokes) ** 2)
        return miss**2 + left**2 + final.paddle**2 + cost

    def invariants(self, state: State) -> dict[str, Any]:
        """The water in the tank less what came with the paddle, in m², which nothing changes; and the energy of
        all in J/m, which the paddle gives and takes."""
        body, hulls = self.hulls()
        water = self.basin.width * ra.sum(state.water.depth)
        held = energy(self.basin, state.water, hulls, Impulses(body, state.boat))
        return {"water": water - state.entered, "energy": held}

    @property
    def allowed_drift(self) -> dict[str, float | tuple[float, float]]:
        return {"water": 1e-9}

    def picture(self, state: State) -> Picture:
        depth = ra.array(state.water.depth)
        x = TANK / self.cells * (np.arange(self.cells) + 0.5)
        x = ra.concat([np.full(1, -0.8), x, TANK * np.ones(1)])
        surface = ra.concat([depth[:1], depth, depth[-1:]])
        bed = ra.flip(ra.stack([x, 0 * x], axis=1), 0)
        layers = ra.stack(
            [
                ra.concat([ra.stack([x, (1 - k / LAYERS) * surface], axis=1), bed])
                for k in range(LAYERS)
            ]
        )
        shades = np.linspace(1.0, -1.0, LAYERS)
        return Picture(
            (
                Polygons(layers, shades, "#1e5d88", "#0c2c4a", "#2f8fc4"),
                Polyline(ra.stack([x, surface], axis=1), "#b9e4f0", 2.0),
                *self._tank(state.paddle),
                *self._flag(),
                *self._ship(state.boat),
            ),
            (-0.8, -0.25, TANK + 0.25, 2.4 * self.depth),
        )

    def _tank(self, paddle: Any) -> tuple[Any, ...]:
        top = 1.45 * self.depth
        ground = ra.array([[-0.8, -0.25], [TANK + 0.25, -0.25], [TANK + 0.25, 0.0], [-0.8, 0.0]])
        wall = ra.array([[TANK, 0.0], [TANK + 0.25, 0.0], [TANK + 0.25, top], [TANK, top]])
        plate = ra.array([[-0.8, 0.0], [paddle, 0.0], [paddle, top], [-0.8, top]])
        return Polygon(ground, "earth"), Polygon(wall, "earth"), Polygon(plate, "bone")

    def _flag(self) -> tuple[Any, ...]:
        """The mark: a pennant on a pole that stands on the bed."""
        x, y = self.goal
        pennant = ra.array([[x, y], [x + 0.36, y - 0.11], [x, y - 0.22]])
        return Polyline(ra.array([[x, 0.0], [x, y]]), "dim", 2.5), Polygon(pennant, "good")

    def _ship(self, boat: Motion) -> tuple[Any, ...]:
        def placed(points: Array) -> Any:
            return points_of(boat, np.zeros(len(points), int), points - (0.0, CENTRE))

        below, _ = hull(LONG, HIGH, BLUFF, 40)
        stripe = np.array([[-0.5 * LONG, HIGH], [0.5 * LONG, HIGH]])
        return (
            Polygon(placed(FUNNEL), "low"),
            Polygon(placed(CABIN), "ivory"),
            Polygon(placed(below), "#b5533c"),
            Polyline(placed(stripe), "ivory", 4.0),
            Circles(placed(WINDOWS), 0.05, ("#1d6fa5",), style="disc"),
        )

    def tracks(self, state: State) -> tuple[Track, ...]:
        return (Track(state.boat.position[0], "accent", "boat"),)
