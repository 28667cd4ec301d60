r"""Semi-Lagrangian advection of fields by a velocity (u, w), in cells a step.

    q'(i, j) = q(i - u_ij, j - w_ij)

where q between cells is bilinear. A step is stable for any velocity; it is of first order in time and smooths
what it carries. The derivative goes through the weights: the cells that a point lies between are taken as fixed,
which is exact but where it lies on the line between two.

Source: Stam, *Stable fluids*, SIGGRAPH 1999.
"""

from __future__ import annotations

from typing import Any

import rose_ad as ra

from .grid import Edges, cell, each_cell


def bilinear(fields: tuple[Any, ...], x: Any, y: Any, edges: Edges = "periodic") -> tuple[Any, ...]:
    """What fields (n, m) are at the point (x, y), in cells."""
    n, m = fields[0].shape
    left, low = ra.floor(x), ra.floor(y)
    fx, fy = x - left, y - low
    i, j = ra.to_int(left), ra.to_int(low)
    i0, i1 = cell(i, n, edges), cell(i + 1, n, edges)
    j0, j1 = cell(j, m, edges), cell(j + 1, m, edges)

    def between(q: Any) -> Any:
        return (1 - fx) * ((1 - fy) * q[i0, j0] + fy * q[i0, j1]) + fx * (
            (1 - fy) * q[i1, j0] + fy * q[i1, j1]
        )

    return tuple(between(q) for q in fields)


def advect(
    fields: tuple[Any, ...], u: Any, w: Any, edges: Edges = "periodic"
) -> tuple[Any, ...]:
    """Fields (n, m) carried for a step by the velocity (u, w), in cells a step along the axes."""
    return each_cell(
        u.shape, lambda i, j: bilinear(fields, i - u[i, j], j - w[i, j], edges)
    )
