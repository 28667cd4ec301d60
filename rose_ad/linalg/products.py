"""Products over axes: Kronecker's, sums over named axes, inner products of many vectors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..base.errors import TypeMismatch
from ..base.source import here
from ..base.tree import is_traced
from ..tracing.arrays import moveaxis, permute_dims, reshape
from ..tracing.indexing import axis_of, generate
from ..tracing.linalg import matmul
from ..tracing.reduce import sum as sum_entries
from ..tracing.values import promote


def kron(a: Any, b: Any) -> Any:
    """The array of blocks a[i] b, (n m,) of vectors (n,) and (m,); likewise for each axis."""
    if not is_traced((a, b)):
        return np.kron(a, b)
    x: Any
    y: Any
    x, y = promote(a, b)
    ndim = max(x.ndim, y.ndim)
    x, y = (reshape(v, (1,) * (ndim - v.ndim) + v.shape) for v in (x, y))
    if not ndim:
        return x * y
    shape = [n * m for n, m in zip(x.shape, y.shape, strict=True)]

    def entry(*i: Any) -> Any:
        above = tuple(k // m for k, m in zip(i, y.shape, strict=True))
        within = tuple(k % m for k, m in zip(i, y.shape, strict=True))
        return x[above] * y[within]

    return generate(shape, entry)


def tensordot(a: Any, b: Any, *, axes: int | Sequence[Sequence[int]] = 2) -> Any:
    """The sum of products over the last axes of a and the first of b, so many; or over the axes that are
    named."""
    if not is_traced((a, b)):
        return np.tensordot(a, b, axes)  # type: ignore[arg-type]
    x: Any
    y: Any
    x, y = promote(a, b)
    if isinstance(axes, int):
        summed = [list(range(x.ndim - axes, x.ndim)), list(range(axes))]
    else:
        summed = [
            [axis_of(k, v.ndim) for k in given] for v, given in zip((x, y), axes, strict=True)
        ]
    if [x.shape[k] for k in summed[0]] != [y.shape[k] for k in summed[1]]:
        raise TypeMismatch(f"tensordot of shapes {x.shape} and {y.shape} over {axes}", here())
    kept = [[k for k in range(v.ndim) if k not in s] for v, s in zip((x, y), summed, strict=True)]
    shape = [x.shape[k] for k in kept[0]] + [y.shape[k] for k in kept[1]]
    count = int(np.prod([x.shape[k] for k in summed[0]], dtype=int))
    left, right = (
        int(np.prod([v.shape[k] for k in s], dtype=int)) for v, s in zip((x, y), kept, strict=True)
    )
    first = reshape(permute_dims(x, kept[0] + summed[0]) if x.ndim else x, (left, count))
    second = reshape(permute_dims(y, summed[1] + kept[1]) if y.ndim else y, (count, right))
    return reshape(matmul(first, second), shape)


def vecdot(x1: Any, x2: Any, *, axis: int = -1) -> Any:
    """The inner products of the vectors along an axis."""
    if not is_traced((x1, x2)):
        return np.sum(np.moveaxis(x1, axis, -1) * np.moveaxis(x2, axis, -1), axis=-1)
    x, y = (moveaxis(v, axis, -1) for v in promote(x1, x2))
    if x.shape[-1] != y.shape[-1]:
        raise TypeMismatch(f"vecdot of shapes {x.shape} and {y.shape}", here())
    return sum_entries(x * y, axis=-1)
