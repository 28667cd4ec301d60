"""log and log1p.

    log x = k log 2 + log m      x = 2^k m, m from the root of 1/2 to that of 2

and log m = 2 artanh(s) of s = f / (2 + f), f = m - 1, arranged so that f stands first (Tang 1990).
"""

from __future__ import annotations

import math

from .exponential import LOG2_HIGH, LOG2_LOW
from .straight_line import Arithmetic, X, polynomial

ARTANH = [2 / (2 * n + 1) for n in range(1, 13)]  # in s², from the term s³ on; s² <= 0.0295


def _of_parts(k: X, f: X, low: X) -> X:
    """k log 2 + log(1 + f), and `low` besides."""
    s = f / (f + 2.0)
    z = s * s
    half = f * f * 0.5
    rest = half - (s * (half + z * polynomial(z, ARTANH)) + low)
    return k * LOG2_HIGH - (rest - f)


def log(A: Arithmetic, x: X) -> X:
    """The natural logarithm; minus infinity of 0, NaN of what is negative."""
    k, m = A.parts(x)
    return at_the_ends(A, x, 0.0, _of_parts(k, m - 1.0, k * LOG2_LOW))


def log1p(A: Arithmetic, x: X) -> X:
    """log(1 + x), also for small x; minus infinity of -1, NaN below."""
    u = x + 1.0
    k, m = A.parts(u)
    near = A.equal(k, 0.0)
    f = A.choose(near, x, m - 1.0)
    lost = A.choose(A.less(x, 1.0), x - (u - 1.0), (u - x) * -1.0 + 1.0)  # as 1 + x was rounded
    lost = lost / A.choose(A.equal(u, 0.0), 1.0, u)
    low = k * LOG2_LOW + A.choose(near, 0.0, lost)
    found = A.choose(A.less(A.magnitude(x), 2.0**-54), x, _of_parts(k, f, low))
    return at_the_ends(A, x, -1.0, found)


def at_the_ends(A: Arithmetic, x: X, pole: float, found: X) -> X:
    """The logarithm's value: minus infinity at its pole, NaN below, infinity at infinity, of a NaN that."""
    found = A.choose(A.greater(x, pole), found, math.nan)
    found = A.choose(A.equal(x, pole), -math.inf, found)
    return A.choose(A.less(x, math.inf), found, x)
