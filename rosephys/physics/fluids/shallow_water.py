r"""Shallow water over a bed: the height of the water and the momentum of each column.

    h_t + p_x + q_y = 0
    p_t + (p²/h + g h²/2)_x + (p q/h)_y = -g h z_x          q likewise

with the depth h in m, the momentum (p, q) = h (u, v) in m²/s, the bed z in m, and gravity g in m/s². Finite
volumes, explicit Euler. At the face of two cells the bed is the higher of both, their depths those above it:

    z* = max(z_l, z_r),    h* = max(h + z - z*, 0)

so water at rest stays at rest, also round islands (Audusse et al.). Across the face flow, by the rule of
Harten, Lax and van Leer with the speeds of Davis, s_l = min(u_l - c_l, u_r - c_r, 0) and s_r likewise,

    F = (s_r F_l - s_l F_r + s_l s_r (U_r - U_l)) / (s_r - s_l),    c = sqrt(g h*);

momentum along the face goes with the water that crosses it. The scheme is of first order. It keeps the mass to
rounding and every depth from below zero as long as (|u| + c) dt / width stays under ½ (in one dimension, or ¼).

Sources: Audusse, Bouchut, Bristeau, Klein, Perthame, SIAM J. Sci. Comput. 25, 2004; Harten, Lax, van Leer, SIAM
Review 25, 1983.
"""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

import rose_ad as ra
from rosephys.limit import Limit

from ..checked import checked
from ..fields.grid import GridField, cell, each_cell
from ..quantities import FROM_0, Array, Axes, Index, NotNegative, Positive, Quantity, Scalar

DRY = 1e-9  # m; shallower water counts as still

Depths: TypeAlias = Annotated[Array, Axes("n", "m"), FROM_0]
Column: TypeAlias = tuple[Scalar, Scalar, Scalar, Scalar]
"""The depth of a column, its momentum across a face and along it, and its bed."""


@checked
def velocity(depth: Quantity, momentum: Quantity) -> Quantity:
    """The velocity of a column, which comes to rest as it dries."""
    return momentum / ra.maximum(depth, DRY)


@checked
def shallow_water_limit(
    depth: Depths,
    p: GridField,
    q: GridField,
    dt: Positive,
    width: Positive,
    gravity: NotNegative = 9.81,
) -> Limit:
    """Where a step keeps every depth from below zero: a wave crosses no more than a quarter of a cell."""
    depth = ra.array(depth)
    speed = ra.maximum(ra.abs(velocity(depth, p)), ra.abs(velocity(depth, q)))
    fastest = ra.max(speed + ra.sqrt(gravity * ra.maximum(depth, DRY)))
    name = "the CFL limit of waves at {} m/s on cells of {} m"
    return Limit(name, dt, 0.25 * width / fastest, numbers=[fastest, width])


@checked
def face_flow(
    left: Column, right: Column, gravity: NotNegative
) -> tuple[Scalar, Scalar, Scalar, Scalar]:
    """What flows through the face of two cells, a column on either side.

    They are the mass, the momentum across less the left cell's own pressure, the same less the right one's, and
    the momentum along. A cell's own pressure pushes both of its faces and cancels.
    """
    (hl, pl, ql, zl), (hr, pr, qr, zr) = left, right
    ul, vl, ur, vr = velocity(hl, pl), velocity(hl, ql), velocity(hr, pr), velocity(hr, qr)
    bed = ra.maximum(zl, zr)
    hl, hr = ra.maximum(hl + zl - bed, 0.0), ra.maximum(hr + zr - bed, 0.0)
    cl, cr = (ra.sqrt(gravity * ra.maximum(h, DRY)) for h in (hl, hr))
    sl = ra.minimum(ra.minimum(ul - cl, ur - cr), 0.0)
    sr = ra.maximum(ra.maximum(ul + cl, ur + cr), 0.0)

    def across(of_left: Scalar, of_right: Scalar, jump: Scalar) -> Scalar:
        return (sr * of_left - sl * of_right + sl * sr * jump) / (sr - sl)

    push_l, push_r = 0.5 * gravity * hl * hl, 0.5 * gravity * hr * hr
    mass = across(hl * ul, hr * ur, hr - hl)
    momentum = across(hl * ul * ul + push_l, hr * ur * ur + push_r, hr * ur - hl * ul)
    along = mass * ra.where(mass > 0, vl, vr)
    return mass, momentum - push_l, momentum - push_r, along


@checked
def shallow_water_step(
    depth: Depths,
    p: GridField,
    q: GridField,
    bed: GridField,
    dt: Positive,
    width: Positive,
    gravity: NotNegative = 9.81,
    edges: Literal["wall", "periodic"] = "wall",
) -> tuple[GridField, GridField, GridField]:
    """The depth and the momentum, fields (n, m), a step later, on square cells of that width.

    Edges are `wall`, which reflects, or `periodic`.
    """
    h, p, q, z = map(ra.array, (depth, p, q, bed))
    n, m = h.shape

    def mirrored(i: Index, count: int) -> Scalar:
        """-1 beyond a wall, where the water moves the other way."""
        return 1.0 if edges == "periodic" else ra.where((i < 0) | (i == count), -1.0, 1.0)

    def east_of(i: Index, j: Index) -> Column:
        k = cell(i, n, edges)
        return h[k, j], mirrored(i, n) * p[k, j], q[k, j], z[k, j]

    def north_of(i: Index, j: Index) -> Column:
        k = cell(j, m, edges)
        return h[i, k], mirrored(j, m) * q[i, k], p[i, k], z[i, k]

    x = each_cell((n + 1, m), lambda i, j: face_flow(east_of(i - 1, j), east_of(i, j), gravity))
    y = each_cell((n, m + 1), lambda i, j: face_flow(north_of(i, j - 1), north_of(i, j), gravity))
    share = dt / width

    def at(i: Index, j: Index) -> tuple[Scalar, Scalar, Scalar]:
        mass = x[0][i + 1, j] - x[0][i, j] + y[0][i, j + 1] - y[0][i, j]
        push_x = x[1][i + 1, j] - x[2][i, j] + y[3][i, j + 1] - y[3][i, j]
        push_y = x[3][i + 1, j] - x[3][i, j] + y[1][i, j + 1] - y[2][i, j]
        return h[i, j] - share * mass, p[i, j] - share * push_x, q[i, j] - share * push_y

    return each_cell((n, m), at)
