"""Linear algebra: loops of our own, with derivative rules where these are better than the derivative of the
loops.

The names are those of the Array API standard and NumPy. Every function takes stacks of matrices, (..., m, n),
and outside a traced function is NumPy's. Meant for matrices of up to some hundred rows.
"""

from ..api.implicit import inv, solve
from ..tracing.arrays import matrix_transpose
from ..tracing.linalg import cross, matmul, outer
from .cholesky import cholesky
from .determinants import SlogdetResult, det, slogdet
from .diagonals import diagonal, trace
from .eigh import EighResult, eigh, eigvalsh
from .norms import matrix_norm, vector_norm
from .pinv import lstsq, pinv
from .powers import expm, matrix_power
from .products import kron, tensordot, vecdot
from .qr import QRResult, qr
from .svd import SVDResult, cond, matrix_rank, svd, svdvals
from .triangular import solve_triangular

__all__ = [
    "EighResult",
    "QRResult",
    "SVDResult",
    "SlogdetResult",
    "cholesky",
    "cond",
    "cross",
    "det",
    "diagonal",
    "eigh",
    "eigvalsh",
    "expm",
    "inv",
    "kron",
    "lstsq",
    "matmul",
    "matrix_norm",
    "matrix_power",
    "matrix_rank",
    "matrix_transpose",
    "outer",
    "pinv",
    "qr",
    "slogdet",
    "solve",
    "solve_triangular",
    "svd",
    "svdvals",
    "tensordot",
    "trace",
    "vecdot",
    "vector_norm",
]
