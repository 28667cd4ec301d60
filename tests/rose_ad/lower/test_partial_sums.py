"""Long sums lose little: against sums in long double, of equal terms and of any."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import rose_ad as ra
from rose_ad.lower.partial_sums import PART, PARTS

LENGTHS = (2 * PART - 1, 2 * PART, 5 * PART + 7, 2 * PART * PARTS + 1)


def rows(x: Any) -> Any:
    """Each row adds to the same number."""
    return ra.sum(len(x) // 8, lambda i: ra.sum(8, lambda k: x[8 * i + k])) + ra.sum(
        x[len(x) // 8 * 8 :]
    )


SUMS: dict[str, Any] = {
    "sum": ra.sum,
    "mean": lambda x: ra.mean(x) * len(x),
    "dot": lambda x: ra.dot(x, ra.ones_like(x)),
    "of rows": rows,
}


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", SUMS)
@pytest.mark.parametrize("n", LENGTHS)
def test_a_long_sum_loses_little(n: int, name: str, dtype: Any) -> None:
    f = ra.fn(SUMS[name])
    for x in (np.full(n, 0.1, dtype), np.random.default_rng(n).random(n).astype(dtype)):
        wanted = x.astype(np.longdouble).sum()
        assert abs(float(f(x)) / wanted - 1) < 256 * np.finfo(dtype).eps


@pytest.mark.parametrize("n", [1, PART, *LENGTHS[:3]])
def test_what_else_the_loop_does_is_done_once(n: int) -> None:
    """Several sums, one of Ints, one of an array, and rows, in one loop, and its derivative."""

    def f(x: Any) -> Any:
        a, squares, number, parts = ra.accum(), ra.accum(), ra.accum(ra.Int), ra.accum(3)
        for i in ra.range(len(x)):
            a += x[i]
            with ra.when(x[i] > 0.5):
                squares += x[i] ** 2
                number += 1
            parts[i % 3] += x[i]
        return a.freeze(), squares.freeze(), number.freeze(), parts.freeze()

    x = np.random.default_rng(n).random(n)
    a, squares, number, parts = ra.fn(f)(x)
    big = x > 0.5
    np.testing.assert_allclose((a, squares), (x.sum(), (x[big] ** 2).sum()), rtol=1e-13)
    assert number == big.sum()
    np.testing.assert_allclose(parts, [x[k::3].sum() for k in range(3)], rtol=1e-12)
    gradient = ra.grad(lambda x: f(x)[0] * 3 + f(x)[1])(x)
    np.testing.assert_allclose(gradient, 3 + np.where(big, 2 * x, 0.0), rtol=1e-15)
    np.testing.assert_allclose(ra.vmap(f)(np.stack([x, x]))[0], [a, a], rtol=1e-12)
