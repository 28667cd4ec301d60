r"""Sand: elastic grains, which slide where friction no longer holds them and cannot be pulled.

Particles keep the elastic part of their deformation gradient F, and how far they have come apart. The Hencky
strain ½ log(F Fᵀ) has the trace θ and the deviator e; p = κ min(θ, 0), with κ = λ + 2μ/d, is not positive, and

    ψ = μ |e|² + ½ κ min(θ, 0)²,    τ = 2μ e + p I.

Friction holds |dev τ| ≤ -α tr τ, a cone (Drucker, Prager). What is beyond it flows, at the same volume: kept is

    e min(1, -α d p / (2μ |e|)),    θ.

So of sand that has come apart, θ > 0, only the volume is kept, and it bears nothing until it is as dense again.
With an angle of friction φ it is the cone of Mohr and Coulomb, |τ_1 - τ_2| ≤ -(τ_1 + τ_2) sin φ, in the plane,
and in space where sand is pressed along one axis:

    α = sin φ / √2   (d = 2),      α = √(2/3) · 2 sin φ / (3 - sin φ)   (d = 3).

Sources: Klar et al., *Drucker-Prager elastoplasticity for sand animation*, SIGGRAPH 2016, who forget θ > 0, so
that sand swells as it is stirred; Tampubolon et al., *Multi-species simulation of porous sand and water
mixtures*, SIGGRAPH 2017, who remember it.
"""

from __future__ import annotations

import math
from typing import Annotated

import numpy as np

import rose_ad as ra

from ..checked import checked
from ..quantities import Between, Matrix, NotNegative, Positive, Scalar
from . import symmetric

TINY = 1e-30  # added to |e|², so that its root has a derivative


@checked
def friction_cone(
    angle: Annotated[Scalar, Between(0.0, 90.0)], d: Annotated[int, Between(2, 3)]
) -> Scalar:
    """α for an angle of friction in degrees, in d dimensions."""
    sine = ra.sin(math.pi / 180 * angle)
    if d == 2:
        return sine / math.sqrt(2)
    return math.sqrt(2 / 3) * 2 * sine / (3 - sine)


@checked
def sand(f: Matrix, mu: Positive, lam: NotNegative, cone: NotNegative) -> tuple[Matrix, Matrix]:
    """What sand keeps of a deformation gradient (d, d), and τ (d, d), of Lamé's parameters and α.

    det F must be positive. The kept gradient is F, unless the sand slides.
    """
    d = len(f)
    theta, shear = hencky(f)
    pressed = (lam + 2 * mu / d) * ra.minimum(theta, 0.0)
    held = -cone * d * pressed / (2 * mu)
    kept = ra.minimum(held / ra.sqrt(ra.sum(shear * shear) + TINY), 1.0) * shear
    return symmetric.exp(kept - shear) @ f, 2 * mu * kept + pressed * np.eye(d)


@checked
def sand_energy(f: Matrix, mu: Positive, lam: NotNegative) -> Scalar:
    """ψ of a kept deformation gradient (d, d)."""
    theta, shear = hencky(f)
    return mu * ra.sum(shear * shear) + 0.5 * (lam + 2 * mu / len(f)) * ra.minimum(theta, 0.0) ** 2


@checked
def hencky(f: Matrix) -> tuple[Scalar, Matrix]:
    """The trace and the deviator (d, d) of the Hencky strain of F (d, d)."""
    strain = 0.5 * symmetric.log(f @ f.T)
    theta = ra.trace(strain)
    return theta, strain - theta / len(f) * np.eye(len(f))
