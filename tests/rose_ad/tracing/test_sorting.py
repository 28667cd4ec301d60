"""Sorting against numpy: short rows and long ones, ties, NaNs, types, batches, derivatives, growth."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import rose_ad as ra
from rose_ad.tracing.sorting import COUNTED

LENGTHS = (0, 1, 2, 3, COUNTED, COUNTED + 1, 100, 128, 129, 1000)


def row(n: int, dtype: Any = np.float64) -> Any:
    """Numbers with ties, and what compares oddly."""
    x = np.random.default_rng(n).integers(-n // 2, n // 2 + 1, n).astype(dtype)
    if np.issubdtype(dtype, np.floating):
        for k, odd in enumerate((np.nan, np.inf, -np.inf, -0.0, 0.0, np.nan)):
            x[k + 3 :: 11] = odd
    return x


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.int64, np.bool_])
@pytest.mark.parametrize("n", LENGTHS)
def test_the_order_is_numpys(n: int, dtype: Any) -> None:
    x = row(n, dtype)
    order = ra.fn(ra.argsort)(x)
    np.testing.assert_array_equal(order, np.argsort(x, kind="stable"))
    ordered = ra.fn(ra.sort)(x)
    np.testing.assert_array_equal(ordered, np.sort(x))
    assert ordered.dtype == dtype and order.dtype == np.int64


@settings(deadline=None, max_examples=40)
@given(st.lists(st.floats(), max_size=200))
def test_any_floats(values: list[float]) -> None:
    x = np.array(values, np.float64)
    np.testing.assert_array_equal(ra.fn(ra.argsort)(x), np.argsort(x, kind="stable"))


@pytest.mark.parametrize("n", [5, COUNTED + 3])
@pytest.mark.parametrize("axis", [0, 1, -1])
def test_axes_and_batches(n: int, axis: int) -> None:
    x = np.random.default_rng(n).normal(size=(n, 4) if axis == 0 else (4, n))
    np.testing.assert_array_equal(ra.fn(lambda x: ra.sort(x, axis=axis))(x), np.sort(x, axis))
    batch = np.stack([x, -x, x**2])
    f = ra.vmap(lambda x: ra.argsort(x, axis=axis))
    wanted = np.argsort(batch, axis=axis if axis < 0 else axis + 1, kind="stable")
    np.testing.assert_array_equal(f(batch), wanted)


@pytest.mark.parametrize("n", [6, COUNTED + 3])
def test_the_gradient_takes_each_entry_back(n: int) -> None:
    x, w = np.random.default_rng(n).normal(size=(2, n))
    order = np.argsort(x)
    wanted = np.zeros(n)
    wanted[order] = w
    f = ra.fn(lambda x: ra.sum(w * ra.sort(x)))
    np.testing.assert_array_equal(ra.grad(f)(x), wanted)
    assert ra.jvp(f, (x,), (wanted,))[1] == pytest.approx(w @ w)
    ra.check_grads(ra.fn(lambda x: ra.sum(w * ra.sort(ra.sin(x)) ** 2)), (x,))


def test_the_instructions_are_as_many_for_any_length() -> None:
    texts = [str(ra.fn(ra.sort).trace(np.ones(n))) for n in (500, 50_000)]
    assert texts[0].count("\n") == texts[1].count("\n")


def test_the_steps_go_with_n_log_n() -> None:
    def steps(n: int) -> int:
        x = np.random.default_rng(0).normal(size=n)
        for most in (1 << k for k in range(8, 30)):
            try:
                ra.interpret(ra.fn(ra.argsort).trace(x), [x], most)
            except ra.TooLong:
                continue
            return most
        raise AssertionError

    assert steps(1024) <= 32 * steps(80)
