"""What the functions of `np.linalg` do to traced values, with their own signatures."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..api.implicit import inv, solve
from ..base.errors import TypeMismatch
from ..base.source import here
from ..tracing.arrays import matrix_transpose
from ..tracing.linalg import cross, matmul, outer
from .cholesky import cholesky
from .determinants import det, slogdet
from .diagonals import diagonal, trace
from .eigh import eigh, eigvalsh
from .matrices import floating
from .norms import matrix_norm, vector_norm
from .pinv import lstsq, pinv
from .powers import matrix_power
from .products import tensordot, vecdot
from .qr import qr
from .svd import cond, matrix_rank, svd, svdvals


def _svd(a: Any, full_matrices: bool = True, compute_uv: bool = True) -> Any:
    return svd(a, full_matrices=full_matrices) if compute_uv else svdvals(a)


def _qr(a: Any, mode: str = "reduced") -> Any:
    return qr(a, mode="reduced").R if mode == "r" else qr(a, mode=mode)


def _norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    """That of all entries, of vectors along an axis, or of matrices."""
    v = floating(x)
    if ord is None and axis is None:
        return vector_norm(v, keepdims=keepdims)
    if (axis is None and v.ndim == 2) or (isinstance(axis, tuple) and len(axis) == 2):
        if axis not in (None, (-2, -1), (v.ndim - 2, v.ndim - 1)):
            raise TypeMismatch(f"the norm of matrices in axes {axis}", here(), "the last two")
        return matrix_norm(v, keepdims=keepdims, ord="fro" if ord is None else ord)
    return vector_norm(v, axis=axis, keepdims=keepdims, ord=2 if ord is None else ord)


def _pinv(a: Any, rcond: float | None = None, *, rtol: float | None = None) -> Any:
    return pinv(a, rtol=rcond if rtol is None else rtol)


def _lstsq(a: Any, b: Any, rcond: float | None = None) -> Any:
    return lstsq(a, b, rtol=rcond)


FUNCTIONS: dict[Any, Callable[..., Any]] = {
    np.linalg.cholesky: lambda a, *, upper=False: cholesky(a, upper=upper),
    np.linalg.det: det,
    np.linalg.slogdet: slogdet,
    np.linalg.inv: lambda a: inv(a),
    np.linalg.solve: lambda a, b: solve(a, b),
    np.linalg.eigh: lambda a: eigh(a),
    np.linalg.eigvalsh: lambda a: eigvalsh(a),
    np.linalg.svd: _svd,
    np.linalg.qr: _qr,
    np.linalg.pinv: _pinv,
    np.linalg.lstsq: _lstsq,
    np.linalg.matrix_rank: lambda A, *, rtol=None: matrix_rank(A, rtol=rtol),
    np.linalg.matrix_power: matrix_power,
    np.linalg.cond: lambda x: cond(x),
    np.linalg.norm: _norm,
}
if hasattr(np.linalg, "vector_norm"):  # since 2.0
    FUNCTIONS |= {
        np.linalg.outer: lambda x1, x2: outer(x1, x2),
        np.linalg.matmul: lambda x1, x2: matmul(x1, x2),
        np.linalg.svdvals: lambda x: svdvals(x),
        np.linalg.vector_norm: vector_norm,
        np.linalg.matrix_norm: matrix_norm,
        np.linalg.matrix_transpose: lambda x: matrix_transpose(x),
        np.linalg.cross: lambda x1, x2: cross(x1, x2),
        np.linalg.diagonal: diagonal,
        np.linalg.trace: lambda x, *, offset=0: trace(x, offset=offset),
        np.linalg.tensordot: tensordot,
        np.linalg.vecdot: vecdot,
    }
