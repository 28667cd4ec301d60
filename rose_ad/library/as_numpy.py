"""What functions of numpy do to traced values, beyond those in `tracing/as_numpy.py`, with numpy's
signatures."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..base.errors import TypeMismatch
from ..base.source import here
from ..linalg import products
from ..tracing import arrays, linalg, numeric, reduce
from ..tracing.control import where
from ..tracing.values import lift
from . import convolution, dtypes, picking, samples, special, standard, statistics


def _cumulative(f: Callable[..., Any]) -> Callable[..., Any]:
    return lambda x, *, axis=None, include_initial=False: f(
        x, axis=axis, include_initial=include_initial
    )


def _array(x: Any) -> Any:
    return lift(x)


def _column(x: Any) -> Any:
    v = lift(x)
    return v if v.ndim > 1 else arrays.reshape(v, (v.size, 1))


def _diag(v: Any, k: int = 0) -> Any:
    """The diagonal of a matrix, or the matrix with that diagonal."""
    x = lift(v)
    if x.ndim == 2:
        return arrays.diagonal(x, k)
    if x.ndim != 1:
        raise TypeMismatch(f"np.diag of shape {x.shape}", here(), "ra.diagonal, or ra.build")
    square = where(np.eye(x.size, dtype=bool), x, 0)
    before, after = max(-k, 0), max(k, 0)
    return arrays.pad(square, ((before, after), (after, before))) if k else square


FUNCTIONS: dict[Any, Callable[..., Any]] = {
    np.searchsorted: lambda a, v, side="left", sorter=None: samples.searchsorted(
        a, v, side=side, sorter=sorter
    ),
    np.interp: samples.interp,
    np.gradient: samples.gradient,
    np.polyval: samples.polyval,
    np.median: lambda a, axis=None, keepdims=False: statistics.median(
        a, axis=axis, keepdims=keepdims
    ),
    np.quantile: lambda a, q, axis=None, keepdims=False: statistics.quantile(
        a, q, axis=axis, keepdims=keepdims
    ),
    np.percentile: lambda a, q, axis=None, keepdims=False: statistics.percentile(
        a, q, axis=axis, keepdims=keepdims
    ),
    np.histogram: lambda a, bins=10, range=None, density=False, weights=None: statistics.histogram(
        a, bins, range=range, weights=weights, density=density
    ),
    np.kron: products.kron,
    np.tensordot: lambda a, b, axes=2: products.tensordot(a, b, axes=axes),
    np.convolve: convolution.convolve,
    np.correlate: convolution.correlate,
    np.broadcast_arrays: picking.broadcast_arrays,
    np.take_along_axis: lambda arr, indices, axis=-1: picking.take_along_axis(
        arr, indices, axis=axis
    ),
    np.count_nonzero: lambda a, axis=None, keepdims=False: picking.count_nonzero(
        a, axis=axis, keepdims=keepdims
    ),
    np.isin: lambda element, test_elements, invert=False: picking.isin(
        element, test_elements, invert=invert
    ),
    np.nan_to_num: lambda x, nan=0.0: standard.nan_to_num(x, nan),
    np.i0: special.i0,
    np.meshgrid: arrays.meshgrid,
    np.empty_like: lambda a: arrays.zeros_like(a),
    np.result_type: dtypes.result_type,
    np.can_cast: dtypes.can_cast,
    np.atleast_1d: lambda a: lift(a) if np.ndim(a) else arrays.reshape(lift(a), (1,)),
    np.column_stack: lambda tup: arrays.concatenate([_column(x) for x in tup], 1),
    np.diag: _diag,
    np.fliplr: lambda m: _array(m)[:, ::-1],
    np.flipud: lambda m: _array(m)[::-1],
    np.ptp: lambda a, axis=None, keepdims=False: (
        reduce.max(a, axis=axis, keepdims=keepdims) - reduce.min(a, axis=axis, keepdims=keepdims)
    ),
    np.vdot: lambda a, b: linalg.dot(arrays.ravel(a), arrays.ravel(b)),
    # universal functions
    np.divmod: lambda x, y: (lift(x) // y, lift(x) % y),
    np.fabs: lambda x: abs(lift(x) * 1.0),
    np.deg2rad: lambda x: lift(x) * (np.pi / 180.0),
    np.radians: lambda x: lift(x) * (np.pi / 180.0),
    np.rad2deg: lambda x: lift(x) * (180.0 / np.pi),
    np.degrees: lambda x: lift(x) * (180.0 / np.pi),
}
# since numpy 2.0, 2.1 or 2.2
_LATER: dict[str, Callable[..., Any]] = {
    "trapezoid": samples.trapezoid,
    "astype": lambda x, dtype: numeric.astype(x, dtype),
    "matrix_transpose": lambda x: arrays.matrix_transpose(x),
    "unstack": lambda x, axis=0: arrays.unstack(x, axis=axis),
    "vecdot": products.vecdot,
    "matvec": lambda x1, x2: products.vecdot(x1, _array(x2)[..., None, :]),
    "vecmat": lambda x1, x2: products.vecdot(_array(x1)[..., None, :], _array(x2).mT),
    "cumulative_sum": _cumulative(picking.cumulative_sum),
    "cumulative_prod": _cumulative(picking.cumulative_prod),
}
FUNCTIONS |= {getattr(np, name): f for name, f in _LATER.items() if hasattr(np, name)}
