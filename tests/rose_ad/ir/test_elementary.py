"""exp, expm1, softplus and tanh: how near they are to the truth, and that loops use their vector forms."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from decimal import Decimal, localcontext
from random import Random
from typing import Any

import numpy as np
import pytest

import rose_ad as ra
from rose_ad.ir.elementary import FUNCTIONS, evaluate


def _tanh(x: Decimal) -> Decimal:
    double = (2 * x).exp()
    return (double - 1) / (double + 1)


def _softplus(x: Decimal) -> Decimal:
    u = x.exp()
    return u - u * u / 2 + u * u * u / 3 if x < -50 else (1 + u).ln()


TRUTH: dict[str, Callable[[Decimal], Decimal]] = {
    "exp": Decimal.exp,
    "expm1": lambda x: x.exp() - 1,
    "tanh": _tanh,
    "softplus": _softplus,
}
LIBM = {"softplus": lambda x: np.logaddexp(x, 0.0)}
WITHIN = {"exp": 1.0, "expm1": 2.0, "tanh": 2.5, "softplus": 3.0}  # units in the last place
SPECIAL = [0.0, -0.0, math.inf, -math.inf, math.nan, 5e-324, -1e-310, 1e-17, 1e300, -1e300,
           709.78, 709.79, -708.5, -745.1, -745.2, 22.0, -40.0]  # fmt: skip


def compiled(name: str) -> Any:
    return ra.fn(lambda x: getattr(ra, name)(x))


def test_every_function_is_tested() -> None:
    assert set(TRUTH) == set(WITHIN) == set(FUNCTIONS)


@pytest.mark.parametrize("span", [1e-3, 1.0, 20.0, 700.0])
@pytest.mark.parametrize("name", TRUTH)
def test_units_in_the_last_place(name: str, span: float) -> None:
    f, random = evaluate(name), Random(1)
    with localcontext() as context:
        context.prec = 60
        for _ in range(3000):
            x = random.uniform(-span, span)
            truth = TRUTH[name](Decimal(x))
            error = abs(Decimal(f(x)) - truth) / Decimal(math.ulp(float(truth)))
            assert error < WITHIN[name], x


@pytest.mark.parametrize("name", TRUTH)
def test_limits(name: str) -> None:
    with np.errstate(all="ignore"):
        for x in SPECIAL:
            ours, libm = evaluate(name)(x), float(LIBM.get(name, getattr(np, name, None))(x))
            assert math.copysign(1.0, ours) == math.copysign(1.0, libm) or math.isnan(libm), x
            np.testing.assert_allclose(ours, libm, rtol=1e-15, atol=1e-323)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("name", TRUTH)
def test_machine_and_interpreter_agree(name: str, dtype: Any) -> None:
    """Up to the contraction of products and sums."""
    with np.errstate(all="ignore"):
        x = np.array([*SPECIAL, *np.random.default_rng(2).normal(0, 20, 500)]).astype(dtype)
        oracle = np.array([evaluate(name)(v) for v in x]).astype(dtype)
    tolerance = 2 * np.finfo(dtype).eps
    one, lanes = compiled(name), ra.vmap(compiled(name))
    np.testing.assert_allclose(one(x), oracle, rtol=tolerance, atol=1e-323)
    np.testing.assert_allclose(lanes(x), oracle, rtol=tolerance, atol=1e-323)
    alone = [one(dtype(v) if dtype is np.float32 else float(v)) for v in x]
    np.testing.assert_allclose(alone, oracle, rtol=tolerance, atol=1e-323)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("name", TRUTH)
def test_loops_are_vectorised(name: str, dtype: Any) -> None:
    x = np.zeros(256, dtype)
    letter = "f" if dtype is np.float32 else ""
    vector = rf"\bcall\w*\s+_?rose_{name}{letter}_v\d\b|\bbl\s+_?rose_{name}{letter}_v\d\b"
    assert re.search(vector, compiled(name).lower(x).asm)
    width = 8 if dtype is np.float32 else 4
    assert f"@rose_{name}{letter}_v{width}(<{width} x" in ra.vmap(compiled(name)).lower(x).llvm
