r"""Making a velocity free of divergence: the pressure whose gradient, taken from it, leaves none.

Velocities (u, w) and the pressure p lie at the same cells of width h. With central differences

    d = ½ h (u_east - u_west + w_north - w_south)          h² times the divergence
    p_west + p_east + p_south + p_north - 4 p = d          Poisson's equation, times h²
    u' = u - ½ (p_east - p_west) / h,      w' likewise.

The equation is relaxed by sweeps of Jacobi or of Gauss and Seidel, red cells before black ones, or solved by
conjugate gradients, whose derivative is that of the solution. The compact Laplacian stands for that of the
central differences, so that a smooth velocity keeps a divergence of order h².

Sources: Chorin, Math. Comp. 22, 1968; Stam, *Stable fluids*, SIGGRAPH 1999.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, TypeAlias

import numpy as np

import rose_ad as ra
from rosephys.errors import ArgumentError

from ..checked import checked
from ..quantities import Count, Index, OneOf, Positive, Scalar
from .grid import Edges, GridField, around, beside, each_cell, laplacian

Solver: TypeAlias = Callable[[GridField, int, Edges], GridField]


@checked
def divergence(u: GridField, w: GridField, h: Positive, edges: Edges = "periodic") -> GridField:
    """h² times the divergence of a velocity (n, m), by central differences."""
    u, w = ra.array(u), ra.array(w)

    def at(i: Index, j: Index) -> Scalar:
        west, east, _, _ = beside(u, i, j, edges)
        _, _, south, north = beside(w, i, j, edges)
        return 0.5 * h * (east - west + north - south)

    return each_cell(u.shape, at)


@checked
def jacobi(d: GridField, sweeps: Count, edges: Edges = "periodic") -> GridField:
    """The pressure after some sweeps from zero, each of the values of the one before.

    On a periodic grid with even sides the pattern of a chess board is not damped.
    """
    d = ra.array(d)

    def sweep(_: Index, p: GridField) -> GridField:
        return each_cell(d.shape, lambda i, j: 0.25 * (around(p, i, j, edges) - d[i, j]))

    return ra.fori_loop(0, sweeps, sweep, np.zeros(d.shape))


@checked
def gauss_seidel(d: GridField, sweeps: Count, edges: Edges = "periodic") -> GridField:
    """The pressure after some sweeps from zero, over the cells of one colour of a chess board and then those of
    the other, which see the new values. Raises ArgumentError where periodic sides are not even."""
    d = ra.array(d)
    if edges == "periodic" and any(side % 2 for side in d.shape):
        raise ArgumentError(
            f"gauss_seidel: the periodic sides of d are {d.shape}; wanted even ones"
        )

    def half(p: GridField, colour: int) -> GridField:
        def at(i: Index, j: Index) -> Scalar:
            relaxed = 0.25 * (around(p, i, j, edges) - d[i, j])
            return ra.where((i + j) % 2 == colour, relaxed, p[i, j])

        return each_cell(d.shape, at)

    return ra.fori_loop(0, sweeps, lambda _, p: half(half(p, 0), 1), np.zeros(d.shape))


@checked
def conjugate_gradient(d: GridField, _: int, edges: Edges = "periodic") -> GridField:
    """The pressure of mean zero to ten digits, however many steps that takes; d must have mean zero, else the
    mean is left out."""
    d = ra.array(d)

    def bend(p: GridField) -> GridField:
        mean = ra.mean(p)  # makes constants count, which the Laplacian is blind to
        return each_cell(d.shape, lambda i, j: mean - laplacian(p, i, j, edges))

    return ra.cg(bend, ra.mean(d) - d)


SOLVERS: dict[str, Solver] = {
    "jacobi": jacobi,
    "gauss-seidel": gauss_seidel,
    "conjugate-gradient": conjugate_gradient,
}


@checked
def without_gradient(
    u: GridField, w: GridField, p: GridField, h: Positive, edges: Edges = "periodic"
) -> tuple[GridField, GridField]:
    """The velocity less the gradient of a pressure."""
    slope = 0.5 / h
    u, w, p = map(ra.array, (u, w, p))

    def at(i: Index, j: Index) -> tuple[Scalar, Scalar]:
        west, east, south, north = beside(p, i, j, edges)
        return u[i, j] - slope * (east - west), w[i, j] - slope * (north - south)

    return each_cell(u.shape, at)


@checked
def project(
    u: GridField,
    w: GridField,
    h: Positive,
    solver: Annotated[str, OneOf(tuple(SOLVERS))] = "jacobi",
    sweeps: Count = 6,
    edges: Edges = "periodic",
) -> tuple[GridField, GridField]:
    """The velocity without its divergence, as far as the sweeps of a solver go."""
    p = SOLVERS[solver](divergence(u, w, h, edges), sweeps, edges)
    return without_gradient(u, w, p, h, edges)
