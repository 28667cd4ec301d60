"""Singular points: where an infinite factor of a derivative meets a zero, both modes say NaN; what is not
wanted stays zero."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import rose_ad as ra

INF, NAN = math.inf, math.nan
# a function, a point, and the derivative that both modes give there: the true one, an infinite one, or NaN
POINTS: dict[str, tuple[Callable[[Any], Any], float, float]] = {
    "1/(1/x + 1/2)": (lambda x: 1 / (1 / x + 0.5), 0.0, NAN),
    "1/(1 + 1/sqrt x)": (lambda x: 1 / (1 + 1 / ra.sqrt(x)), 0.0, NAN),
    "log(1 + exp x)": (lambda x: ra.log(1 + ra.exp(x)), 800.0, NAN),
    "softplus": (ra.softplus, 800.0, 1.0),
    "softplus of a small number": (ra.softplus, -800.0, 0.0),
    "softplus at infinity": (ra.softplus, INF, 1.0),
    "logaddexp": (lambda x: ra.logaddexp(x, 0.0), 800.0, 1.0),
    "log exp": (lambda x: ra.log(ra.exp(x)), 800.0, NAN),
    "log exp of a small number": (lambda x: ra.log(ra.exp(x)), -800.0, NAN),
    "exp log": (lambda x: ra.exp(ra.log(x)), 0.0, NAN),
    "tanh log": (lambda x: ra.tanh(ra.log(x)), 0.0, NAN),
    "expm1 log1p": (lambda x: ra.expm1(ra.log1p(x)), -1.0, NAN),
    "1/(1 + exp x)": (lambda x: 1 / (1 + ra.exp(x)), 800.0, NAN),
    "acos squared": (lambda x: ra.acos(x) ** 2, 1.0, NAN),
    "-acos squared": (lambda x: -(ra.acos(x) ** 2), 1.0, NAN),
    "acos squared, three times": (lambda x: 3 * ra.acos(x) * ra.acos(x), 1.0, NAN),
    "asin squared": (lambda x: ra.asin(x) ** 2, 1.0, INF),
    "acosh squared": (lambda x: ra.acosh(x) ** 2, 1.0, NAN),
    "sqrt squared": (lambda x: ra.sqrt(x) ** 2, 0.0, NAN),
    "power squared": (lambda x: (x**0.5) ** 2, 0.0, NAN),
    "x sqrt x": (lambda x: x * ra.sqrt(x), 0.0, NAN),
    "x log x": (lambda x: x * ra.log(x), 0.0, NAN),
    "x² log x": (lambda x: x * x * ra.log(x), 0.0, NAN),
    "sqrt of a square": (lambda x: ra.sqrt(x * x), 0.0, NAN),
    "x/x": (lambda x: x / x, 0.0, NAN),
    "sin x / x": (lambda x: ra.sin(x) / x, 0.0, NAN),
    "exp(-1/x)": (lambda x: ra.exp(-1 / x), 0.0, NAN),
    "exp(-1/x²)": (lambda x: ra.exp(-1 / (x * x)), 0.0, NAN),
    "atan(1/x)": (lambda x: ra.atan(1 / x), 0.0, NAN),
    "tanh(1/x)": (lambda x: ra.tanh(1 / x), 0.0, NAN),
    "cos acos": (lambda x: ra.cos(ra.acos(x)), 1.0, NAN),
    "cosh acosh": (lambda x: ra.cosh(ra.acosh(x)), 1.0, NAN),
    "tanh atanh": (lambda x: ra.tanh(ra.atanh(x)), 1.0, NAN),
    "sin asin": (lambda x: ra.sin(ra.asin(x)), 1.0, INF),
    "sqrt": (ra.sqrt, 0.0, INF),
    "sqrt at infinity": (ra.sqrt, INF, 0.0),
    "asin": (ra.asin, 1.0, INF),
    "acos": (ra.acos, -1.0, -INF),
    "acosh": (ra.acosh, 1.0, INF),
    "atanh": (ra.atanh, 1.0, INF),
    "log": (ra.log, 0.0, INF),
    "log2": (ra.log2, 0.0, INF),
    "log10": (ra.log10, 0.0, INF),
    "log at infinity": (ra.log, INF, 0.0),
    "log1p": (ra.log1p, -1.0, INF),
    "1/x": (lambda x: 1 / x, 0.0, -INF),
    "1/x at infinity": (lambda x: 1 / x, INF, 0.0),
    "exp at minus infinity": (ra.exp, -INF, 0.0),
    "tanh at infinity": (ra.tanh, INF, 0.0),
    "atan at infinity": (ra.atan, INF, 0.0),
    "asinh at infinity": (ra.asinh, INF, 0.0),
    "root": (lambda x: x**0.5, 0.0, INF),
    "power": (lambda x: x**1.5, 0.0, 0.0),
    "atan2 at the origin": (lambda x: ra.atan2(x, 0.0), 0.0, NAN),
    "abs": (ra.abs, 0.0, 0.0),
    "abs squared": (lambda x: ra.abs(x) ** 2, 0.0, 0.0),
    "hypot": (lambda x: ra.hypot(x, x), 0.0, 0.0),
    "hypot squared": (lambda x: ra.hypot(x, x) ** 2, 0.0, 0.0),
    "norm": (lambda x: ra.norm(ra.array([x, x])), 0.0, 0.0),
    "maximum": (lambda x: ra.maximum(x, 0.0), 0.0, 0.0),
    "minimum": (lambda x: ra.minimum(0.0, x), 0.0, 1.0),
    "floor": (ra.floor, 1.0, 0.0),
    "sign": (ra.sign, 0.0, 0.0),
    "where sqrt": (lambda x: ra.where(x > 0, ra.sqrt(x), 0.0), 0.0, 0.0),
    "where x log x": (lambda x: ra.where(x > 0, x * ra.log(x), 0.0), 0.0, 0.0),
    "where 1/x": (lambda x: ra.where(x != 0, 1 / x, 0.0), 0.0, 0.0),
    "where sin x / x": (lambda x: ra.where(x != 0, ra.sin(x) / x, 1.0), 0.0, 0.0),
    "where acos squared": (lambda x: ra.where(x < 1, ra.acos(x) ** 2, -x), 1.0, -1.0),
    "where log exp": (lambda x: ra.where(x < 700, ra.log(1 + ra.exp(x)), x), 800.0, 1.0),
}


@pytest.mark.parametrize("name", POINTS)
def test_the_modes_agree(name: str) -> None:
    f, x, wanted = POINTS[name]
    called = ra.fn(f)
    ways = {
        "reverse": ra.grad(f)(x),
        "forward": ra.jvp(f, (x,), (1.0,))[1],
        "linearised": ra.linearize(f, x)[1](1.0),
        "of a call": ra.grad(lambda x: called(x))(x),
        "in lanes": ra.vmap(ra.grad(f))(np.full(3, x))[1],
    }
    for way, found in ways.items():
        np.testing.assert_equal(float(found) + 0.0, wanted, way)
    # what is not wanted is zero, however singular
    assert ra.jvp(f, (x,), (0.0,))[1] == 0.0
    assert ra.vjp(lambda x: (f(x), 2 * x), x)[1]((0.0, 1.0))[0] == 2.0


def test_second_derivatives_of_squares_of_norms() -> None:
    zero, two = np.zeros(2), 2 * np.eye(2)
    for f, wanted in (
        (lambda x: ra.norm(x) ** 2, two),
        (lambda x: ra.norm(x) * ra.norm(x), two),
        (lambda x: ra.square(ra.norm(x)), two),
        (lambda x: 3 * ra.norm(x) ** 2 + ra.norm(x) ** 4, 3 * two),
        (lambda x: ra.hypot(x[0], 2 * x[1]) ** 2, np.diag([2.0, 8.0])),
        (lambda x: ra.sum(ra.hypot(x, x) ** 2), 2 * two),
        (lambda x: ra.std(x) ** 2, np.array([[0.5, -0.5], [-0.5, 0.5]])),
    ):
        np.testing.assert_allclose(ra.hessian(f)(zero), wanted)
        np.testing.assert_allclose(ra.jacrev(ra.grad(f))(zero), wanted)
        np.testing.assert_allclose(ra.grad(f)(zero), zero)
