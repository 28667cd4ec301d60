r"""Semi-Lagrangian advection of fields by a velocity (u, w), in cells a step.

    q'(i, j) = q(i - u_ij, j - w_ij)

where q between cells is bilinear, and beyond the edge what the edges say (grid.py). Where a velocity is NaN so
is what it carries. A step is stable for any velocity; it is of first order in time and smooths what it carries.
The derivative goes through the weights: the cells that a point lies between are taken as fixed, which is exact
but where it lies on the line between two.

Source: Stam, *Stable fluids*, SIGGRAPH 1999.
"""

from __future__ import annotations

import rose_ad as ra
from rosephys.limit import Limit

from ..checked import checked
from ..quantities import Index, Scalar
from .grid import Edges, GridField, cell, each_cell


@checked
def bilinear(
    fields: tuple[GridField, ...], x: Scalar, y: Scalar, edges: Edges = "periodic"
) -> tuple[Scalar, ...]:
    """What fields (n, m) are at the point (x, y), in cells."""
    fields = tuple(map(ra.array, fields))
    n, m = fields[0].shape
    (i, west), (i_east, east) = _between(x, n, edges)
    (j, south), (j_north, north) = _between(y, m, edges)

    def between(q: GridField) -> Scalar:
        here = south * q[i, j] + north * q[i, j_north]
        beyond = south * q[i_east, j] + north * q[i_east, j_north]
        return west * here + east * beyond

    return tuple(between(q) for q in fields)


def _between(x: Scalar, n: int, edges: Edges) -> list[tuple[Index, Scalar]]:
    """The two cells that x lies between, and their weights."""
    if edges != "periodic":  # what is far beyond the edge is as what is just beyond
        first, last = (0.0, n - 1.0) if edges == "wall" else (-1.0, float(n))
        x = ra.where(x == x, ra.clip(x, first, last), x)  # clip alone would make NaN a number
    low = ra.floor(x)
    i, share = ra.to_int(low), x - low
    pair = [(i, 1 - share), (i + 1, share)]
    if edges == "zero":
        pair = [(k, ra.where((k >= 0) & (k < n), w, 0.0 * w)) for k, w in pair]
    return [(cell(k, n, edges), w) for k, w in pair]


@checked
def advection_limit(u: GridField, w: GridField, field: str, advice: str) -> Limit:
    """Where what a step carries comes from the grid's near half: a speed of half the grid a step at most.

    From farther off the other way round is as near, or there is nothing but the wall.
    """
    speed = ra.maximum(ra.max(ra.abs(ra.array(u))), ra.max(ra.abs(ra.array(w))))
    half = 0.5 * min(u.shape)
    return Limit("half the grid", speed, half, field, "the fastest wind, in cells a step,", advice)


@checked
def advect(
    fields: tuple[GridField, ...], u: GridField, w: GridField, edges: Edges = "periodic"
) -> tuple[GridField, ...]:
    """Fields (n, m) carried for a step by the velocity (u, w), in cells a step along the axes."""
    u, w, fields = ra.array(u), ra.array(w), tuple(map(ra.array, fields))
    return each_cell(u.shape, lambda i, j: bilinear(fields, i - u[i, j], j - w[i, j], edges))
