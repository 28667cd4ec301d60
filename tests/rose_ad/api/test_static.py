"""Static parameters: Python values while tracing, whatever the transformation, however they are given."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest

import rose_ad as ra


def power_sum(x: Any, n: Any, names: Any = ("a",)) -> Any:
    total = 0.0
    for k in range(n):  # unrolled: n is a Python int
        total = total + ra.sum(x) ** (k + 1)
    return total * len(names)


named = ra.fn(power_sum, static=("n", "names"))


@ra.fn(static=("n",))
def decorated(x: Any, n: int) -> Any:
    return ra.sum(ra.linspace(0.0, 1.0, n)) * x + n


@ra.fn
def annotated(x: ra.Real, n: ra.Static) -> Any:
    return ra.sum(ra.build(n, lambda i: x * i))


@ra.fn
def annotated_by_text(x: ra.Real, *, n: ra.Static = 3) -> Any:
    return ra.sum(ra.build(n, lambda i: x * i))


def test_values() -> None:
    for n in (1, 2, 3, 2):
        assert named(2.0, n) == sum(2.0 ** (k + 1) for k in range(n))
        assert named(2.0, n=n, names=("a", "b")) == 2 * sum(2.0 ** (k + 1) for k in range(n))
        assert decorated(2.0, n + 1) == pytest.approx(n + 1.0 + n + 1)
        assert annotated(2.0, n) == n * (n - 1) == annotated_by_text(2.0, n=n)
    assert annotated_by_text(2.0) == 6.0


def test_each_value_is_traced_once() -> None:
    seen: list[int] = []

    @ra.fn(static="n")
    def f(x: Any, n: int) -> Any:
        seen.append(n)
        return x * n

    for _ in range(3):
        assert f(2.0, 3) == 6.0 and f(2.0, n=4) == 8.0
        assert ra.grad(f)(2.0, 3) == 3.0
    assert seen == [3, 4]
    assert f(2.0, np.int64(3)) == 6.0 and f(2.0, True) == 2.0  # other types, other constants


def test_transformations() -> None:
    x, n = 2.0, 3
    slope = sum((k + 1) * x**k for k in range(n))
    assert ra.grad(named)(x, n) == slope
    assert ra.value_and_grad(named)(x, n=n) == (named(x, n), slope)
    assert ra.grad(ra.grad(named))(x, n) == 2.0 + 6.0 * x
    assert ra.jacfwd(named)(x, n) == ra.jacrev(named)(x, n=n) == slope
    assert ra.hessian(named)(x, n) == 2.0 + 6.0 * x
    rows = np.array([1.0, 2.0])
    assert ra.vmap(named, in_axes=(0, None))(rows, n).tolist() == [named(1.0, n), named(2.0, n)]
    assert ra.vmap(ra.grad(named), (0, None), threads=2)(rows, n)[1] == slope
    assert ra.jvp(lambda y: named(y, n), (x,), (1.0,))[1] == slope
    assert ra.fn(lambda y: named(y, n) + named(y, 1))(x) == named(x, n) + x


def test_it_pickles() -> None:
    again = pickle.loads(pickle.dumps(named))
    assert again(2.0, 2) == named(2.0, 2) and again.static == ("n", "names")


def test_errors() -> None:
    with pytest.raises(ra.TypeMismatch, match="power_sum has no parameter m"):
        ra.fn(power_sum, static=("m",))
    with pytest.raises(
        ra.TypeMismatch, match="static argument n of power_sum cannot be compared: list"
    ):
        named(2.0, [3])
    with pytest.raises(ra.TraceError, match="static argument n of power_sum is not known"):
        ra.fn(lambda x, k: named(x, k))(2.0, 3)
    with pytest.raises(ra.TypeMismatch, match="already"):
        ra.fn(named, static=("n",))
    with pytest.raises(ra.TraceError, match=r"@ra.fn\(static=\('n',\)\)"):
        ra.fn(lambda x, n: ra.build(n, lambda i: x))(1.0, 3)
