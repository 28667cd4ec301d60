r"""What drives smoke: buoyancy; and what stands in its way: obstacles.

In a step dt the velocity (u, w) changes by

    w' = w + dt (β s - γ w)              hot smoke s rises along the second axis, the air around it drags
    (u', w') = (1 - c) (u', w')          where a share c of a cell is solid, the flow stands still

Setting the velocity to zero in solid cells before the pressure is found, which then flows round them, is the
penalty method in its limit: of first order in the cells' width at the boundary.

Sources: Fedkiw, Stam, Jensen, *Visual simulation of smoke*, SIGGRAPH 2001; Angot, Bruneau, Fabrie, Numer. Math.
81, 1999.
"""

from __future__ import annotations

import rose_ad as ra
from rosephys.limit import Limit

from ..quantities import Scalar
from .grid import GridField, each_cell


def risen(w: GridField, smoke: GridField, lift: Scalar, drag: Scalar, dt: Scalar) -> GridField:
    """The velocity (n, m) along the second axis after a step under buoyancy."""
    w, smoke = ra.array(w), ra.array(smoke)
    return each_cell(w.shape, lambda i, j: w[i, j] + dt * (lift * smoke[i, j] - drag * w[i, j]))


def drag_limit(drag: Scalar) -> Limit:
    """Where a drag slows and does not turn the flow back: γ dt of 1 at most."""
    return Limit("all of the speed", drag, 1.0, "drag", "the share of the speed that a step takes,")


def held(u: GridField, w: GridField, solid: GridField) -> tuple[GridField, GridField]:
    """The velocity with what is in solid cells held still; `solid` (n, m) is the share of each cell, 0 .. 1."""
    u, w, solid = ra.array(u), ra.array(w), ra.array(solid)
    return each_cell(
        u.shape, lambda i, j: ((1 - solid[i, j]) * u[i, j], (1 - solid[i, j]) * w[i, j])
    )
