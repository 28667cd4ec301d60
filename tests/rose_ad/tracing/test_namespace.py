"""Functions of arrays and numbers with numpy's names, against numpy and central differences."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import rose_ad as ra

M = np.random.default_rng(0).uniform(0.3, 0.9, size=(4, 5))
CASES: dict[str, tuple[Any, Any]] = {
    "log2": (ra.log2, np.log2), "log10": (ra.log10, np.log10), "asinh": (ra.asinh, np.arcsinh),
    "acosh": (lambda x: ra.acosh(1 + x), lambda x: np.arccosh(1 + x)),
    "atanh": (ra.atanh, np.arctanh), "square": (ra.square, np.square),
    "logaddexp": (lambda x: ra.logaddexp(x, 0.5), lambda x: np.logaddexp(x, 0.5)),
    "transpose": (ra.transpose, np.transpose), "T": (lambda x: x.T, lambda x: x.T),
    "matrix_transpose": (ra.matrix_transpose, np.transpose),
    "matmul": (lambda x: x @ x.T, lambda x: x @ x.T),
    "np.matmul": (lambda x: np.matmul(M.T, x), lambda x: M.T @ x),
    "repeat": (lambda x: ra.repeat(x, 3, axis=1), lambda x: np.repeat(x, 3, axis=1)),
    "repeat all": (lambda x: ra.repeat(x, 2), lambda x: np.repeat(x, 2)),
    "tile": (lambda x: ra.tile(x, (2, 3)), lambda x: np.tile(x, (2, 3))),
    "tile 3": (lambda x: ra.tile(x, (2, 1, 2)), lambda x: np.tile(x, (2, 1, 2))),
    "diff": (ra.diff, np.diff), "diff 0": (lambda x: ra.diff(x, axis=0), lambda x: np.diff(x, axis=0)),
    "diagonal": (ra.diagonal, np.diagonal), "trace": (ra.trace, np.trace),
    "tril": (lambda x: ra.tril(x, 1), lambda x: np.tril(x, 1)),
    "triu": (lambda x: ra.triu(x, -1), lambda x: np.triu(x, -1)),
    "var": (ra.var, np.var), "var 1": (lambda x: ra.var(x, axis=1, correction=1),
                                       lambda x: np.var(x, axis=1, ddof=1)),
    "std": (lambda x: ra.std(x, axis=0, keepdims=True), lambda x: np.std(x, axis=0, keepdims=True)),
    "logsumexp": (ra.logsumexp, lambda x: np.log(np.exp(x).sum())),
    "logsumexp 1": (lambda x: ra.logsumexp(x, axis=1, keepdims=True),
                    lambda x: np.log(np.exp(x).sum(1, keepdims=True))),
    "full_like": (lambda x: ra.full_like(x, 2.0) * x, lambda x: 2 * x),
    "ones_like": (lambda x: ra.ones_like(x) + x, lambda x: 1 + x),
    "zeros_like": (lambda x: ra.zeros_like(x) + x, lambda x: x),
    "unstack": (lambda x: ra.unstack(x, 1)[2], lambda x: x[:, 2]),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_values_and_derivatives(name: str) -> None:
    ours, numpys = CASES[name]
    expected = numpys(M)
    found = ra.fn(ours)(M)
    np.testing.assert_allclose(found, expected, rtol=1e-13)
    np.testing.assert_allclose(ours(M), expected, rtol=1e-13)  # outside a traced function
    assert np.shape(found) == np.shape(expected)
    weights = np.random.default_rng(1).normal(size=np.shape(expected))
    gradient = ra.grad(lambda x: ra.sum(ours(x) * weights))(M)
    along = np.random.default_rng(2).normal(size=M.shape)
    h = 1e-6
    slope = np.sum((numpys(M + h * along) - numpys(M - h * along)) * weights) / (2 * h)
    np.testing.assert_allclose(np.sum(gradient * along), slope, rtol=1e-6)


STEPS = np.array([0.5, 1.5, 2.5, -0.5, -1.5, 2.4999, -0.0, 1e300, -3.7, np.inf, -np.inf, np.nan])


@pytest.mark.parametrize(
    "ours,numpys",
    [(ra.round, np.round), (ra.trunc, np.trunc), (ra.isnan, np.isnan), (ra.isinf, np.isinf),
     (ra.isfinite, np.isfinite), (np.rint, np.rint), (np.isfinite, np.isfinite)],
)  # fmt: skip
def test_steps(ours: Any, numpys: Any) -> None:
    with np.errstate(invalid="ignore"):
        np.testing.assert_array_equal(ra.fn(ours)(STEPS), numpys(STEPS))
        np.testing.assert_array_equal(ours(STEPS), numpys(STEPS))
