"""Types of entries, under numpy's names: float64, float32, int64 and bool, and which type several have in
common."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..base.errors import TypeMismatch
from ..base.source import here
from ..base.tree import Leaf
from ..ir.core import Const
from ..ir.types import F32, F64, I64, Bool, Scalar
from ..tracing.values import common_scalar, is_python_number, lift, wrap

float64, float32, int64 = np.float64, np.float32, np.int64
pi, e, inf, nan, newaxis = np.pi, np.e, np.inf, np.nan, None

_BY_DTYPE = {t.dtype: t for t in (F64, F32, I64, Bool)}
_KINDS: dict[str, tuple[Scalar, ...]] = {
    "bool": (Bool,),
    "signed integer": (I64,),
    "unsigned integer": (),
    "integral": (I64,),
    "real floating": (F64, F32),
    "complex floating": (),
    "numeric": (I64, F64, F32),
}


def finfo(type: Any) -> Any:
    """What there is to know of float64 or float32, or of an array's entries: bits, eps, max, min,
    smallest_normal."""
    return np.finfo(_dtype(type))


def iinfo(type: Any) -> Any:
    """What there is to know of int64: bits, max, min."""
    return np.iinfo(_dtype(type))


def _scalar(x: Any) -> Any:
    """The scalar type of an array, a dtype, or what numpy takes for one; a Python number is itself."""
    if isinstance(x, Leaf):
        return lift(x).scalar
    if isinstance(x, np.ndarray | np.generic):
        return _known(x.dtype)
    return x if is_python_number(x) else _known(np.dtype(x))


def _known(dtype: Any) -> Scalar:
    known = _BY_DTYPE.get(dtype)
    if known is None:
        raise TypeMismatch(
            f"there are no values of type {dtype}", here(), "float64, float32, int64 or bool"
        )
    return known


def _dtype(x: Any) -> Any:
    return _scalar(x).dtype


def result_type(*arrays_and_dtypes: Any) -> Any:
    """The type that these have in common, as numpy's promotion has it; Python numbers are as wide as what
    they meet."""
    given = [_scalar(x) for x in arrays_and_dtypes]
    values = (wrap(Const(0, t)) if isinstance(t, Scalar) else t for t in given)
    return common_scalar(*values).dtype


def can_cast(from_: Any, to: Any) -> bool:
    """Whether values of a type may stand where another is wanted without loss."""
    return bool(np.can_cast(_dtype(from_), _dtype(to)))


def isdtype(dtype: Any, kind: Any) -> bool:
    """Whether a type is one of a kind: "bool", "signed integer", "integral", "real floating", "numeric", …; a
    type, or a tuple of these."""
    if isinstance(kind, tuple):
        return any(isdtype(dtype, k) for k in kind)
    if isinstance(kind, str):
        if kind not in _KINDS:
            raise TypeMismatch(f"there is no kind {kind!r} of types", here(), ", ".join(_KINDS))
        return _scalar(dtype) in _KINDS[kind]
    return bool(_dtype(dtype) == np.dtype(kind))
