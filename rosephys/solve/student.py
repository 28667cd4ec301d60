"""Student's t: how wide an interval is where the variance is estimated from few numbers.

With t = √ν tan θ the density is that of cosᵛ⁻¹ θ, a smooth function of θ between -π/2 and π/2.

Source: Student, Biometrika 6, 1908; Abramowitz and Stegun 26.7.
"""

from __future__ import annotations

import math
from functools import cache
from statistics import NormalDist

import numpy as np

NODES = 64  # of Gauss and Legendre, on either side
LARGE = 10_000  # degrees of freedom, from which on it is a normal distribution to 1e-4 of its width


@cache
def student_quantile(probability: float, freedom: int) -> float:
    """The t below which a variable of `freedom` >= 1 degrees lies with this probability, 0 < p < 1."""
    if freedom > LARGE:
        z = NormalDist().inv_cdf(probability)
        return z + (z**3 + z) / (4 * freedom)
    if probability < 0.5:
        return -student_quantile(1 - probability, freedom)
    low, high = 0.0, math.pi / 2
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if _below(middle, freedom) < probability else (low, middle)
    return math.sqrt(freedom) * math.tan((low + high) / 2)


def _below(angle: float, freedom: int) -> float:
    """The probability of an angle below this one, 0 to π/2."""
    log = math.lgamma((freedom + 1) / 2) - math.lgamma(freedom / 2) - 0.5 * math.log(math.pi)
    places, weights = np.polynomial.legendre.leggauss(NODES)
    pieces = math.ceil(math.sqrt(freedom) / 4)  # the density is as narrow as that
    width = angle / pieces
    thetas = width * ((places + 1) / 2 + np.arange(pieces)[:, None])
    return (
        0.5 + math.exp(log) * float(np.sum(weights * np.cos(thetas) ** (freedom - 1))) * width / 2
    )
