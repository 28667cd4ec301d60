"""rose_ad: composable functions with exact derivatives, compiled.

import rose_ad as ra

@ra.fn
def f(x: ra.Real) -> ra.Real:
    return ra.sin(x) * x

ra.value_and_grad(f)(2.0)
"""

from .annotations import Bool, Int, Real, Real32, Vec
from .control import accum, build, cond, fori_loop, range, scan, when, where
from .derive import grad, jvp, value_and_grad, vjp
from .function import Fn, Lowered, fn
from .interp import interpret
from .numeric import (
    abs,
    acos,
    array,
    asin,
    atan,
    atan2,
    ceil,
    clip,
    cos,
    cosh,
    cross,
    dot,
    exp,
    expm1,
    floor,
    full,
    hypot,
    log,
    log1p,
    matmul,
    max,
    maximum,
    mean,
    min,
    minimum,
    norm,
    pow,
    sign,
    sin,
    sinh,
    sqrt,
    sum,
    tan,
    tanh,
    to_int,
    to_real,
    zeros,
)
from .source import MemoryLimit, OutOfRange, RoseError, TraceError, TypeMismatch
from .tree import flatten, map_leaves, struct, unflatten

__version__ = "0.1.0"

__all__ = [
    "Bool",
    "Fn",
    "Int",
    "Lowered",
    "MemoryLimit",
    "OutOfRange",
    "Real",
    "Real32",
    "RoseError",
    "TraceError",
    "TypeMismatch",
    "Vec",
    "abs",
    "accum",
    "acos",
    "array",
    "asin",
    "atan",
    "atan2",
    "build",
    "ceil",
    "clip",
    "cond",
    "cos",
    "cosh",
    "cross",
    "dot",
    "exp",
    "expm1",
    "flatten",
    "floor",
    "fn",
    "fori_loop",
    "full",
    "grad",
    "hypot",
    "interpret",
    "jvp",
    "log",
    "log1p",
    "map_leaves",
    "matmul",
    "max",
    "maximum",
    "mean",
    "min",
    "minimum",
    "norm",
    "pow",
    "range",
    "scan",
    "sign",
    "sin",
    "sinh",
    "sqrt",
    "struct",
    "sum",
    "tan",
    "tanh",
    "to_int",
    "to_real",
    "unflatten",
    "value_and_grad",
    "vjp",
    "when",
    "where",
    "zeros",
]
