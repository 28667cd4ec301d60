r"""The force of fixed charges on a free one, by Coulomb's law in three dimensions.

    F = K Σ_i g_i r_i / ℓ_i³,      r_i = x - s_i,      ℓ_i = max(|r_i|, r_0)

Within r_0 of a source the force grows from zero with the distance, as inside a ball of even charge. Charges of
one sign repel.

Source: the electric job of DiffTaichi (Hu et al., ICLR 2020).
"""

from __future__ import annotations

import numpy as np

import rose_ad as ra

from ..checked import checked
from ..quantities import Index, OneEach, PlaneVector, PlaneVectors, Positive, Scalar


@checked
def coulomb_fastest(strength: Scalar, nearest: Positive) -> Scalar:
    """The frequency (rad/s) that a step has to follow among charges of 1 at most: ω² = 2 K / r_0³
    is the slope of the force at the distance r_0 from one."""
    return ra.sqrt(2 * ra.abs(strength) / nearest**3)


@checked
def coulomb_force(
    x: PlaneVector, sources: PlaneVectors, charges: OneEach, strength: Scalar, nearest: Positive
) -> PlaneVector:
    """The force (2,) at the point x (2,) of n sources (n, 2) with charges (n,)."""
    x, sources, charges = ra.array(x), ra.array(sources), ra.array(charges)

    def push(i: Index, force: PlaneVector) -> PlaneVector:
        apart = x - sources[i]
        distance = ra.maximum(ra.norm(apart), nearest)
        return force + strength * charges[i] / distance**3 * apart

    return ra.fori_loop(0, len(sources), push, np.zeros(2))
