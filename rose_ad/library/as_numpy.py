"""What functions of numpy do to traced values, beyond those in `tracing/as_numpy.py`, with numpy's
signatures."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..linalg import products
from . import convolution, picking, samples, special, standard, statistics


def _cumulative(f: Callable[..., Any]) -> Callable[..., Any]:
    return lambda x, *, axis=None, include_initial=False: f(
        x, axis=axis, include_initial=include_initial
    )


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
}
# since numpy 2.0 or 2.1
for _name, _f in {
    "trapezoid": samples.trapezoid,
    "cumulative_sum": _cumulative(picking.cumulative_sum),
    "cumulative_prod": _cumulative(picking.cumulative_prod),
}.items():
    if hasattr(np, _name):
        FUNCTIONS[getattr(np, _name)] = _f
