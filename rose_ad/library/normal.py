"""The quantile function of the normal distribution."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..tracing.control import where
from ..tracing.numeric import log, minimum, sqrt

# Wichura 1988, Algorithm AS 241: numerators and denominators of rational functions, for the middle, and for
# tails near and far. The relative error is about 1e-16.
_MIDDLE = (
    (3.3871328727963666080e0, 1.3314166789178437745e2, 1.9715909503065514427e3, 1.3731693765509461125e4,
     4.5921953931549871457e4, 6.7265770927008700853e4, 3.3430575583588128105e4, 2.5090809287301226727e3),
    (1.0, 4.2313330701600911252e1, 6.8718700749205790830e2, 5.3941960214247511077e3,
     2.1213794301586595867e4, 3.9307895800092710610e4, 2.8729085735721942674e4, 5.2264952788528545610e3),
)  # fmt: skip
_NEAR = (
    (1.42343711074968357734e0, 4.63033784615654529590e0, 5.76949722146069140550e0, 3.64784832476320460504e0,
     1.27045825245236838258, 0.241780725177450611770, 2.27238449892691845833e-2, 7.74545014278341407640e-4),
    (1.0, 2.05319162663775882187e0, 1.67638483018380384940e0, 0.6897673349851000045,
     0.148103976427480074590, 1.51986665636164571966e-2, 5.47593808499534494600e-4, 1.05075007164441684324e-9),
)  # fmt: skip
_FAR = (
    (6.65790464350110377720e0, 5.46378491116411436990e0, 1.78482653991729133580e0, 2.96560571828504891230e-1,
     2.6532189526576123093e-2, 1.2426609473880784386e-3, 2.71155556874348757815e-5, 2.01033439929228813265e-7),
    (1.0, 5.99832206555887937690e-1, 0.1369298809227358053, 1.48753612908506148525e-2,
     7.868691311456132591e-4, 1.8463183175100546818e-5, 1.42151175831644588870e-7, 2.04426310338993978564e-15),
)  # fmt: skip


def normal_quantile(p: Any) -> Any:
    """The number below which a share p, between 0 and 1, of the standard normal distribution lies."""
    off = p - 0.5
    tail = where(abs(off) <= 0.425, 0.25, minimum(p, 1.0 - p))
    far = sqrt(-log(tail))
    middle = off * _ratio(0.180625 - off * off, _MIDDLE)
    outside = where(far <= 5.0, _ratio(far - 1.6, _NEAR), _ratio(far - 5.0, _FAR))
    return where(abs(off) <= 0.425, middle, where(off < 0, -outside, outside))


def _ratio(x: Any, of: tuple[Sequence[float], Sequence[float]]) -> Any:
    above, below = (_polynomial(x, c) for c in of)
    return above / below


def _polynomial(x: Any, coefficients: Sequence[float]) -> Any:
    out: Any = coefficients[-1]
    for c in reversed(coefficients[:-1]):
        out = out * x + c
    return out
