"""How near elementary functions are to the truth, in units in the last place, in both precisions.

    pip install mpmath
    python docs/examples/accuracy.py             # the greatest error of 4,000 arguments of each range
    python docs/examples/accuracy.py --points 100000

The truth is computed with 120 bits by mpmath. Arguments are uniform over a range, or over its exponents.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from typing import Any

import mpmath
import numpy as np

import rose_ad as ra

Range = tuple[float, float]
NEAR, WIDE, TINY = (-2.0, 2.0), (-80.0, 80.0), (1e-30, 1e30)
# a function, the truth, and ranges of its argument
FUNCTIONS: dict[str, tuple[Callable[..., Any], Callable[[Any], Any], tuple[Range, ...]]] = {
    "sqrt": (ra.sqrt, mpmath.sqrt, (TINY,)),
    "exp": (ra.exp, mpmath.exp, (NEAR, WIDE)),
    "expm1": (ra.expm1, mpmath.expm1, (NEAR, WIDE, (1e-30, 1.0))),
    "log": (ra.log, mpmath.log, ((0.5, 2.0), TINY)),
    "log1p": (ra.log1p, mpmath.log1p, ((-0.9, 2.0), (1e-30, 1.0))),
    "log2": (ra.log2, lambda x: mpmath.log(x) / mpmath.log(2), ((0.5, 2.0), TINY)),
    "log10": (ra.log10, mpmath.log10, ((0.5, 2.0), TINY)),
    "sin": (ra.sin, mpmath.sin, (NEAR, WIDE, (1e-30, 1.0))),
    "cos": (ra.cos, mpmath.cos, (NEAR, WIDE)),
    "tan": (ra.tan, mpmath.tan, (NEAR, WIDE)),
    "asin": (ra.asin, mpmath.asin, ((-1.0, 1.0), (1e-30, 1.0))),
    "acos": (ra.acos, mpmath.acos, ((-1.0, 1.0),)),
    "atan": (ra.atan, mpmath.atan, (NEAR, WIDE)),
    "sinh": (ra.sinh, mpmath.sinh, (NEAR, WIDE, (1e-30, 1.0))),
    "cosh": (ra.cosh, mpmath.cosh, (NEAR, WIDE)),
    "tanh": (ra.tanh, mpmath.tanh, (NEAR, WIDE, (1e-30, 1.0))),
    "asinh": (ra.asinh, mpmath.asinh, (NEAR, WIDE, (1e-30, 1.0))),
    "acosh": (ra.acosh, mpmath.acosh, ((1.0, 1.001), (1.0, 80.0))),
    "atanh": (ra.atanh, mpmath.atanh, ((-0.99, 0.99), (1e-30, 0.9))),
    "softplus": (ra.softplus, lambda x: mpmath.log1p(mpmath.exp(x)), (NEAR, WIDE)),
    "x**0.75": (lambda x: x**0.75, lambda x: x ** mpmath.mpf(0.75), (TINY,)),
    "1/x": (lambda x: 1 / x, lambda x: 1 / x, (TINY,)),
}


def arguments(given: Range, points: int, dtype: Any) -> np.ndarray[Any, Any]:
    """Arguments of that precision in a range: over its exponents where it spans many."""
    low, high = given
    r = np.random.default_rng(0)
    if low > 0 and high / low > 1e6:
        return np.exp(r.uniform(np.log(low), np.log(high), points)).astype(dtype)
    return r.uniform(low, high, points).astype(dtype)


def errors(name: str, dtype: Any, points: int) -> Iterator[float]:
    """The greatest error in each range, in units in the last place of the truth."""
    f, truth, ranges = FUNCTIONS[name]
    compiled = ra.fn(f)
    for given in ranges:
        x = arguments(given, points, dtype)
        greatest = 0.0
        for a, y in zip(x, compiled(x), strict=True):
            exact = truth(mpmath.mpf(float(a)))
            size = np.abs(np.asarray(float(exact), dtype))
            greatest = max(
                greatest, float(abs(mpmath.mpf(float(y)) - exact)) / float(np.spacing(size))
            )
        yield greatest


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--points", type=int, default=4000)
    points = parser.parse_args().points
    mpmath.mp.prec = 120
    print("| function | Real | Real32 |\n|---|---|---|")
    for name in FUNCTIONS:
        found = [max(errors(name, dtype, points)) for dtype in (np.float64, np.float32)]
        print(f"| `{name}` | {found[0]:.2f} | {found[1]:.2f} |", flush=True)


if __name__ == "__main__":
    main()
