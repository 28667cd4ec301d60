r"""The lattice Boltzmann method: a fluid as particles that stream along nine directions and relax on meeting.

The densities f_k of the D2Q9 lattice, with the directions c_k and the weights w_k, hold the density, the
velocity and the stress of the fluid, in cells and steps:

    ρ = Σ f_k,    ρ u = Σ c_k f_k + F/2
    f_k* = f_k - (f_k - e_k(ρ, u)) / τ + (1 - 1/(2τ)) w_k (3 (c_k - u) + 9 (c_k·u) c_k)·F           at a cell
    f_k'(x) = f_k*(x - c_k)                                                                    between cells
    e_k = w_k ρ (1 + 3 c_k·u + 9/2 (c_k·u)² - 3/2 u²)

with a force F per cell (Guo et al.) and the viscosity ν = (τ - 1/2)/3. Where x - c_k is solid, what left x the
other way comes back: the wall lies half-way between the cells (Ladd), and where it moves at U, it adds
6 w_k c_k·U (ρ is 1). The scheme is of second order in the cells' width at a fixed τ, and holds for speeds well
below that of sound, 1/√3: it is stable for speeds up to about 8 (τ - ½), and 0.4 (Krüger et al., section 4.4).

Sources: Qian, d'Humières, Lallemand, Europhys. Lett. 17, 1992; Guo, Zheng, Shi, Phys. Rev. E 65, 2002; Ladd,
J. Fluid Mech. 271, 1994; Krüger et al., *The Lattice Boltzmann Method*, Springer 2017.
"""

from __future__ import annotations

from typing import Annotated, TypeAlias

import numpy as np

import rose_ad as ra
from rosephys.limit import Limit

from ..checked import checked
from ..fields.grid import GridField, cell, each_cell
from ..quantities import (
    ABOVE_0,
    Array,
    Axes,
    Between,
    Holes,
    Index,
    NumpyArray,
    Quantity,
    Scalar,
    Truth,
)

DIRECTIONS = ((0, 0), (1, 0), (0, 1), (-1, 0), (0, -1), (1, 1), (-1, 1), (-1, -1), (1, -1))
OPPOSITE = (0, 3, 4, 1, 2, 7, 8, 5, 6)
WEIGHTS = (4 / 9, *4 * (1 / 9,), *4 * (1 / 36,))

Direction: TypeAlias = Annotated[int, Between(0, 8)]
Relaxation: TypeAlias = Annotated[Scalar, Between(0.5, open=True)]
Nine: TypeAlias = Annotated[tuple[Scalar, ...], Axes(9)]
Densities: TypeAlias = Annotated[Array, Axes(9, "n", "m"), Holes()]
Walls: TypeAlias = Annotated[NumpyArray, Axes("n", "m"), Truth()]


@checked
def viscosity(relaxation: Relaxation) -> Scalar:
    """The viscosity, in cells² a step, for a relaxation time in steps."""
    return (relaxation - 0.5) / 3


@checked
def along(k: Direction, u: Quantity, v: Quantity) -> Quantity:
    """c_k·(u, v)."""
    signed = [x if c > 0 else -x for c, x in zip(DIRECTIONS[k], (u, v), strict=True) if c]
    return sum(signed[1:], start=signed[0]) if signed else 0.0


@checked
def equilibrium(
    density: Annotated[Quantity, ABOVE_0], u: Quantity, v: Quantity
) -> tuple[Quantity, ...]:
    """The nine densities, numbers, of a cell where nothing is left to relax."""
    still = 1 - 1.5 * (u * u + v * v)
    speeds = (along(k, 3 * u, 3 * v) for k in range(9))
    return tuple(
        w * density * (still + s * (1 + 0.5 * s)) for w, s in zip(WEIGHTS, speeds, strict=True)
    )


