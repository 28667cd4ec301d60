"""Special functions against SciPy: values on the whole line, derivatives to second order, single precision,
batches."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import rose_ad as ra
from rose_ad.library.normal import normal_quantile
from tests.support.tables import (
    Row,
    batches_are_loops,
    close,
    derivatives_are_right,
    single_precision_stays,
    value_is_right,
)

special = pytest.importorskip("scipy.special")
X = np.array([0.3, 1.0, 1.7, 2.0, 4.5, 9.99, 10.0, 12.3])
SIGNED = np.array([-3.3, -1.2, -0.4, 0.7, 5.1])
ROWS: dict[str, Row] = {
    "erf": (ra.erf, special.erf, (SIGNED,)),
    "erfc": (ra.erfc, special.erfc, (SIGNED,)),
    "lgamma": (ra.lgamma, special.gammaln, (X,)),
    "lgamma below": (ra.lgamma, special.gammaln, (SIGNED,)),
    "digamma": (ra.digamma, special.digamma, (X,)),
    "digamma below": (ra.digamma, special.digamma, (SIGNED,)),
    "gamma": (ra.gamma, special.gamma, (X[:5],)),
    "gamma below": (ra.gamma, special.gamma, (SIGNED,)),
    "i0": (ra.i0, np.i0, (SIGNED,)),
    "sigmoid": (ra.sigmoid, special.expit, (SIGNED,)),
    "xlogy": (ra.xlogy, special.xlogy, (SIGNED, X[:5])),
    "softmax": (ra.softmax, lambda x: special.softmax(x, -1), (SIGNED.reshape(1, 5) * X[:4, None],)),
    "softmax of all": (lambda x: ra.softmax(x, axis=None), special.softmax, (SIGNED,)),
    "log_softmax": (lambda x: ra.log_softmax(x, axis=0), lambda x: special.log_softmax(x, 0), (SIGNED,)),
    "normal_quantile": (normal_quantile, special.ndtri, (np.array([1e-9, 0.01, 0.3, 0.7, 0.99]),)),
}  # fmt: skip


@pytest.mark.parametrize("name", ROWS)
def test_values(name: str) -> None:
    value_is_right(ROWS[name], 3e-14)


@pytest.mark.parametrize("name", [n for n in ROWS if n != "normal_quantile"])
def test_derivatives(name: str) -> None:
    derivatives_are_right(ROWS[name], 1e-6)


@pytest.mark.parametrize("name", [n for n in ROWS if n != "normal_quantile"])
def test_single_precision(name: str) -> None:
    single_precision_stays(ROWS[name], 1e-3 if "gamma" in name else 1e-5)


@pytest.mark.parametrize("name", ROWS)
def test_batches(name: str) -> None:
    batches_are_loops(ROWS[name], 1e-11)


LINE = np.concatenate([
    np.linspace(-10.3, 10.3, 501), np.linspace(10, 171, 100), [0.0, 1e-300, 1e10, 1e300, np.inf, np.nan],
])  # fmt: skip


@pytest.mark.parametrize(
    "ours,theirs,ulps",
    [(ra.gamma, special.gamma, 20), (ra.i0, special.i0, 8), (ra.sigmoid, special.expit, 4),
     (ra.erf, special.erf, 4), (ra.erfc, np.vectorize(math.erfc), 8)],
)  # fmt: skip
def test_the_whole_line(ours: Any, theirs: Any, ulps: float) -> None:
    x = LINE[LINE > -10.2] if theirs is special.gamma else LINE
    x = x[(x != 0) | (theirs is not special.gamma)]  # a pole, where the sign of 0 would matter
    with np.errstate(all="ignore"):
        expected = theirs(x)
    for found in (ra.fn(ours)(x), ours(x)):
        np.testing.assert_allclose(found, expected, rtol=ulps * 2.3e-16, atol=1e-307)


@pytest.mark.parametrize(
    "ours,theirs", [(ra.lgamma, special.gammaln), (ra.digamma, special.digamma)]
)
def test_logarithms_of_gamma(ours: Any, theirs: Any) -> None:
    x = LINE[np.isfinite(LINE) & (LINE != 0)]
    x = x[(x > 0) | (np.abs(x - np.round(x)) > 0.01)]
    expected = theirs(x)
    for found in (ra.fn(ours)(x), ours(x)):
        error = np.abs(found - expected) / np.maximum(1, np.abs(expected))
        assert error.max() < 3e-14
    assert ours(np.inf) == np.inf and np.isnan(ours(np.nan))


def test_polygamma_is_the_derivative_of_digamma() -> None:
    f: Any = ra.lgamma
    for n in range(1, 4):
        f = ra.grad(f)
        expected = special.polygamma(n - 1, 2.5)
        np.testing.assert_allclose(f(2.5), expected, rtol=1e-13)


def test_far_out() -> None:
    assert ra.grad(ra.sigmoid)(0.0) == 0.25
    assert ra.sigmoid(np.array([-800.0, 800.0])).tolist() == [0.0, 1.0]
    assert ra.grad(ra.xlogy, (0, 1))(0.0, 2.0) == (np.log(2.0), 0.0)
    assert ra.fn(ra.xlogy)(0.0, 0.0) == 0.0
    close(ra.fn(ra.softmax)(np.array([1000.0, -1000.0, 1000.0])), np.array([0.5, 0.0, 0.5]), 0.0)
    close(ra.fn(ra.log_softmax)(np.array([0.0, -1000.0])), np.array([0.0, -1000.0]), 0.0)


def test_nothing_warns() -> None:
    for f in (ra.gamma, ra.lgamma, ra.digamma, ra.i0, ra.sigmoid):
        f(LINE)
