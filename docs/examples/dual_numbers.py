"""Forward mode of any order: a derivative is a function again, so it is differentiated again.

Nesting n tangents computes with n nested dual numbers, whose infinitesimals must not be confused: Pearlmutter
and Siskind, "Lazy multivariate higher-order forward-mode AD", POPL 2007. The derivatives of one variable over
k! are its Taylor coefficients. Nesting costs 2^n where Taylor arithmetic would cost n², which is little for
orders such as these.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import rose_ad as ra

ORDER = 5


def derivative(f: Callable[[Any], Any]) -> ra.Fn:
    """df/dx of a function of one variable."""
    return ra.fn(lambda x: ra.jvp(f, (x,), (1.0,))[1])


def taylor(f: Callable[[Any], Any], x: float, order: int) -> list[float]:
    """The coefficients c_0 ... c_order of f(x + h) = c_0 + c_1 h + c_2 h² + ..."""
    coefficients = []
    for k in range(order + 1):
        coefficients.append(float(ra.fn(f)(x)) / math.factorial(k))
        f = derivative(f)
    return coefficients


def spiral(x: Any) -> Any:
    """e^x sin x; its k-th derivative is 2^(k/2) e^x sin(x + k pi/4)."""
    return ra.exp(x) * ra.sin(x)


def spiral_coefficient(x: float, k: int) -> float:
    return 2 ** (k / 2) * math.exp(x) * math.sin(x + k * math.pi / 4) / math.factorial(k)


def geometric(x: Any) -> Any:
    """1 / (1 - x), whose coefficients are 1 / (1 - x)^(k + 1)."""
    return 1 / (1 - x)


def geometric_coefficient(x: float, k: int) -> float:
    return 1 / (1 - x) ** (k + 1)


CASES = [
    ("e^x sin x at 0.7", spiral, spiral_coefficient, 0.7),
    ("1 / (1 - x) at -0.5", geometric, geometric_coefficient, -0.5),
]


def main() -> float:
    """Print the coefficients beside their closed forms; the largest relative difference."""
    worst = 0.0
    for name, f, closed_form, x in CASES:
        print(f"{name}\n  order   by nested tangents          closed form")
        for k, c in enumerate(taylor(f, x, ORDER)):
            exact = closed_form(x, k)
            worst = max(worst, abs(c - exact) / abs(exact))
            print(f"  {k:5d} {c:20.15f} {exact:20.15f}")
    print(f"largest relative difference {worst:.1e}")
    return worst


if __name__ == "__main__":
    main()
