r"""Smoothed particle hydrodynamics: a liquid as n points of equal mass that keep each other apart.

    ρ_i = m Σ_j W(|x_i - x_j|)                                                            the density
    p_i = c² (ρ_i - ρ0)                                                                   the pressure
    x_i'' = -m Σ_j (p_i/ρ_i² + p_j/ρ_j² + Π_ij) ∇W(x_i - x_j) + g                         the motion
    Π_ij = -α h c min(v_ij·x_ij, 0) / (ρ0 (x_ij² + 0.01 h²))                              viscosity of approach

with the cubic spline W of radius 2 h in two dimensions; lengths in m, the mass in kg, densities in kg/m². The
liquid is slightly compressible: the speed of sound c is some ten times that of the flow. Every pair pushes
with opposite forces along the line between them, so momentum and angular momentum are kept to rounding.

Source: Monaghan, Rep. Prog. Phys. 68, 2005.
"""

from __future__ import annotations

import math

import rose_ad as ra

from ..quantities import Array, Scalar, Vectors


def kernel(q: Scalar, reach: Scalar) -> Scalar:
    """The cubic spline at a distance of q times h, `reach` = h."""
    near, far = ra.maximum(1 - q, 0.0), ra.maximum(2 - q, 0.0)
    return 10 / (7 * math.pi * reach**2) * (0.25 * far**3 - near**3)


def kernel_slope(q: Scalar, reach: Scalar) -> Scalar:
    """Its derivative by the distance."""
    near, far = ra.maximum(1 - q, 0.0), ra.maximum(2 - q, 0.0)
    return 10 / (7 * math.pi * reach**3) * (3 * near**2 - 0.75 * far**2)


def densities(x: Vectors, mass: Scalar, reach: Scalar) -> Array:
    """The density (n,) at points x (n, 2)."""
    x = ra.array(x)
    n = x.shape[0]
    density = ra.accum(n)
    for i in ra.range(n):
        density[i] += mass * kernel(0.0, reach)
        for j in ra.range(i + 1, n):
            apart = x[i] - x[j]
            square = ra.dot(apart, apart)
            with ra.when(square < 4 * reach**2):
                share = mass * kernel(ra.sqrt(square) / reach, reach)
                density[i] += share
                density[j] += share
    return density.freeze()


def sph_acceleration(
    x: Vectors,
    v: Vectors,
    mass: Scalar,
    reach: Scalar,
    rest: Scalar,
    sound: Scalar,
    viscosity: Scalar,
) -> Vectors:
    """The acceleration (n, 2) of points x with velocities v; `rest` is ρ0 and `viscosity` α."""
    x, v = ra.array(x), ra.array(v)
    n = x.shape[0]
    density = densities(x, mass, reach)
    push = sound**2 * (density - rest) / density**2
    force = ra.accum((n, 2))
    for i in ra.range(n):
        for j in ra.range(i + 1, n):
            apart = x[i] - x[j]
            square = ra.dot(apart, apart)
            with ra.when(square < 4 * reach**2):
                distance = ra.sqrt(square)
                nearing = ra.minimum(ra.dot(v[i] - v[j], apart), 0.0)
                drag = -viscosity * reach * sound * nearing / (rest * (square + 0.01 * reach**2))
                slope = kernel_slope(distance / reach, reach)
                pull = mass * (push[i] + push[j] + drag) * slope / distance * apart
                force[i] -= pull
                force[j] += pull
    return force.freeze()
