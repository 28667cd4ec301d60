r"""Waves of a stretched skin, or the surface of deep calm water, between fixed edges.

    p_tt = c² lap p + α c lap p_t

on cells of width h, with the five-point Laplacian and p = 0 beyond the edge, by the leapfrog rule

    p' = 2 p - p_before + (r² + r a) L p - r a L p_before,      L p = the four neighbours - 4 p

with the Courant number r = c dt / h, and a = α / h, which damps short waves most. The rule is stable for
r² + 2 r a up to ½. Without damping it is of second order in time and space, and goes as well backwards in time.

Source: Hu et al., DiffTaichi, ICLR 2020 (after Wang et al., SIGGRAPH 2018).
"""

from __future__ import annotations

import rose_ad as ra
from rosephys.limit import Limit

from ..checked import checked
from ..quantities import Index, NotNegative, Scalar
from .grid import GridField, each_cell, laplacian


@checked
def wave_limit(courant: NotNegative, damping: NotNegative = 0.0) -> Limit:
    """Where the rule is stable."""
    number = courant**2 + 2 * courant * damping
    return Limit(
        "that of the leapfrog rule", number, 0.5 + 1e-12, "courant", "r² + 2 r a, with r = courant,"
    )


@checked
def wave_step(
    before: GridField, now: GridField, courant: NotNegative, damping: NotNegative = 0.0
) -> GridField:
    """The height (n, m) a step after `now`, which is one after `before`."""
    viscous = courant * damping
    before, now = ra.array(before), ra.array(now)

    def at(i: Index, j: Index) -> Scalar:
        bend, bent = laplacian(now, i, j, "zero"), laplacian(before, i, j, "zero")
        return 2 * now[i, j] - before[i, j] + (courant**2 + viscous) * bend - viscous * bent

    return each_cell(now.shape, at)
