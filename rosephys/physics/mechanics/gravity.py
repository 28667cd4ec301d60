r"""Newtonian gravity between n points, with G = 1.

    x_i'' = Σ_j m_j (x_j - x_i) / |x_j - x_i|³

Two points in one place have no direction to pull each other in, and no energy that is a number: they are left
out of each other's sums, and of the derivative.

Source: Newton, *Principia*, 1687.
"""

from __future__ import annotations

from typing import Annotated, TypeAlias

import rose_ad as ra

from ..checked import checked
from ..quantities import FROM_0, Array, Axes, PlaneVectors, Scalar

Masses: TypeAlias = Annotated[Array, Axes("n"), FROM_0]


@checked
def gravity_acceleration(x: PlaneVectors, mass: Masses) -> PlaneVectors:
    """Accelerations (n, 2) of points at x (n, 2) with masses (n,)."""
    n = x.shape[0]
    pull = ra.accum((n, 2))
    x, mass = ra.array(x), ra.array(mass)
    for i in ra.range(n):
        for j in ra.range(i + 1, n):
            apart = x[j] - x[i]
            square = ra.dot(apart, apart)
            with ra.when(square > 0):
                force = apart / (square * ra.sqrt(square))
                pull[i] += mass[j] * force
                pull[j] -= mass[i] * force
    return pull.freeze()


@checked
def gravity_fastest(x: PlaneVectors, mass: Masses) -> Scalar:
    """The frequency (rad/s) that a step has to follow: of the pair i, j at the distance r whose
    ω² = 2 (m_i + m_j) / r³, the slope of its pull, is the largest."""
    n = x.shape[0]
    x, mass = ra.array(x), ra.array(mass)
    square: Scalar = 0.0
    for i in range(n):
        for j in range(i + 1, n):
            distance = ra.maximum(ra.norm(x[j] - x[i]), 1e-100)
            square = ra.maximum(square, 2 * (mass[i] + mass[j]) / distance**3)
    return ra.sqrt(square)


@checked
def gravity_energy(x: PlaneVectors, v: PlaneVectors, mass: Masses) -> Scalar:
    """Kinetic and potential energy of the same points."""
    n = x.shape[0]
    energy = ra.accum()
    x, v, mass = ra.array(x), ra.array(v), ra.array(mass)
    for i in ra.range(n):
        energy += 0.5 * mass[i] * ra.dot(v[i], v[i])
        for j in ra.range(i + 1, n):
            distance = ra.norm(x[j] - x[i])
            with ra.when(distance > 0):
                energy -= mass[i] * mass[j] / distance
    return energy.freeze()
