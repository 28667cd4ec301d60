r"""Semi-Lagrangian advection of fields by a velocity (u, w), in cells a step.

    q'(i, j) = q(i - u_ij, j - w_ij)

where q between cells is bilinear. A step is stable for any velocity; it is of first order in time and smooths
what it carries. The derivative goes through the weights: the cells that a point lies between are taken as
fixed, which is exact but where it lies on the line between two.

Source: Stam, *Stable fluids*, SIGGRAPH 1999.
"""

from __future__ import annotations

import rose_ad as ra

from ..quantities import Index, Scalar
from .grid import Edges, GridField, cell, each_cell


def bilinear(
    fields: tuple[GridField, ...], x: Scalar, y: Scalar, edges: Edges = "periodic"
) -> tuple[Scalar, ...]:
    """What fields (n, m) are at the point (x, y), in cells."""
    n, m = fields[0].shape
    (i, east, fx), (j, north, fy) = _between(x, n, edges), _between(y, m, edges)

    def between(q: GridField) -> Scalar:
        here = (1 - fy) * q[i, j] + fy * q[i, north]
        beyond = (1 - fy) * q[east, j] + fy * q[east, north]
        return (1 - fx) * here + fx * beyond

    return tuple(between(q) for q in fields)


def _between(x: Scalar, n: int, edges: Edges) -> tuple[Index, Index, Scalar]:
    """The cells that x lies between, and how far it is on its way from the one to the other."""
    if edges == "wall":
        x = ra.clip(x, 0.0, n - 1.0)
    low = ra.floor(x)
    i = cell(ra.to_int(low), n, edges)
    return i, cell(i + 1, n, edges), x - low


def advect(
    fields: tuple[GridField, ...], u: GridField, w: GridField, edges: Edges = "periodic"
) -> tuple[GridField, ...]:
    """Fields (n, m) carried for a step by the velocity (u, w), in cells a step along the axes."""
    u, w, fields = ra.array(u), ra.array(w), tuple(map(ra.array, fields))
    return each_cell(u.shape, lambda i, j: bilinear(fields, i - u[i, j], j - w[i, j], edges))
