"""Elementary functions as arithmetic of our own, without branches, so that loops that call them are vectorised.

exp, log, log1p, sin and cos are within 1 unit in the last place, expm1 within 2, tanh within 2.5, tan and
softplus, log(1 + e^x), within 3. Each has the limits and the zeros, with their signs, that C's has. What is
written here gives the same bits of a number, in loops and in lanes.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from .circular import NEAR, cos, sin, tan
from .exponential import exp, expm1, softplus, tanh
from .logarithm import log, log1p
from .straight_line import Arithmetic, Floats, X

PREFIX = "rose_"  # of the functions' names in LLVM
FUNCTIONS: dict[str, Callable[[Arithmetic, X], X]] = {
    "exp": exp,
    "expm1": expm1,
    "tanh": tanh,
    "softplus": softplus,
    "log": log,
    "log1p": log1p,
    "sin": sin,
    "cos": cos,
    "tan": tan,
}
PAIRED = {"sin": 0, "cos": 1}  # of what `sincos` gives
# where a function is the C library's instead: of arguments that are not less in size
BEYOND = dict.fromkeys(("sin", "cos", "sincos", "tan"), NEAR)


def evaluate(name: str) -> Callable[[float], float]:
    """A function of floats."""
    f, floats, end = FUNCTIONS[name], Floats(), BEYOND.get(name, math.inf)

    def far(x: float) -> float:
        return math.nan if math.isinf(x) else float(getattr(math, name)(x))

    def value(x: float) -> float:
        x = float(x)
        return float(f(floats, x)) if name not in BEYOND or abs(x) < end else far(x)

    return value


def call(name: str) -> str:
    """The template of a call in LLVM: {r} is the result's name, {0} the operand, {t} its type, {f} "f" for
    F32."""
    scalar = f"{PREFIX}{name}{{f}}"
    known = f'"vector-function-abi-variant"="_ZGV_LLVM_N4v_{scalar}({scalar}_v4)"'
    return f"{{r}} = call {{t}} @{scalar}({{t}} {{0}}) {known}"
