r"""Rigid bodies afloat on shallow water in a vertical plane: hulls and water push each other.

The water of depth h (m) over a level bed carries the discharge q = h u (m²/s) along x, under a pressure ρ Π of
hulls, whose friction takes d:

    h_t + q_x = 0,    q_t + (q²/h - ν q_x)_x + g h h_x = -h Π_x - d

Depths lie at the middles of n cells of width Δ, discharges at their n + 1 faces. Momentum is carried upwind,
pressure is central: water at rest stays so under any hull, and waves lose nothing to the scheme.

A hull is a curve of points on a rigid body (robots/boxes.py), each for a share s_k (m) of the waterline. A
point at (X, Z) below the surface by o = h(X) - Z > 0 presses with κ times the weight of the water it ousts.
With the quadratic B-splines φ_i of the cells, by which all is read at X and spread from it,

    Π_i = Σ_k κ g s_k o_k φ_i(X_k) / Δ                                                     on the water
    F_k = ρ κ g s_k o_k (-h_x, 1),    h_x = Σ_i φ_i(X_k) (h_i+1 - h_i-1) / 2Δ                 on the body
    D_k = ½ ρ c s_k o_k / (o_k + 1 mm) |u - V| (u - V)        friction, on the body; d spreads its opposite

Summed over the cells, -h Π_x gives the water what F takes from the body, so the horizontal momentum of both is
kept to rounding; vertical forces go to the bed. At rest g h + Π is the same everywhere: a hull ousts its own
weight of water, whatever κ, and lies deeper in the surface by the κ-th part of its draught. The fastest waves,
of pressed water, set dt < Δ / sqrt((1 + κ) g h). All is per metre of breadth: masses in kg/m.

A hull of wetted half-length l on water of depth h, with the depth a(x) under it, heaves in the open by

    (M + ρ ∫ x²/a dx) δ'' + 2 ρ g l² / sqrt(g h) δ' + 2 ρ g l δ = 0

for small δ: the added mass is that of the water that flows out under it, the damping the waves it sends out.

Sources: Lannes, Annals of PDE 3, 2017 (floating bodies); Godlewski, Parisot, Sainte-Marie, Wahl, M2AN 52, 2018
(a roof with a stiff law of pressure); Stelling, Duinmeijer, Int. J. Numer. Meth. Fluids 43, 2003.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np

import rose_ad as ra
from rosephys.limit import Limit

from ..checked import checked
from ..fields.grid import Edges, cell
from ..quantities import (
    ABOVE_0,
    FROM_0,
    Array,
    Axes,
    Count,
    Index,
    NotNegative,
    NumberOf,
    NumpyArray,
    Positive,
    Scalar,
    Sums,
    Vector,
)
from ..robots.boxes import Impulses

WET = 1e-3  # m, how deep a point must be for half of its friction


@checked
@ra.struct
class Canal:
    """The depth (n,) of each cell in m, the discharge (n + 1,) through each face in m²/s."""

    depth: Annotated[Array, Axes("n"), ABOVE_0]
    discharge: Annotated[Array, Axes("n+1")]


@checked
@dataclass(frozen=True)
class Hulls:
    """What k points of hulls are: the body (k,) of each, its offset (k, 2) from the centre of mass in the frame
    of the body, its share (k,) of the waterline, in m; κ, and the friction c."""

    owner: Annotated[NumpyArray, Axes("k"), NumberOf("bodies")]
    offset: Annotated[NumpyArray, Axes("k", 2)]
    share: Annotated[NumpyArray, Axes("k"), FROM_0]
    stiffness: NotNegative
    friction: NotNegative = 0.0


@checked
@dataclass(frozen=True)
class Basin:
    """Cells of a width in m; density (kg/m³), gravity (m/s²), viscosity ν (m²/s); and what is beyond the first
    and the last, a `wall` or `periodic`."""

    width: Positive
    density: Positive = 1000.0
    gravity: NotNegative = 9.81
    viscosity: NotNegative = 0.0
    edges: Literal["wall", "periodic"] = "wall"


@checked
def canal_limit(basin: Basin, water: Canal, hulls: Hulls, dt: Positive) -> Limit:
    """Where a step is stable: the fastest wave, of pressed water, crosses no more than a cell."""
    stiff = (1 + hulls.stiffness) * basin.gravity * ra.max(water.depth)
    fastest = ra.sqrt(stiff) + ra.max(ra.abs(_speeds(basin, water)))
    name = "the CFL limit of waves of pressed water at {} m/s on cells of {} m"
    return Limit(name, dt, basin.width / fastest, numbers=[fastest, basin.width])


@checked
def press(
    basin: Basin, water: Canal, hulls: Hulls, impulses: Impulses, dt: Positive
) -> tuple[Array, Array]:
    """Add the impulses of the water on the bodies; Π (n,) and d (n + 1,) of the hulls on it, in m²/s²."""
    depth, share = ra.array(water.depth), ra.array(hulls.share)
    n = depth.shape[0]
    faces = n if basin.edges == "periodic" else n + 1  # the last one is the first again
    slope, speed = _slopes(basin, depth), _speeds(basin, water)
    pressure, friction = ra.accum(n), ra.accum(faces)
    for k in ra.range(len(hulls.owner)):
        i, arm, at = _point(hulls, impulses, k)
        middles = _around(at[0] / basin.width - 0.5, n, basin.edges)
        sides = _around(at[0] / basin.width, faces, basin.edges)
        deep = ra.maximum(_read(depth, middles) - at[1], 0.0)
        push = hulls.stiffness * basin.gravity * share[k] * deep
        past = _read(speed, sides) - impulses.speed(i, arm)[0]
        wet = share[k] * deep / (deep + WET)
        drag = 0.5 * hulls.friction * wet * ra.abs(past) * past
        force = ra.array([drag - push * _read(slope, middles), push])
        impulses.add(i, dt * basin.density * force, arm)
        _spread(pressure, middles, push / basin.width)
        _spread(friction, sides, drag / basin.width)
    drags = friction.freeze()
    return pressure.freeze(), ra.build(n + 1, lambda f: drags[f % faces])


@checked
def canal_step(
    basin: Basin,
    water: Canal,
    pressure: Annotated[Array, Axes("n")],
    friction: Annotated[Array, Axes("n+1")],
    dt: Positive,
    inflow: Scalar = 0.0,
) -> Canal:
    """The water dt later under Π (n,) and d (n + 1,), by semi-implicit Euler; `inflow` is the discharge through
    the first face, where that is a wall."""
    depth, flow, friction = map(ra.array, (water.depth, water.discharge, friction))
    n = depth.shape[0]
    rate, speed = dt / basin.width, _speeds(basin, water)
    head = basin.gravity * depth + pressure

    def carried(i: Index) -> Scalar:
        through = 0.5 * (flow[i] + flow[i + 1])
        upwind = ra.where(through > 0, speed[i], speed[i + 1])
        return through * upwind - basin.viscosity / basin.width * (flow[i + 1] - flow[i])

    momentum = ra.build(n, carried)

    def pushed(f: Index) -> Scalar:
        west, east = cell(f - 1, n, basin.edges), cell(f, n, basin.edges)
        drop = 0.5 * (depth[west] + depth[east]) * (head[east] - head[west])
        new = flow[f] - rate * (momentum[east] - momentum[west] + drop) - dt * friction[f]
        if basin.edges == "periodic":
            return new
        return ra.where(f == 0, inflow, ra.where(f == n, 0.0, new))

    flow = ra.build(n + 1, pushed)
    return Canal(ra.build(n, lambda i: depth[i] - rate * (flow[i + 1] - flow[i])), flow)


@checked
def energy(basin: Basin, water: Canal, hulls: Hulls, impulses: Impulses) -> Scalar:
    """The energy of water and bodies in J/m: of motion, of height, and of the pressed hulls."""
    depth, flow, share = map(ra.array, (water.depth, water.discharge, hulls.share))
    pressed = ra.accum()
    for k in ra.range(len(hulls.owner)):
        _, _, at = _point(hulls, impulses, k)
        middles = _around(at[0] / basin.width - 0.5, depth.shape[0], basin.edges)
        deep = ra.maximum(_read(depth, middles) - at[1], 0.0)
        pressed += hulls.stiffness * share[k] * deep * deep
    flowing = basin.width * ra.sum(flow[1:] * _speeds(basin, water)[1:])
    high = basin.gravity * (basin.width * ra.sum(depth * depth) + pressed.freeze())
    v, w = impulses.motion.velocity, impulses.motion.spin
    turning = 0.5 * w * w / impulses.by_inertia
    moving = 0.5 * ra.sum(v * v, axis=1)
    lifted = (moving + basin.gravity * impulses.motion.position[:, 1]) / impulses.by_mass
    return 0.5 * basin.density * (flowing + high) + ra.sum(turning + lifted)


@checked
def hull(
    length: Annotated[float, ABOVE_0],
    height: float,
    bluff: Annotated[float, ABOVE_0],
    points: Count,
) -> tuple[NumpyArray, NumpyArray]:
    """Points (k, 2) of the hull y = height |2 x / length|^bluff, and their shares (k,) of its length."""
    s = (np.arange(points) + 0.5) / points - 0.5
    curve = np.stack([length * s, height * np.abs(2 * s) ** bluff], axis=1)
    return curve, np.full(points, length / points)


# ------------------------------------------------------------------------- points between the cells


def _point(hulls: Hulls, impulses: Impulses, k: Index) -> tuple[Index, Vector, Vector]:
    """The body of point k, the arm of the point there, and where it is."""
    i = ra.array(hulls.owner)[k]
    arm = impulses.arm(i, ra.array(hulls.offset)[k])
    return i, arm, impulses.motion.position[i] + arm


def _around(at: Scalar, n: int, edges: Edges) -> list[tuple[Index, Scalar]]:
    """The three of n places that are next to `at`, and their weights: the quadratic B-spline."""
    middle = ra.floor(at + 0.5)
    i, f = ra.to_int(middle), at - middle
    weights = 0.5 * (0.5 - f) ** 2, 0.75 - f * f, 0.5 * (0.5 + f) ** 2
    return [(cell(i + k - 1, n, edges), w) for k, w in enumerate(weights)]


def _read(q: Array, around: list[tuple[Index, Scalar]]) -> Scalar:
    (i, u), (j, v), (k, w) = around
    return u * q[i] + v * q[j] + w * q[k]


def _spread(q: Sums, around: list[tuple[Index, Scalar]], amount: Scalar) -> None:
    for i, weight in around:
        q[i] += weight * amount


def _slopes(basin: Basin, depth: Array) -> Array:
    """The slope of the surface at each cell."""
    n = depth.shape[0]

    def at(i: Index) -> Scalar:
        west, east = cell(i - 1, n, basin.edges), cell(i + 1, n, basin.edges)
        return (depth[east] - depth[west]) / (2 * basin.width)

    return ra.build(n, at)


def _speeds(basin: Basin, water: Canal) -> Array:
    """The velocity at each face."""
    depth, flow = map(ra.array, (water.depth, water.discharge))
    n = depth.shape[0]

    def at(f: Index) -> Scalar:
        west, east = cell(f - 1, n, basin.edges), cell(f, n, basin.edges)
        return 2 * flow[f] / (depth[west] + depth[east])

    return ra.build(n + 1, at)
