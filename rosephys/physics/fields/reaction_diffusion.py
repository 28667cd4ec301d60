r"""Diffusion, and the reaction of Gray and Scott, on a grid of cells, by explicit Euler.

    heat              a_t = D lap a
    Gray and Scott    u_t = D_u lap u - u v² + F (1 - u),      v_t = D_v lap v + u v² - (F + k) v

with the five-point Laplacian, D in squares of cells and rates in a unit of time. A step dt is stable for D dt
up to 1/4. A wave cos(k x) on a periodic grid shrinks in a step by exactly

    1 - D dt (2 - 2 cos k)        which for small k and dt is exp(-D k² dt).

Sources: Gray, Scott, Chem. Eng. Sci. 39, 1984; Pearson, *Complex patterns in a simple system*, Science 261,
1993.
"""

from __future__ import annotations

import math

import rose_ad as ra
from rosephys.limit import Limit

from ..checked import checked
from ..quantities import Index, NotNegative, Positive, Scalar
from .grid import Edges, GridField, each_cell, laplacian


@checked
def heat_limit(diffusivity: NotNegative, dt: Positive) -> Limit:
    """Where a step is stable; where the diffusivity is below 0 none is, and the bound is 0."""
    rate = ra.where(diffusivity < 0, math.inf, ra.maximum(diffusivity, 1e-300))
    bound = 0.25 / rate
    return Limit("what diffusion of {} cells² a second allows", dt, bound, numbers=[diffusivity])


@checked
def gray_scott_limit(
    v: GridField,
    feed: GridField,
    kill: NotNegative,
    dt: Positive,
    diffusivities: tuple[NotNegative, NotNegative] = (0.16, 0.08),
) -> Limit:
    """Where a step is stable: nothing is to be shrunk by more than twice itself."""
    of_u, of_v = diffusivities
    u_rate = 8 * of_u + ra.max(feed) + ra.max(ra.array(v) ** 2)
    rate = ra.maximum(u_rate, 8 * of_v + ra.max(feed) + kill)
    return Limit("that of explicit Euler", dt * rate, 2.0, "feed", "the fastest rate times dt,")


@checked
def heat_step(
    a: GridField, diffusivity: NotNegative, dt: Positive, edges: Edges = "periodic"
) -> GridField:
    """A field (n, m) a time dt later."""
    a = ra.array(a)
    return each_cell(a.shape, lambda i, j: a[i, j] + dt * diffusivity * laplacian(a, i, j, edges))


@checked
def gray_scott_step(
    u: GridField,
    v: GridField,
    feed: GridField,
    kill: NotNegative,
    dt: Positive,
    diffusivities: tuple[NotNegative, NotNegative] = (0.16, 0.08),
    edges: Edges = "periodic",
) -> tuple[GridField, GridField]:
    """The concentrations (n, m) of food and of what eats it a time dt later; `feed` (n, m) is F, `kill` k."""
    of_u, of_v = diffusivities
    u, v, feed = map(ra.array, (u, v, feed))

    def at(i: Index, j: Index) -> tuple[Scalar, Scalar]:
        eaten, supply = u[i, j] * v[i, j] ** 2, feed[i, j]
        u_rate = of_u * laplacian(u, i, j, edges) - eaten + supply * (1 - u[i, j])
        v_rate = of_v * laplacian(v, i, j, edges) + eaten - (supply + kill) * v[i, j]
        return u[i, j] + dt * u_rate, v[i, j] + dt * v_rate

    return each_cell(u.shape, at)