@checked
def moments(
    f: Annotated[Array, Axes(9, ...), Holes()] | Nine, force: tuple[Quantity, Quantity] = (0.0, 0.0)
) -> tuple[Quantity, Quantity, Quantity]:
    """The density and the velocity of nine densities under a force: of numbers or of fields (9, n, m)."""
    density = f[0] + f[1] + f[2] + f[3] + f[4] + f[5] + f[6] + f[7] + f[8]
    u = f[1] - f[3] + f[5] - f[6] - f[7] + f[8] + 0.5 * force[0]
    v = f[2] - f[4] + f[5] + f[6] - f[7] - f[8] + 0.5 * force[1]
    return density, u / density, v / density


@checked
def flowing(
    density: Annotated[Array, Axes("n", "m"), ABOVE_0], u: GridField, v: GridField
) -> Array:
    """The densities (9, n, m) of a fluid with these fields (n, m), without stress."""
    density, u, v = map(ra.array, (density, u, v))
    return ra.stack(
        each_cell(density.shape, lambda i, j: equilibrium(density[i, j], u[i, j], v[i, j]))
    )


@checked
def collided(
    f: Nine, rate: Annotated[Scalar, Between(0.0, 2.0, open=True)], force: tuple[Scalar, Scalar]
) -> tuple[Scalar, ...]:
    """The nine densities, numbers, of a cell after they met; `rate` is one over the relaxation time."""
    density, u, v = moments(f, force)
    rest = equilibrium(density, u, v)
    work = 3 * (u * force[0] + v * force[1])

    def push(k: int) -> Scalar:
        return along(k, *force) * (3 + 9 * along(k, u, v)) - work

    return tuple(
        f[k] - rate * (f[k] - rest[k]) + (1 - 0.5 * rate) * WEIGHTS[k] * push(k) for k in range(9)
    )


@checked
def lattice_boltzmann_limit(f: Densities, relaxation: Relaxation, solid: Walls) -> Limit:
    """Where the densities (9, n, m) are slow enough for the relaxation time; those in walls do not count."""
    _, u, v = moments(ra.array(f))
    speed = ra.max(ra.where(solid, 0.0, ra.sqrt(u * u + v * v)))
    bound = ra.minimum(8 * (relaxation - 0.5), 0.4)
    name = "what a relaxation time of {} steps holds"
    advice = "a larger relaxation or a slower flow is needed"
    return Limit(
        name, speed, bound, "relaxation", "the flow's speed, in cells a step,", advice, [relaxation]
    )


@checked
def lattice_boltzmann_step(
    f: Densities,
    relaxation: Relaxation,
    force: tuple[GridField, GridField],
    solid: Walls,
    moving: tuple[GridField, GridField] | None = None,
) -> Array:
    """The densities (9, n, m) a step later, on a grid that is periodic where no wall is.

    `relaxation` is τ in steps, above ½. `force` are two fields (n, m). `solid` (n, m), of numpy, is true in
    walls, `moving` the fields of their velocity, if any moves. What is in a wall has no meaning.
    """
    f, (fx, fy) = ra.array(f), map(ra.array, force)
    _, n, m = f.shape
    rate = 1 / relaxation

    def meet(i: Index, j: Index) -> tuple[Scalar, ...]:
        return collided(tuple(f[k, i, j] for k in range(9)), rate, (fx[i, j], fy[i, j]))

    met = each_cell((n, m), meet)
    # Asked of the cell that a density comes to, not of the one it comes from: then the transpose of streaming
    # is reading, too, and not adding.
    from_wall = [ra.array(np.roll(solid, c, (0, 1))) for c in DIRECTIONS]
    wall = None if moving is None else tuple(map(ra.array, moving))

    def arrived(i: Index, j: Index, k: int) -> Scalar:
        a, b = DIRECTIONS[k]
        x, y = cell(i - a, n), cell(j - b, m)
        back = met[OPPOSITE[k]][i, j]
        if wall is not None and k:
            back = back + 6 * WEIGHTS[k] * along(k, wall[0][x, y], wall[1][x, y])
        return ra.where(from_wall[k][i, j], back, met[k][x, y])

    return ra.stack(each_cell((n, m), lambda i, j: tuple(arrived(i, j, k) for k in range(9))))
