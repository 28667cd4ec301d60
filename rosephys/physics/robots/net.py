r"""Ropes and sheets: nets of point masses joined by damped springs.

Three kinds of springs join the points of a net: structural ones the next neighbours, which resist stretching;
shear ones those across a cell; bend ones the next but one. Each kind has one stiffness (N/m), and each spring a
damper of c (N s/m) along it. Air that moves with the velocity w pushes a triangle of area A and unit normal n,
which moves with u, a third on each corner:

    F = ρ A ((w - u) · n) |(w - u) · n| n        with the density ρ (kg/m³) and a drag coefficient of 2.

Source: Provot, *Deformation constraints in a mass-spring model to describe rigid cloth behavior*, Graphics
Interface 1995.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, TypeAlias

import numpy as np

import rose_ad as ra
from rosephys.limit import Limit

from ..checked import checked
from ..quantities import (
    FROM_0,
    Array,
    Axes,
    Count,
    NotNegative,
    NumberOf,
    NumpyArray,
    Positive,
    Scalar,
    SpaceVector,
    Vectors,
)
from .springs import (
    rest_lengths,
    spring_energy,
    spring_forces,
    spring_friction,
    springs_limit,
    stiffest,
)

Points: TypeAlias = Annotated[NumpyArray, Axes("n", "d")]
SpaceVectors: TypeAlias = Annotated[Array, Axes("n", 3)]
Triangles: TypeAlias = Annotated[NumpyArray, Axes("m", 3), NumberOf("n")]
"""(m, 3), the points at the corners of each."""


@checked
@dataclass(frozen=True)
class Springs:
    """m springs of one stiffness (N/m): which points they join (m, 2) and their rest lengths (m,) in metres."""

    ends: Annotated[NumpyArray, Axes("m", 2), NumberOf("n")]
    rest: Annotated[Array, Axes("m"), FROM_0]
    stiffness: NotNegative


@checked
def rope_springs(points: Points, stretch: NotNegative, bend: NotNegative) -> tuple[Springs, ...]:
    """The springs of a rope through points (n, d) at rest."""
    order = np.arange(len(points))
    pairs = [np.stack([order[:-k], order[k:]], axis=1) for k in (1, 2)]
    return _kinds(points, pairs, (stretch, bend))


@checked
def sheet_springs(
    points: Points, columns: Count, stretch: NotNegative, shear: NotNegative, bend: NotNegative
) -> tuple[Springs, ...]:
    """The springs of a sheet of points (n, 3) at rest, row after row."""
    grid = np.arange(len(points)).reshape(-1, columns)

    def joined(*offsets: tuple[int, int]) -> NumpyArray:
        return np.concatenate([_shifted(grid, *offset) for offset in offsets])

    pairs = [joined((0, 1), (1, 0)), joined((1, 1), (1, -1)), joined((0, 2), (2, 0))]
    return _kinds(points, pairs, (stretch, shear, bend))


@checked
def sheet_triangles(columns: Count, rows: Count) -> NumpyArray:
    """The corners (2 (columns - 1) (rows - 1), 3) of a sheet's triangles."""
    cells = sheet_cells(columns, rows)
    return np.concatenate([cells[:, [0, 1, 2]], cells[:, [0, 2, 3]]])


@checked
def sheet_cells(columns: Count, rows: Count) -> NumpyArray:
    """The corners ((columns - 1) (rows - 1), 4) of a sheet's cells, in order round them."""
    grid = np.arange(columns * rows).reshape(rows, columns)
    corners = (grid[:-1, :-1], grid[:-1, 1:], grid[1:, 1:], grid[1:, :-1])
    return np.stack([c.ravel() for c in corners], axis=1)


def _shifted(grid: NumpyArray, down: int, right: int) -> NumpyArray:
    """The pairs (m, 2) of points of a grid that lie so many rows and columns apart."""
    if right < 0:
        return _shifted(grid[:, ::-1], down, -right)
    here = grid[: len(grid) - down, : grid.shape[1] - right]
    return np.stack([here.ravel(), grid[down:, right:].ravel()], axis=1)


def _kinds(
    points: NumpyArray, pairs: list[NumpyArray], stiffness: tuple[Scalar, ...]
) -> tuple[Springs, ...]:
    return tuple(
        Springs(ends, rest_lengths(points, ends), k)
        for ends, k in zip(pairs, stiffness, strict=True)
    )


@checked
def net_forces(
    springs: tuple[Springs, ...], x: Vectors, v: Vectors, damping: NotNegative
) -> Vectors:
    """The forces (n, d) of springs and their dampers, of c = `damping`, on points at x with velocities v."""
    total: Any = 0.0  # an array once there is a spring
    for kind in springs:
        total = total + spring_forces(x, kind.ends, kind.rest, kind.stiffness)
        total = total + spring_friction(x, v, kind.ends, damping)
    return total


@checked
def net_limit(
    springs: tuple[Springs, ...], points: Points, mass: Positive, damping: NotNegative, dt: Positive
) -> Limit:
    """Where a step is stable, of a net that is at rest at `points` (n, d), of one `mass` each."""
    units = [stiffest(points, kind.ends) / mass for kind in springs]
    square = sum(kind.stiffness * unit for kind, unit in zip(springs, units, strict=True))
    return springs_limit(square, damping * sum(units), dt)


@checked
def net_energy(
    springs: tuple[Springs, ...], x: Vectors, v: Vectors, mass: Positive, gravity: Scalar
) -> Scalar:
    """Of points of one `mass`: of motion, of height (the last coordinate) and of the springs (J)."""
    energy = 0.5 * mass * ra.sum(v * v) + mass * gravity * ra.sum(x[:, -1])
    for kind in springs:
        energy = energy + spring_energy(x, kind.ends, kind.rest, kind.stiffness)
    return energy


@checked
def wind_forces(
    triangles: Triangles, x: SpaceVectors, v: SpaceVectors, wind: SpaceVector, density: NotNegative
) -> Vectors:
    """The forces (n, 3) of air that moves with `wind` (3,) on a sheet's points."""
    force = ra.accum(x.shape)
    x, v, corners = ra.array(x), ra.array(v), ra.array(triangles)
    for t in ra.range(len(triangles)):
        a, b, c = corners[t, 0], corners[t, 1], corners[t, 2]
        twice = ra.cross(x[b] - x[a], x[c] - x[a])
        area = 0.5 * ra.norm(twice)
        normal = twice / ra.maximum(2 * area, 1e-12)
        through = ra.dot(wind - (v[a] + v[b] + v[c]) / 3, normal)
        push = density * area * through * abs(through) / 3 * normal
        for corner in (a, b, c):
            force[corner] += push
    return force.freeze()
