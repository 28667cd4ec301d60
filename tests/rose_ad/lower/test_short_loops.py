"""Short loops on vectors, with the values of the interpreter and of numpy."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import rose_ad as ra
from rose_ad.ir.interp import interpret
from rose_ad.lower import short_loops
from tests.rose_ad import fuzz
from tests.support.checks import checked_gradient

DRAW = np.random.default_rng(11)


def has_vectors(f: Callable[..., Any], *args: Any) -> bool:
    """Whether LLVM is given vectors."""
    return re.search(r"<[248] x (double|float|i64)>", ra.fn(f).lower(*args).llvm) is not None


def agrees(f: Callable[..., Any], *args: Any) -> None:
    lowered = ra.fn(f).lower(*args)
    expected = interpret(lowered.program.function, list(args))
    found = ra.flatten(ra.fn(f)(*args))[0]
    single = any(a.dtype == np.float32 for a in args if isinstance(a, np.ndarray))
    for x, y in zip(found, expected, strict=True):
        np.testing.assert_allclose(
            x, y, rtol=2e-5 if single else 1e-13, atol=1e-6 if single else 1e-14
        )


def plain(x: Any, y: Any) -> Any:
    return 2 * x - x[0] * y


def chosen(x: Any, y: Any) -> Any:
    return ra.where((x > y) & (abs(x) < 1), ra.sqrt(abs(x)), ra.maximum(y, 0) / 3)


def sums(x: Any, y: Any) -> Any:
    return ra.sum(x * y), ra.sum(x) * ra.sum(ra.exp(y))


def shifted(x: Any, y: Any) -> Any:
    n = x.shape[0]
    return ra.build(n - 1, lambda i: x[i + 1] * y[i] - y[i + 1])


def counted(x: Any, y: Any) -> Any:
    n = x.shape[0]
    k = ra.build(n, lambda i: ra.where(x[i] > 0, 2 * i, -i))
    return k, ra.sum(k), ra.sum(x > y)


def rows(x: Any, y: Any) -> Any:
    total = ra.accum(x.shape[0] + 2)
    for i in ra.range(3):
        for j in ra.range(x.shape[0]):
            total[j + 1] += x[j] * (i + 1)
        total[1:-1] += ra.tanh(y) * i
    return total.freeze()


def bits(x: Any, y: Any) -> Any:
    return x < y, ~(x < y) | (x > 0)


def of_three(x: Any, y: Any) -> Any:
    """Sums in which some of what is added does not differ from entry to entry."""
    total, other = ra.accum(), ra.accum()
    for i in ra.range(x.shape[0]):
        total += x[2]
        total += y[i]
        other += x[i] * y[1]
    return total.freeze() * other.freeze()


FUNCTIONS = [plain, chosen, sums, shifted, counted, rows, bits, of_three]


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("f", FUNCTIONS)
def test_values_of_all_lengths(f: Any, dtype: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(short_loops, "LEAST", 3)
    for n in (3, 5, 6, 7, 8, 9, 12, 15, 16, 17):
        x, y = DRAW.normal(size=(2, n)).astype(dtype)
        agrees(f, x, y)
        assert has_vectors(f, x, y) or n in (3, 17), n


@pytest.mark.parametrize("n", [5, 12, 16])
@pytest.mark.parametrize("f", [plain, chosen, shifted, rows])
def test_gradients(f: Any, n: int) -> None:
    x, y = DRAW.normal(size=(2, n))
    checked_gradient(lambda x: ra.sum(f(x, ra.array(y)) ** 2), x)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize(
    "shape", [(5, 5, 5), (6, 7, 8), (12, 12, 12), (8, 3, 16), (9, 16, 10), (7, 5, 13)]
)
def test_products_of_matrices(shape: tuple[int, int, int], dtype: Any) -> None:
    n, m, k = shape
    a, b = DRAW.normal(size=(n, m)).astype(dtype), DRAW.normal(size=(m, k)).astype(dtype)
    w = DRAW.normal(size=(n, k)).astype(dtype)
    value, (da, db) = ra.value_and_grad(lambda a, b: ra.sum(a @ b * w), (0, 1))(a, b)
    close = {"rtol": 1e-12, "atol": 1e-12} if dtype == np.float64 else {"rtol": 1e-4, "atol": 1e-4}
    np.testing.assert_allclose(value, np.sum(a @ b * w), **close)
    np.testing.assert_allclose(da, w @ b.T, **close)
    np.testing.assert_allclose(db, a.T @ w, **close)


def test_what_is_made_of_numbers_stays_numbers() -> None:
    def packed(x: Any) -> Any:
        state = ra.array([x, 2 * x, ra.sqrt(x), x * x, x - 1, 1 / x])
        return ra.sum(state * np.arange(6.0))

    def taken_apart(x: Any) -> Any:
        y = ra.build(6, lambda i: x[i] * 3)
        return y[0] * y[1] - y[2] * y[3] + y[4] / y[5]

    assert not has_vectors(packed, 0.5)
    assert not has_vectors(taken_apart, DRAW.normal(size=6))


def test_random_programs_in_vectors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(short_loops, "LEAST", 2)
    monkeypatch.setattr(short_loops._Arrays, "suit", lambda self, loop: True)
    written, real = [], short_loops.ShortLoop.run
    monkeypatch.setattr(short_loops.ShortLoop, "run", lambda s: written.append(s) or real(s))
    failures: list[Any] = []
    fuzz.run_seeds(
        range(5000, 5030), fuzz.BATCH, 0.1, lambda what, x: what == "failed" and failures.append(x)
    )
    assert not failures
    assert len(written) > 8
