"""A dam breaks above a village: the bank that saves it is sought.

Water rushes through a breach into a valley that winds. Earth may be heaped up or dug out on a coarse grid below
the dam; the village should stay dry and little earth be moved.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

import rose_ad as ra
from rosephys import Limit, Picture, Polygons, Polyline, Scene, Text, control, parameter
from rosephys.physics.fluids.shallow_water import shallow_water_limit, shallow_water_step
from rosephys.physics.robots.net import sheet_cells
from rosephys.scene.projection import Camera

Array = np.ndarray[Any, Any]

CAMERA = Camera(azimuth=-65.0, elevation=42.0)
LONG, WIDE = 32.0, 20.0  # m, the valley
DAM, BREACH = 8.0, 2.0  # m, where the dam stands, and half the gap in it
EARTH = (10, 9)  # heaps along the valley and across
SHEEN = 0.02  # m, shallower water is not drawn
HOUSES = np.array(
    [(-0.1, 1.0), (-0.9, -0.5), (0.8, -0.6)]
)  # m, from the village's middle, the farthest first
HOUSE = np.array(
    [0.6, 0.4, 0.35, 0.35]
)  # m, half its length and width, its height to the eaves, and its roof
SUNK = -1e9  # m, where dry cells are put, for the farthest is drawn first
SCALE = 1.6  # how much heights are exaggerated in the picture


def middle(x: Any) -> Any:
    """Where across the valley its lowest line runs, in m."""
    return 0.52 * WIDE + 2.4 * np.sin(0.23 * (x - DAM))


def ground(x: Any, y: Any) -> Any:
    """The height of the ground before earth is moved, in m, the dam included."""
    valley = 2.2 - 0.06 * x + 0.02 * (y - middle(x)) ** 2
    wall = 2.6 * np.exp(-(((x - DAM) / 0.7) ** 2))
    gap = 1 / (1 + np.exp((np.abs(y - middle(DAM)) - BREACH) / -0.25))
    return valley + wall * gap


@ra.struct
class State:
    """The depth of the water in m, its momentum along both axes in m²/s, each (n, m), and how wet the village
    has been, in m² s."""

    depth: ra.Vec
    p: ra.Vec
    q: ra.Vec
    wet: ra.Real


class Dam(Scene):
    """Find the bank of earth that keeps the flood of a broken dam from a village."""

    iterations = 60
    rate = 0.05
    optimizer = "adam"

    cells: int = parameter(40, "cells across the valley", bounds=(10, 400))
    steps: int = parameter(500, "number of time steps", bounds=(1, 10_000_000))
    dt: float = parameter(0.01, "time step", unit="s", bounds=(1e-9, 1.0))
    gravity: float = parameter(9.81, "acceleration of gravity", unit="m/s²", bounds=(0.0, 100.0))
    level: float = parameter(4.2, "height of the water behind the dam", unit="m")
    cost: float = parameter(0.05, "what earth costs, per m² of its mean square height")
    village: Any = parameter((23.0, 9.5), "where the village is", unit="m")
    size: float = parameter(2.0, "radius of the village", unit="m", bounds=(0.1, 20.0))
    earth: Any = control(np.zeros(EARTH), "height of the earth moved", unit="m", bounds=(-1.5, 2.5))

    @property
    def width(self) -> float:
        """The width of a cell in m."""
        return WIDE / self.cells

    @property
    def places(self) -> tuple[Array, Array]:
        """The middles of the cells along the valley (n, 1) and across (1, m), in m."""
        n = round(LONG / self.width)
        return (
            ((np.arange(n) + 0.5) * self.width)[:, None],
            ((np.arange(self.cells) + 0.5) * self.width)[None, :],
        )

    def bed(self) -> Any:
        """The height of the ground with the earth on it, (n, m)."""
        x, y = self.places
        along = hats(x[:, 0], DAM + 1.5, LONG - 3.0, EARTH[0])
        across = hats(y[0], 2.0, WIDE - 2.0, EARTH[1])
        return ground(x, y) + along @ ra.array(self.earth) @ across.T

    def initial(self) -> State:
        x, y = self.places
        behind = np.asarray(x + 0 * y < DAM, float)
        depth = behind * ra.maximum(self.level - ground(x, y), 0.0)
        still = np.zeros(behind.shape)
        return State(depth, still, still, 0.0)

    def step(self, state: State, t: Any) -> State:
        water = shallow_water_step(
            state.depth, state.p, state.q, self.bed(), self.dt, self.width, self.gravity
        )
        return State(*water, state.wet + self.dt * self._in_village(water[0]))

    def _in_village(self, depth: Any) -> Any:
        """The mean square of the depth in the village, which has a soft edge."""
        x, y = self.places
        across, along = x - self.village[0], y - self.village[1]
        weight = ra.exp(-(across**2 + along**2) / self.size**2)
        return ra.sum(weight * depth * depth) / ra.sum(weight)

    def limits(self, state: State) -> tuple[Limit, ...]:
        return (
            shallow_water_limit(state.depth, state.p, state.q, self.dt, self.width, self.gravity),
        )

    def loss(self, final: State) -> Any:
        return final.wet + self.cost * ra.mean(ra.array(self.earth) ** 2)

    def invariants(self, state: State) -> dict[str, Any]:
        """The water in the valley, in m³."""
        return {"water": ra.sum(state.depth) * self.width**2}

    @property
    def allowed_drift(self) -> dict[str, float | tuple[float, float]]:
        return {"water": 1e-9}

    def picture(self, state: State) -> Picture:
        bed, depth = self.bed(), ra.array(state.depth)
        cells = sheet_cells(self.cells, depth.shape[0])
        land, above = self._points(bed), ra.ravel(_above(bed, depth))
        water = _wet_parts(land[cells], self._points(bed + depth)[cells], above[cells])
        sheet = CAMERA.sheet(water, "#1d6fa5", "#08233c", "#b9e4f0")
        flood = replace(sheet, points=ra.where(sheet.points > 0.1 * SUNK, sheet.points, np.nan))
        turn = np.linspace(0, 2 * np.pi, 41)
        circle = self.size * np.stack([np.cos(turn), np.sin(turn), 0 * turn], axis=1)
        village = ra.array([*self.village, SCALE * self._level(bed + depth)])
        return Picture(
            (
                CAMERA.sheet(land[cells], "#6f5b3b", "#1d160d", "#cbb583"),
                flood,
                Polyline(CAMERA.place(village + circle), "accent", 2.5),
                *(part for at in HOUSES for part in house(village + np.append(at, 0.0))),
                Text(CAMERA.place(village - ra.array([0.0, self.size, 1.0])), "village", "accent"),
            ),
            (0.0, -7.0, 37.5, 18.0),
        )

    def _level(self, height: Any) -> Any:
        """The height of a surface over the cells, in the middle of the village."""
        x, y = self.places
        weight = ra.exp(-2 * ((x - self.village[0]) ** 2 + (y - self.village[1]) ** 2))
        return ra.sum(weight * height) / ra.sum(weight)

    def _points(self, height: Any) -> Any:
        """The points (n m, 3) of a surface over the cells, its heights exaggerated."""
        x, y = self.places
        flat = 0 * ra.array(height)
        return ra.reshape(ra.stack([flat + x, flat + y, SCALE * height], axis=-1), (-1, 3))


def _above(bed: Any, depth: Any) -> Any:
    """How far the water stands above the ground (n, m); below 0, where it is dry, by the level nearby."""
    padded = [_padded(a) for a in (depth, depth * (bed + depth))]
    n, m = depth.shape
    near, level = (sum(a[i : i + n, j : j + m] for i in range(3) for j in range(3)) for a in padded)
    dry = ra.minimum(level / ra.maximum(near, 1e-9) - bed, -SHEEN)
    return ra.where(depth > SHEEN, depth, ra.where(near > SHEEN, dry, -1.0)) - SHEEN


def _padded(field: Any) -> Any:
    """A field with one more cell on each side, in which it is 0."""
    n, m = field.shape
    side = ra.zeros((n, 1))
    row = ra.zeros((1, m + 2))
    return ra.concat([row, ra.concat([side, field, side], axis=1), row])


def _wet_parts(land: Any, water: Any, above: Any) -> Any:
    """Of cells with these corners (n, 4, 3) what is wet, with eight corners (n, 8, 3): of each side in turn the
    ends of that part of it on which `above` (n, 4) is positive."""
    ends = []
    for k in range(4):
        q = (k + 1) % 4
        here, there = above[:, k], above[:, q]
        share = ra.clip(here / ra.where(here == there, 1.0, here - there), 0.0, 1.0)[:, None]
        shore = land[:, k] + share * (land[:, q] - land[:, k])
        first = ra.where((here > 0)[:, None], water[:, k], shore)
        last = ra.where((there > 0)[:, None], water[:, q], shore)
        ends.append((first, last, ((here <= 0) & (there <= 0))[:, None]))
    dry = [end[2] for end in ends]
    lasts = [end[1] for end in ends]
    for _ in range(2):  # a dry side is where the last wet one ended
        lasts = [ra.where(dry[k], lasts[k - 1], lasts[k]) for k in range(4)]
    firsts = [ra.where(dry[k], lasts[k], ends[k][0]) for k in range(4)]
    corners = [point for pair in zip(firsts, lasts, strict=True) for point in pair]
    whole = dry[0] & dry[1] & dry[2] & dry[3]
    return ra.where(whole[..., None], SUNK, ra.stack(corners, axis=1))


def house(at: Any) -> tuple[Polygons, Polygons]:
    """The walls and the saddle roof of a house that stands at a point (3,)."""
    x, y, eaves, gable = HOUSE * (1, 1, SCALE, SCALE)
    base = [(-x, -y, 0), (x, -y, 0), (x, y, 0), (-x, y, 0)]
    top = [(px, py, eaves) for px, py, _ in base]
    ridge = [(-x, 0, eaves + gable), (x, 0, eaves + gable)]
    walls = [(base[k], base[k - 3], top[k - 3], top[k]) for k in range(4)]
    walls += [(top[1], top[2], ridge[1], ridge[1]), (top[3], top[0], ridge[0], ridge[0])]
    roof = [(top[0], top[1], ridge[1], ridge[0]), (top[2], top[3], ridge[0], ridge[1])]
    return (
        CAMERA.solid(at + np.array(walls, float), "#d9cbb0"),
        CAMERA.solid(at + np.array(roof, float), "#a8442f", high="#c8654a"),
    )


def hats(x: Array, low: float, high: float, count: int) -> Array:
    """The shares (n, count) that points spread from low to high have in each x (n,), linear between them."""
    step = (high - low) / (count - 1)
    at = low + step * np.arange(count)
    return np.asarray(np.maximum(1 - np.abs(x[:, None] - at) / step, 0.0))
