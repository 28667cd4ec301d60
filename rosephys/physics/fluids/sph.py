r"""Smoothed particle hydrodynamics: a liquid as n points of equal mass that keep each other apart.

    p_i = c² (ρ_i - ρ0)                                                                    the pressure
    x_i'' = -m Σ_j (P_i + P_j + R_ij + Π_ij) ∇W(x_ij) + g,        P_i = p_i / ρ_i²          the motion
    R_ij = ε (|P_i| + |P_j|) (W(x_ij) / W(Δ))⁴                                             the repulsion
    Π_ij = -α h c min(v_ij·x_ij, 0) / (ρ0 (x_ij² + 0.01 h²))                               viscosity of approach
    ρ_i' = m Σ_j (v_ij·∇W - 2 δ h c (ρ_j - ρ_i + ρ0 g·x_ij/c²) F_ij / ρ0)                  the density

with x_ij = x_i - x_j, and Wendland's kernel W(x) = 7/(4π h²) (1 - q/2)⁴ (1 + 2q), q = |x|/h, of radius 2 h in
two dimensions, ∇W = F x. Lengths are in m, the mass in kg, densities in kg/m²; Δ = √(m/ρ0) is how far apart
the points are at rest. The liquid is slightly compressible: the speed of sound c is some ten times that of the
flow. Every pair pushes with opposite forces along the line between them and trades density, so momentum and
angular momentum are kept to rounding.

Three things keep the points apart. The density follows the motion and is not summed from the points near by, of
which there are too few at a surface: so no tension draws the surface together. In Wendland's kernel, whose
Fourier transform is positive, points do not pair. And what is nearer than Δ is pushed apart by R, more steeply
than tension pulls. The diffusion of density by δ takes its noise, and leaves that gradient which bears the
weight of water at rest. Derivatives have a kink where the pressure is zero (R) and where two points turn from
each other (Π).

Points in one place push each other nowhere, and the derivative there is that of their linear push.

Sources: Monaghan, Rep. Prog. Phys. 68, 2005 (the motion, the density); J. Comput. Phys. 159, 2000 (R); Dehnen,
Aly, Mon. Not. R. Astron. Soc. 425, 2012 (the kernel); Antuono, Colagrossi, Marrone, Molteni, Comput. Phys.
Commun. 181, 2010 (δ); Fourtakas, Dominguez, Vacondio, Rogers, Comput. Fluids 190, 2019 (water at rest).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, TypeAlias

import rose_ad as ra
from rosephys.limit import Limit

from ..checked import checked
from ..quantities import (
    ABOVE_0,
    Array,
    Axes,
    Index,
    NotNegative,
    PlaneVector,
    PlaneVectors,
    Positive,
    Scalar,
    Vector,
)

Densities: TypeAlias = Annotated[Array, Axes("n"), ABOVE_0]

REPULSION = 0.5  # ε
DIFFUSION = 0.1  # δ


@checked
@dataclass(frozen=True)
class Liquid:
    """The mass of a point in kg; h in m; ρ0 in kg/m²; c in m/s; and α."""

    mass: Positive
    reach: Positive
    rest: Positive
    sound: Positive
    viscosity: NotNegative


@checked
def kernel(q: NotNegative, reach: Positive) -> Scalar:
    """W at a distance of q times h, `reach` = h."""
    return 7 / (4 * math.pi * reach**2) * ra.maximum(1 - 0.5 * q, 0.0) ** 4 * (1 + 2 * q)


@checked
def kernel_slope(q: NotNegative, reach: Positive) -> Scalar:
    """F: its derivative by the distance, over the distance, which is finite at 0."""
    return -35 / (4 * math.pi * reach**4) * ra.maximum(1 - 0.5 * q, 0.0) ** 3


@checked
def sph_limits(liquid: Liquid, density: Densities, dt: Positive) -> tuple[Limit, Limit]:
    """Where a step is stable, by twice what Monaghan advises and half of what is measured; and where the liquid
    is hardly compressed."""
    carried = liquid.reach / (liquid.sound * (1 + 0.6 * liquid.viscosity))
    name = "the CFL limit of sound at {} m/s through points of reach {} m"
    change = ra.max(ra.abs(ra.array(density) / liquid.rest - 1))
    return (
        Limit(name, dt, 0.8 * carried, numbers=[liquid.sound, liquid.reach]),
        Limit(
            "what a slightly compressible liquid can have",
            change,
            0.1,
            "sound",
            "the change of the density, as a share,",
            "a larger speed of sound is needed",
        ),
    )


@checked
def sph_acceleration(
    liquid: Liquid, x: PlaneVectors, v: PlaneVectors, density: Densities
) -> PlaneVectors:
    """The acceleration (n, 2) of points x with velocities v (n, 2) and densities (n,), without gravity's."""
    x, v, density = ra.array(x), ra.array(v), ra.array(density)
    reach, sound, rest = liquid.reach, liquid.sound, liquid.rest
    push = sound**2 * (density - rest) / density**2
    apart_at_rest = kernel(ra.sqrt(liquid.mass / rest) / reach, reach)
    force = ra.accum(x.shape)

    def meet(i: Index, j: Index, apart: Vector, square: Scalar, q: Scalar) -> None:
        nearing = ra.minimum(ra.dot(v[i] - v[j], apart), 0.0)
        drag = -liquid.viscosity * reach * sound * nearing / (rest * (square + 0.01 * reach**2))
        near = (kernel(q, reach) / apart_at_rest) ** 4
        both = push[i] + push[j] + REPULSION * near * (ra.abs(push[i]) + ra.abs(push[j])) + drag
        pull = liquid.mass * both * kernel_slope(q, reach) * apart
        force[i] -= pull
        force[j] += pull

    _each_pair(x, reach, meet)
    return force.freeze()


@checked
def density_rate(
    liquid: Liquid, x: PlaneVectors, v: PlaneVectors, density: Densities, gravity: PlaneVector
) -> Array:
    """The rate (n,) of the densities; `gravity` (2,) is the acceleration that water at rest would bear.

    With the velocity after a step's push, and the positions before it moves, a step is symplectic Euler.
    """
    x, v, density = ra.array(x), ra.array(v), ra.array(density)
    rest, sound = liquid.rest, liquid.sound
    spread = 2 * DIFFUSION * liquid.reach * sound / rest
    weight = rest / sound**2 * ra.array(gravity)
    rate = ra.accum(x.shape[0])

    def meet(i: Index, j: Index, apart: Vector, square: Scalar, q: Scalar) -> None:
        slope = liquid.mass * kernel_slope(q, liquid.reach)
        closing = ra.dot(v[i] - v[j], apart) * slope
        traded = spread * (density[i] - density[j] - ra.dot(weight, apart)) * slope
        rate[i] += closing + traded
        rate[j] += closing - traded

    _each_pair(x, liquid.reach, meet)
    return rate.freeze()


def _each_pair(
    x: Array, reach: Scalar, meet: Callable[[Index, Index, Vector, Scalar, Scalar], None]
) -> None:
    """Call `meet` with i, j, x_ij, its square and q for all pairs within reach."""
    n = x.shape[0]
    for i in ra.range(n):
        for j in ra.range(i + 1, n):
            apart = x[i] - x[j]
            square = ra.dot(apart, apart)
            with ra.when(square < 4 * reach**2):
                meet(i, j, apart, square, ra.norm(apart) / reach)
