"""The rows of the table of primitives with the types they take, and points to try them at."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import numpy as np
import pytest

from rose_ad.ir.prims import TABLE, Prim
from rose_ad.ir.types import F32, F64, I64, Bool, Scalar, is_float

COUNT = 24  # samples of a row


# rounded by libm, which promises nothing, or with sums of products that the machine may contract: the others
# must be right to the last bit
LIBM = frozenset(
    "exp expm1 log log1p sin cos tan asin acos atan atan2 sinh cosh tanh pow asinh "
    "acosh atanh log2 log10 softplus erf erfc".split()
)


LETTERS = {
    "f": (F64, F32),
    "i": (I64,),
    "b": (Bool,),
    "n": (F64, F32, I64),
    "t": (F64, F32, I64, Bool),
    "F": (F64,),
}


NOT_FINITE = [math.inf, -math.inf, math.nan]


PLAIN = [0.0, -0.0, 1.0, -1.0, 0.5, -2.5, 2.0, 3.0, 2.0**63]


SPECIAL = {
    F64: [*PLAIN, 5e-324, 1e300, -1e300, 2.0**53 + 2, -(2.0**63), *NOT_FINITE],
    F32: [*PLAIN, 1e-45, 1e38, -1e38, *NOT_FINITE],
    I64: [0, 1, -1, 2, -3, 7, 2**31, 2**53 + 1, 2**62, 2**63 - 1, -(2**63)],
    Bool: [False, True],
}


Signature = tuple[Scalar, ...]


def signatures(row: Prim) -> list[Signature]:
    """The types of operands that a row takes."""
    letters = row.kinds.split(">")[0]
    kinds = sorted(set(letters))
    choices = itertools.product(*(LETTERS[k] for k in kinds))
    found = [tuple(dict(zip(kinds, c, strict=True))[k] for k in letters) for c in choices]
    if row.name == "widen":
        found = [(F32,)]  # from F64 it would go nowhere
    return found  # type: ignore[return-value]


CASES = [(row, types) for row in TABLE.values() for types in signatures(row)]


def each(cases: Sequence[tuple[Prim, Signature]]) -> pytest.MarkDecorator:
    names = [f"{row.name}-{'-'.join(map(repr, types))}" for row, types in cases]
    return pytest.mark.parametrize(("row", "types"), cases, ids=names)


def samples(row: Prim, types: Signature) -> list[np.ndarray]:
    """Points of a row's domain, drawn at random but always the same, and its special points."""
    assert len(row.domain) == len(types), f"{row.name} needs a domain for each operand"
    draw = np.random.default_rng(sum(map(ord, row.name)))
    out = []
    for k, (t, (low, high)) in enumerate(zip(types, row.domain, strict=True)):
        more = [point[k] for point in row.special]
        if is_float(t):
            drawn = draw.uniform(low, high, COUNT).tolist()
        else:
            drawn = draw.integers(int(low), int(high) + 1, COUNT).tolist()
        out.append(np.array([*drawn, *more], t.dtype))
    return out


def bits(a: np.ndarray) -> np.ndarray:
    """An array so that `==` tells apart 0.0 and -0.0, and nan is equal to nan."""
    if a.dtype.kind != "f":
        return a
    return np.where(np.isnan(a), np.full_like(a, np.nan), a).view(f"i{a.itemsize}")


def ulps_apart(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """How many floating-point numbers lie between; 0 for two nans."""
    ordered = [np.where(i < 0, np.iinfo(i.dtype).min - i, i) for i in (bits(a), bits(b))]
    return np.abs(ordered[0].astype(float) - ordered[1].astype(float))
