"""Diagonals of stacks of matrices, as the Array API standard has them: of the last two axes."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..base.errors import TypeMismatch
from ..base.source import here
from ..base.tree import is_traced
from ..tracing.indexing import generate
from ..tracing.numeric import astype
from ..tracing.reduce import sum as total
from ..tracing.values import lift


def diagonal(x: Any, *, offset: int = 0) -> Any:
    """The entries (..., k) of matrices (..., m, n) on a diagonal, `offset` places above the main one."""
    if not is_traced(x):
        return np.diagonal(x, offset, -2, -1)
    v: Any = lift(x)
    if v.ndim < 2:
        raise TypeMismatch(f"the diagonal of an array of shape {v.shape}", here())
    m, n = v.shape[-2:]
    down, right = max(-offset, 0), max(offset, 0)
    length = max(min(m - down, n - right), 0)

    def entry(*i: Any) -> Any:
        place = (*i[:-1], i[-1] + down, i[-1] + right)
        return v[place]

    return generate((*v.shape[:-2], length), entry)


def trace(x: Any, *, offset: int = 0, dtype: Any = None) -> Any:
    """The sums (...) of diagonals of matrices (..., m, n)."""
    along = diagonal(x, offset=offset)
    return total(along if dtype is None else astype(along, dtype), axis=-1)
