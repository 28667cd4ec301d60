"""Our elementary functions: how near they are to the truth, and that loops use their vector forms."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from random import Random
from typing import Any

import mpmath as mp
import numpy as np
import pytest

import rose_ad as ra
from rose_ad.ir.elementary import FUNCTIONS, PAIRED, evaluate

TRUTH: dict[str, Callable[[Any], Any]] = {
    "exp": mp.exp,
    "expm1": mp.expm1,
    "tanh": mp.tanh,
    "softplus": lambda x: mp.log1p(mp.exp(x)) if x > -50 else mp.exp(x),
    "log": mp.log,
    "log1p": mp.log1p,
    "sin": mp.sin,
    "cos": mp.cos,
    "tan": mp.tan,
}
LIBM = {"softplus": lambda x: np.logaddexp(x, 0.0)}
WITHIN = {
    "expm1": 2.0,
    "tanh": 2.5,
    "softplus": 3.0,
    "tan": 3.0,
}  # units in the last place; 1 of the others
OF_ALL = [(-1e-3, 1e-3), (-1.0, 1.0), (-20.0, 20.0), (-700.0, 700.0)]
OF_TURNS = [(-1e-3, 1e-3), (-1.0, 1.0), (-20.0, 20.0), (-1e4, 1e4), (-1e6, 1e6), (1e6, 1e9)]
RANGES = {
    "log": [(1e-300, 1e-290), (1e-310, 1e-309), (0.4, 2.5), (0.99, 1.01), (1e3, 1e300)],
    "log1p": [
        (-0.9999, 3.0),
        (0.4, 1.0),
        (1.0, 3.0),
        (-0.5, -0.25),
        (-1e-3, 1e-3),
        (-1e-12, 1e-12),
        (1e3, 1e300),
    ],
    "sin": OF_TURNS,
    "cos": OF_TURNS,
    "tan": OF_TURNS,
}
SPECIAL = [0.0, -0.0, math.inf, -math.inf, math.nan, 5e-324, -1e-310, 1e-17, 1e300, -1e300,
           709.78, 709.79, -708.5, -745.1, -745.2, 22.0, -40.0, -1.0, 1.0, 1e6, 1e22]  # fmt: skip


def compiled(name: str) -> Any:
    return ra.fn(lambda x: getattr(ra, name)(x))


def test_every_function_is_tested() -> None:
    assert set(TRUTH) == set(FUNCTIONS)


@pytest.mark.parametrize("name", TRUTH)
def test_units_in_the_last_place(name: str) -> None:
    f, random = evaluate(name), Random(1)
    with mp.workprec(200):
        for low, high in RANGES.get(name, OF_ALL):
            for _ in range(2000):
                x = random.uniform(low, high)
                assert ulps(f(x), TRUTH[name](mp.mpf(x))) < WITHIN.get(name, 1.0), x


@pytest.mark.parametrize("name", ["sin", "cos", "tan"])
@pytest.mark.parametrize("k", range(1, 40, 3))
def test_turns_near_their_zeros(name: str, k: int) -> None:
    x = k * math.pi / 2
    with mp.workprec(300):
        assert ulps(evaluate(name)(x), TRUTH[name](mp.mpf(x))) < WITHIN.get(name, 1.0)


def ulps(found: float, truth: Any) -> float:
    return float(abs(mp.mpf(found) - truth) / mp.mpf(math.ulp(float(truth))))


@pytest.mark.parametrize("name", TRUTH)
def test_limits(name: str) -> None:
    with np.errstate(all="ignore"):
        for x in SPECIAL:
            ours, libm = evaluate(name)(x), float(LIBM.get(name, getattr(np, name, None))(x))
            assert math.copysign(1.0, ours) == math.copysign(1.0, libm) or math.isnan(libm), x
            np.testing.assert_allclose(ours, libm, rtol=5e-16 if abs(x) < 1 else 1e-15, atol=1e-323)


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
    both = "sincos" if name in PAIRED else name
    assert f"@rose_{both}{letter}_v{width}(<{width} x" in ra.vmap(compiled(name)).lower(x).llvm


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("name", TRUTH)
@pytest.mark.parametrize(
    "others", [[], [2e6, -1e22, math.inf, math.nan]]
)  # for all lanes, for some
def test_a_number_a_loop_and_lanes_give_the_same_bits(
    name: str, dtype: Any, others: list[float]
) -> None:
    x = np.random.default_rng(3).normal(0, 20, 61).astype(dtype)
    x[5 : 5 + 12 * len(others) : 12] = others
    f = compiled(name)
    with np.errstate(all="ignore"):
        alone = np.array([f(dtype(v) if dtype is np.float32 else float(v)) for v in x]).astype(
            dtype
        )
    np.testing.assert_array_equal(f(x), alone)
    np.testing.assert_array_equal(ra.vmap(f)(x), alone)


@pytest.mark.parametrize("x", [0.3, -2.0, 55.5, 3e6, math.inf])
def test_a_sine_and_a_cosine_are_those_of_one_call(x: float) -> None:
    both = ra.fn(lambda x: (ra.sin(x), ra.cos(x)))
    np.testing.assert_array_equal(both(x), (evaluated("sin", x), evaluated("cos", x)))
    calls = re.findall(r"\bcall\w*\s+_?rose_sincos\b|\bbl\s+_?rose_sincos\b", both.lower(x).asm)
    assert len(calls) == 1


def evaluated(name: str, x: float) -> float:
    return float(compiled(name)(x))
