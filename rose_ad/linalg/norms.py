"""Norms of vectors and of matrices, as the Array API standard has them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np

from ..base.errors import TypeMismatch
from ..base.source import here
from ..tracing.arrays import expand_dims
from ..tracing.numeric import root_of_square, to_real
from ..tracing.reduce import max as largest
from ..tracing.reduce import min as least
from ..tracing.reduce import sum as total
from .matrices import eager, floating, matrices
from .svd import svdvals

Axis: TypeAlias = "int | Sequence[int] | None"


def _plain(x: Any, *, axis: Axis = None, keepdims: bool = False, ord: float = 2) -> Any:
    v = np.asarray(x)
    axes = (
        tuple(range(v.ndim)) if axis is None else (axis,) if isinstance(axis, int) else tuple(axis)
    )
    front = np.moveaxis(v, axes, range(len(axes)))
    out = np.linalg.norm(front.reshape(-1, *front.shape[len(axes) :]), ord, axis=0)
    return np.expand_dims(out, axes) if keepdims else out


@eager(_plain)
def vector_norm(x: Any, *, axis: Axis = None, keepdims: bool = False, ord: float = 2) -> Any:
    """The norm (sum |x|^ord)^(1/ord) over axes, all by default; largest and least |x| for inf and -inf, and
    the number of entries that are not 0 for 0. Where the norm of order 2 is 0 its gradient is 0."""
    v = floating(x)
    if ord == 2:
        return root_of_square(total(v * v, axis=axis, keepdims=keepdims))
    size = abs(v)
    if ord == 0:
        return total(to_real(size != 0), axis=axis, keepdims=keepdims)
    if math.isinf(ord):
        return (largest if ord > 0 else least)(size, axis=axis, keepdims=keepdims)
    if ord == 1:
        return total(size, axis=axis, keepdims=keepdims)
    return total(size**ord, axis=axis, keepdims=keepdims) ** (1.0 / ord)


@eager(lambda x, *, keepdims=False, ord="fro": np.linalg.norm(
    x, ord, axis=(-2, -1), keepdims=keepdims))  # fmt: skip
def matrix_norm(x: Any, *, keepdims: bool = False, ord: Any = "fro") -> Any:
    """The norm of matrices (..., m, n): "fro" (root of the sum of squares), "nuc" (sum of singular values), 2
    and -2 (the largest and the least), 1 and -1 (of sums of columns), inf and -inf (of rows)."""
    v = matrices(x, "matrix_norm")
    if ord == "fro":
        return vector_norm(v, axis=(-2, -1), keepdims=keepdims)
    if ord in ("nuc", 2, -2):
        s = svdvals(v)
        out = total(s, axis=-1) if ord == "nuc" else s[..., 0 if ord == 2 else -1]
    elif ord in (1, -1, math.inf, -math.inf):
        sums = total(abs(v), axis=-2 if abs(ord) == 1 else -1)
        out = (largest if ord > 0 else least)(sums, axis=-1)
    else:
        raise TypeMismatch(f"there is no matrix norm {ord!r}", here(), "fro, nuc, 1, 2, inf")
    return expand_dims(expand_dims(out, out.ndim), out.ndim + 1) if keepdims else out
