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

from typing import Annotated, TypeAlias

import rose_ad as ra
from rosephys.limit import Limit

from ..checked import checked
from ..quantities import Array, Axes, Between, NotNegative, Positive, Scalar, Truth
from .grid import GridField, each_cell

Shares: TypeAlias = Annotated[Array, Axes("n", "m"), Between(0.0, 1.0), Truth(only=False)]
"""(n, m), of each cell."""


@checked
def risen(
    w: GridField, smoke: GridField, lift: Scalar, drag: NotNegative, dt: Positive
) -> GridField:
    """The velocity (n, m) along the second axis after a step under buoyancy."""
    w, smoke = ra.array(w), ra.array(smoke)
    return each_cell(w.shape, lambda i, j: w[i, j] + dt * (lift * smoke[i, j] - drag * w[i, j]))


@checked
def drag_limit(drag: NotNegative) -> Limit:
    """Where a drag slows and does not turn the flow back: γ dt of 1 at most."""
    return Limit("all of the speed", drag, 1.0, "drag", "the share of the speed that a step takes,")


@checked
def held(u: GridField, w: GridField, solid: Shares) -> tuple[GridField, GridField]:
    """The velocity with what is in solid cells held still; `solid` (n, m) is the share of each cell, 0 .. 1."""
    u, w, solid = ra.array(u), ra.array(w), ra.array(solid)
    return each_cell(
        u.shape, lambda i, j: ((1 - solid[i, j]) * u[i, j], (1 - solid[i, j]) * w[i, j])
    )
