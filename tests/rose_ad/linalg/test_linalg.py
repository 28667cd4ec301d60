"""Each function of linear algebra: values against numpy, derivatives against differences and JAX, single
precision, batches, stacks of matrices, and inputs where something is not defined."""

from __future__ import annotations

import importlib.util
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import rose_ad as ra
import rose_ad.linalg as la
from tests.support.tables import (
    Row,
    batches_are_loops,
    close,
    derivatives_are_right,
    gradient_is_jaxs,
    leaves,
    single_precision_stays,
    value_is_right,
)

DRAW = np.random.default_rng(0)
A = DRAW.normal(size=(5, 5)) + 2.0 * np.eye(5)
S = A @ A.T + np.eye(5)
TALL, WIDE = DRAW.normal(size=(6, 4)), DRAW.normal(size=(3, 5))
B = DRAW.normal(size=(5, 3))
LOWER = np.tril(DRAW.normal(size=(5, 5))) + 3.0 * np.eye(5)


def squares(of: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """What does not depend on the signs of vectors."""
    return lambda x: ra.map_leaves(lambda v: v * v, of(x))


def thin(x: Any) -> Any:
    return tuple(la.svd(x, full_matrices=False))


ROWS: dict[str, Row] = {
    "cholesky": (la.cholesky, np.linalg.cholesky, (S,)),
    "cholesky upper": (lambda x: la.cholesky(x, upper=True), lambda x: np.linalg.cholesky(x).T, (S,)),
    "solve_triangular lower": (
        lambda a, b: la.solve_triangular(a, b, lower=True), np.linalg.solve, (LOWER, B)),
    "solve_triangular upper": (la.solve_triangular, np.linalg.solve, (LOWER.T, B[:, 0])),
    "solve_triangular trans": (
        lambda a, b: la.solve_triangular(a, b, lower=True, trans=1),
        lambda a, b: np.linalg.solve(a.T, b), (LOWER, B)),
    "solve_triangular unit": (
        lambda a, b: la.solve_triangular(a, b, unit_diagonal=True),
        lambda a, b: np.linalg.solve(np.triu(a, 1) + np.eye(5), b), (A, B)),
    "solve": (la.solve, np.linalg.solve, (A, B)),
    "inv": (la.inv, np.linalg.inv, (A,)),
    **{f"det {n}": (la.det, np.linalg.det, (A[:n, :n],)) for n in (1, 2, 3, 5)},
    "slogdet": (lambda x: tuple(la.slogdet(x)), lambda x: tuple(np.linalg.slogdet(x)), (-A,)),
    "qr tall": (lambda x: tuple(la.qr(x)), lambda x: tuple(np.linalg.qr(x)), (TALL,)),
    "qr wide": (lambda x: tuple(la.qr(x)), lambda x: tuple(np.linalg.qr(x)), (WIDE,)),
    "qr complete": (lambda x: tuple(la.qr(x, mode="complete")),
                    lambda x: tuple(np.linalg.qr(x, "complete")), (TALL,)),
    "eigvalsh": (la.eigvalsh, np.linalg.eigvalsh, (S,)),
    "eigh": (squares(lambda x: tuple(la.eigh(x))),
             squares(lambda x: tuple(np.linalg.eigh(x))), (S,)),
    "svdvals": (la.svdvals, lambda x: np.linalg.svd(x)[1], (TALL,)),
    "svd tall": (squares(thin), squares(lambda x: tuple(np.linalg.svd(x, False))), (TALL,)),
    "svd wide": (squares(thin), squares(lambda x: tuple(np.linalg.svd(x, False))), (WIDE,)),
    "pinv": (la.pinv, np.linalg.pinv, (TALL,)),
    "lstsq": (lambda a, b: la.lstsq(a, b)[:2],
              lambda a, b: np.linalg.lstsq(a, b, None)[:2], (TALL, A[:4, 0].repeat(2)[:6])),
    "expm": (la.expm, None, (A,)),
    "matrix_power": (lambda x: la.matrix_power(x, 5), lambda x: np.linalg.matrix_power(x, 5), (A,)),
    "matrix_power -2": (lambda x: la.matrix_power(x, -2), lambda x: np.linalg.matrix_power(x, -2), (A,)),
    "cond": (la.cond, np.linalg.cond, (TALL,)),
    **{f"matrix_norm {o}": (lambda x, o=o: la.matrix_norm(x, ord=o),
                            lambda x, o=o: np.linalg.norm(x, o), (TALL,))
       for o in ("fro", "nuc", 1, -1, 2, -2, np.inf, -np.inf)},
    **{f"vector_norm {o}": (lambda x, o=o: la.vector_norm(x, axis=0, ord=o),
                            lambda x, o=o: np.linalg.norm(x, o, axis=0), (TALL,))
       for o in (1, 2, 3, np.inf, -np.inf)},
}  # fmt: skip


@pytest.mark.parametrize("name", ROWS)
def test_values(name: str) -> None:
    value_is_right(ROWS[name], 1e-12)


@pytest.mark.parametrize("name", ROWS)
def test_first_derivatives(name: str) -> None:
    derivatives_are_right(ROWS[name], 1e-6, second=False)


@pytest.mark.slow
@pytest.mark.parametrize("name", ROWS)
def test_second_derivatives(name: str) -> None:
    derivatives_are_right(ROWS[name], 1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("name", ROWS)
def test_single_precision(name: str) -> None:
    single_precision_stays(ROWS[name], 1e-3)


@pytest.mark.slow
@pytest.mark.parametrize("name", ROWS)
def test_batches(name: str) -> None:
    batches_are_loops(ROWS[name], 1e-11)


def by_name(path: str, **options: Any) -> Callable[..., Any]:
    """A function of jax."""

    def f(jax: Any, *args: Any) -> Any:
        g = jax
        for part in path.split("."):
            g = getattr(g, part)
        return g(*args, **options)

    return f


def squared(f: Callable[..., Any]) -> Callable[..., Any]:
    return lambda jax, *args: jax.tree_util.tree_map(lambda v: v * v, f(jax, *args))


JAX: dict[str, Callable[..., Any]] = {
    "cholesky": by_name("numpy.linalg.cholesky"),
    "solve_triangular lower": by_name("scipy.linalg.solve_triangular", lower=True),
    "solve_triangular trans": by_name("scipy.linalg.solve_triangular", lower=True, trans=1),
    "solve_triangular unit": by_name("scipy.linalg.solve_triangular", unit_diagonal=True),
    "solve": by_name("numpy.linalg.solve"),
    "inv": by_name("numpy.linalg.inv"),
    "det 3": by_name("numpy.linalg.det"),
    "det 5": by_name("numpy.linalg.det"),
    "slogdet": by_name("numpy.linalg.slogdet"),
    "qr tall": by_name("numpy.linalg.qr"),
    "eigvalsh": by_name("numpy.linalg.eigvalsh"),
    "eigh": squared(by_name("numpy.linalg.eigh")),
    "svdvals": by_name("numpy.linalg.svd", compute_uv=False),
    "svd tall": squared(by_name("numpy.linalg.svd", full_matrices=False)),
    "svd wide": squared(by_name("numpy.linalg.svd", full_matrices=False)),
    "pinv": by_name("numpy.linalg.pinv"),
    "lstsq": lambda jax, a, b: jax.numpy.linalg.lstsq(a, b)[:2],
    "expm": by_name("scipy.linalg.expm"),
    "matrix_power": lambda jax, x: jax.numpy.linalg.matrix_power(x, 5),
    "matrix_power -2": lambda jax, x: jax.numpy.linalg.matrix_power(x, -2),
    "matrix_norm nuc": by_name("numpy.linalg.norm", ord="nuc"),
}


@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("jax") is None, reason="needs jax")
@pytest.mark.parametrize("name", JAX)
def test_gradients_are_those_of_jax(name: str) -> None:
    ours, _, args = ROWS[name]
    gradient_is_jaxs(ours, JAX[name], args, 1e-10)


# ----------------------------------------------------------------------------------- stacks

STACK = np.stack([A, A.T @ A, A + np.eye(5)]).reshape(3, 1, 5, 5) * np.ones((3, 2, 1, 1))
STACKED: dict[str, tuple[Any, Any]] = {
    "cholesky": (lambda x: la.cholesky(x @ x.transpose(0, 1, 3, 2)),
                 lambda x: np.linalg.cholesky(x @ x.transpose(0, 1, 3, 2))),
    "det": (la.det, np.linalg.det),
    "slogdet": (lambda x: tuple(la.slogdet(x)), lambda x: tuple(np.linalg.slogdet(x))),
    "inv": (la.inv, np.linalg.inv),
    "solve": (lambda x: la.solve(x, B), lambda x: np.linalg.solve(x, B)),
    "solve of vectors": (lambda x: la.solve(x, B[:, 0]), lambda x: np.linalg.solve(x, B[:, 0])),
    "qr": (lambda x: tuple(la.qr(x)), lambda x: tuple(np.linalg.qr(x))),
    "svd": (lambda x: la.svd(x)[1], lambda x: np.linalg.svd(x)[1]),
    "pinv": (la.pinv, np.linalg.pinv),
    "matmul": (lambda x: ra.matmul(x, x[0, 0]) + ra.matmul(B.T[0], x)[:, :, None],
               lambda x: x @ x[0, 0] + (B.T[0] @ x)[:, :, None]),
    **{f"diagonal {k}": (lambda x, k=k: la.diagonal(x[..., :3], offset=k),
                         lambda x, k=k: np.diagonal(x[..., :3], k, -2, -1)) for k in (0, 1, -2, 7)},
    "trace": (lambda x: la.trace(x, offset=1), lambda x: np.trace(x, 1, -2, -1)),
    "tril": (lambda x: ra.tril(x, 1), lambda x: np.tril(x, 1)),
    "rank by tolerances": (lambda x: la.matrix_rank(x, rtol=np.full((3, 2), 0.3)),
                           lambda x: (lambda s: (s > 0.3 * s[..., :1]).sum(-1))(np.linalg.svd(x)[1])),
    "matrix_rank": (la.matrix_rank, np.linalg.matrix_rank),
    "matrix_norm": (lambda x: la.matrix_norm(x, keepdims=True),
                    lambda x: np.linalg.norm(x, axis=(2, 3), keepdims=True)),
}  # fmt: skip


@pytest.mark.parametrize("name", STACKED)
def test_stacks_of_matrices(name: str) -> None:
    ours, numpys = STACKED[name]
    close(ra.fn(ours)(STACK), numpys(STACK), 1e-11)


# ------------------------------------------------------------------------ what is not defined


@pytest.mark.parametrize("n", [2, 3, 12, 31])
@pytest.mark.parametrize("kind", ["random", "identity", "rank 1", "zero", "huge", "graded"])
def test_decompositions_of_any_matrix(n: int, kind: str) -> None:
    a = {
        "random": DRAW.normal(size=(n, n)),
        "identity": np.eye(n),
        "rank 1": np.outer(np.arange(1.0, n + 1), np.ones(n)),
        "zero": np.zeros((n, n)),
        "huge": 1e200 * DRAW.normal(size=(n, n)),
        "graded": np.diag(10.0 ** -np.arange(n)) + 1e-14,
    }[kind]
    size = max(np.abs(a).max(), 1e-300)
    u, s, vh = ra.fn(la.svd)(a)
    close((u * s @ vh) / size, a / size, 1e-13 * n)
    q, r = ra.fn(la.qr)(a)
    close((q @ r) / size, a / size, 1e-13 * n)
    symmetric = a + a.T
    w, v = ra.fn(la.eigh)(symmetric)
    close((v * w @ v.T) / size, symmetric / size, 1e-13 * n)
    for basis in (u, vh, q, v):
        close(basis.T @ basis, np.eye(n), 1e-13 * n)
    close(s / size, np.linalg.svd(a)[1] / size, 1e-13 * n)
    close(w / size, np.linalg.eigvalsh(symmetric) / size, 1e-13 * n)


def test_where_eigenvalues_are_equal_vectors_have_no_derivative_and_values_keep_theirs() -> None:
    turn = np.linalg.qr(DRAW.normal(size=(3, 3)))[0]
    x = turn @ np.diag([2.0, 2.0, 1.0]) @ turn.T
    close(ra.grad(lambda x: ra.sum(la.eigvalsh(x) ** 3))(x), 3 * x @ x, 1e-12)
    close(ra.grad(lambda x: ra.sum(la.svdvals(x) ** 2))(x), 2 * x, 1e-12)
    close(ra.jvp(lambda x: ra.sum(la.svdvals(x)), (x,), (np.eye(3),))[1], 3.0, 1e-12)
    for vectors in (lambda x: la.eigh(x)[1], lambda x: la.svd(x)[0]):
        assert not np.isfinite(ra.grad(lambda x, f=vectors: ra.sum(f(x) * turn))(x)).all()


@pytest.mark.parametrize("n", [2, 3, 4, 6])
def test_the_gradient_of_the_determinant_of_a_singular_matrix_is_its_cofactors(n: int) -> None:
    a = DRAW.normal(size=(n, n))
    a[-1] = 2.0 * a[0]
    cofactors = np.array([[(-1) ** (i + j) * np.linalg.det(np.delete(np.delete(a, i, 0), j, 1))
                           for j in range(n)] for i in range(n)])  # fmt: skip
    close(ra.fn(la.det)(a), 0.0, 1e-14)
    close(ra.grad(la.det)(a), cofactors, 1e-12)
    close(ra.grad(la.det)(np.zeros((n, n))), np.zeros((n, n)), 0.0)


def test_what_is_not_positive_definite_has_no_cholesky_factor() -> None:
    factor = ra.fn(la.cholesky)(np.diag([1.0, -1.0]))
    assert factor[0, 0] == 1 and np.isnan(factor[1, 1])
    with pytest.raises(np.linalg.LinAlgError):
        la.cholesky(np.diag([1.0, -1.0]))


@pytest.mark.parametrize("n", [4, 5])
@pytest.mark.parametrize("rank", [0, 1, 2, 3])
def test_higher_derivatives_of_the_determinant_are_those_of_a_polynomial(n: int, rank: int) -> None:
    """Along U, by det(A + t U) at n + 1 points, of which it is the polynomial: of any rank, exact zeros too."""
    turn = DRAW.integers(-2, 3, (n, n)).astype(float)
    for a in (np.diag(1.0 * (np.arange(n) < rank)), turn[:, :rank] @ turn[:rank], turn):
        u = DRAW.normal(size=(n, n))
        points = np.linspace(-1, 1, n + 1)
        wanted = np.polyfit(points, [np.linalg.det(a + t * u) for t in points], n)[::-1]
        f: Any = lambda t, a=a, u=u: la.det(a + t * u)  # noqa: E731
        for k in range(4):
            close(ra.fn(f)(0.0), math.factorial(k) * wanted[k], 1e-9)
            f = ra.grad(f) if k % 2 else lambda t, g=f: ra.jvp(g, (t,), (1.0,))[1]


def test_a_singular_matrix_has_no_logarithm_of_its_determinant() -> None:
    sign, size = ra.fn(la.slogdet)(np.zeros((3, 3)))
    assert (sign, size) == (0.0, -np.inf)


def test_the_other_triangle_is_not_read() -> None:
    spoilt = LOWER + np.triu(np.full((5, 5), np.nan), 1)
    solve = ra.fn(lambda a, b: la.solve_triangular(a, b, lower=True))
    close(solve(spoilt, B), np.linalg.solve(LOWER, B), 1e-13)
    gradient = ra.grad(lambda a: ra.sum(solve(a, B)))(spoilt)
    assert (gradient[np.triu_indices(5, 1)] == 0).all() and np.isfinite(gradient).all()


def test_the_shortest_of_all_least_squares() -> None:
    a = np.outer(np.arange(1.0, 6), [1.0, 2.0, 3.0])
    x, squares, rank, s = ra.fn(la.lstsq)(a, B)
    close(x, np.linalg.pinv(a) @ B, 1e-13)
    close(squares, ((a @ x - B) ** 2).sum(0), 1e-13)
    assert rank == 1 and s.shape == (3,)


@pytest.mark.parametrize("size", [1e-9, 1.0, 30.0])
def test_the_exponential_of_a_rotation(size: float) -> None:
    found = ra.fn(la.expm)(size * np.array([[0.0, -1.0], [1.0, 0.0]]))
    c, s = np.cos(size), np.sin(size)
    close(found, np.array([[c, -s], [s, c]]), 1e-13)


@pytest.mark.parametrize(
    "f", [la.det, la.eigvalsh, la.svdvals, la.cholesky, la.inv, la.expm, la.pinv]
)
@pytest.mark.parametrize("shape", [(0, 0), (2, 0, 0), (0, 3, 3)])
def test_no_entries(f: Any, shape: tuple[int, ...]) -> None:
    x = np.zeros(shape)
    found = ra.fn(f)(x)
    if f is not la.expm:
        assert np.shape(found) == np.shape(f(x))


@pytest.mark.parametrize(
    "f,shape,words",
    [
        (la.cholesky, (2, 3), "cholesky of an array of shape (2, 3): it takes square matrices"),
        (la.det, (3,), "det of an array of shape (3,)"),
        (la.svd, (3,), "svd of an array of shape (3,): it takes matrices"),
        (lambda a: la.solve_triangular(a, np.ones(2)), (3, 3), "no linear system"),
        (lambda a: la.qr(a, mode="r"), (3, 3), "mode 'r'"),
        (lambda a: la.matrix_norm(a, ord=3), (3, 3), "no matrix norm 3"),
        (lambda a: la.matrix_power(a, 0.5), (3, 3), "a Python int"),
    ],
)
def test_what_is_no_matrix_is_named(f: Any, shape: tuple[int, ...], words: str) -> None:
    with pytest.raises(ra.TypeMismatch) as error:
        ra.fn(f)(np.ones(shape))
    assert words in str(error.value)


# --------------------------------------------------------------------------------- np.linalg

NUMPYS: dict[str, Callable[[Any], Any]] = {
    "cholesky": lambda x: np.linalg.cholesky(x.T @ x),
    "det": lambda x: np.linalg.det(x[:4]),
    "slogdet": lambda x: np.linalg.slogdet(x[:4])[1],
    "solve": lambda x: np.linalg.solve(x[:4], x[2:6]),
    "inv": lambda x: np.linalg.inv(x[:4]),
    "eigh": lambda x: np.linalg.eigh(x[:4] + x[:4].T)[0],
    "eigvalsh": lambda x: np.linalg.eigvalsh(x[:4] + x[:4].T),
    "svd": lambda x: np.linalg.svd(x)[1],
    "svd without vectors": lambda x: np.linalg.svd(x, compute_uv=False),
    "qr": lambda x: np.linalg.qr(x)[0],
    "qr r": lambda x: np.linalg.qr(x, mode="r"),
    "pinv": lambda x: np.linalg.pinv(x),
    "lstsq": lambda x: np.linalg.lstsq(x, x[:, 0] ** 2, rcond=None)[0],
    "matrix_rank": lambda x: np.linalg.matrix_rank(x),
    "matrix_power": lambda x: np.linalg.matrix_power(x[:4], 3),
    "cond": lambda x: np.linalg.cond(x),
    "norm": lambda x: np.linalg.norm(x),
    "norm of rows": lambda x: np.linalg.norm(x, axis=1, keepdims=True),
    "norm of order 1": lambda x: np.linalg.norm(x, 1, axis=0),
    "spectral norm": lambda x: np.linalg.norm(x, 2),
}


@pytest.mark.parametrize("name", NUMPYS)
def test_functions_of_numpy_take_traced_values(name: str) -> None:
    f = NUMPYS[name]
    found, expected = ra.fn(f)(TALL), f(TALL)
    for a, b in zip(leaves(found), leaves(expected), strict=True):
        close(a, b, 1e-11)
