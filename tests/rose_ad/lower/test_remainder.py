"""Remainders are Python's."""

from __future__ import annotations

import numpy as np
import pytest

import rose_ad as ra

DRAW = np.random.default_rng(7)


@pytest.mark.parametrize("n", [1, 2, 7, 110, 2**40])
def test_remainders_are_those_of_python(n: int) -> None:
    f = ra.fn(lambda x: x % n)
    big = 2**63 - 1
    for x in (0, 1, -1, n - 1, n, -n, n + 1, 5 * n + 3, -5 * n - 3, big, -big - 1):
        assert f(x) == x % n


def test_remainders_of_what_is_nearly_in_range() -> None:
    f = ra.fn(lambda x: ra.build(9, lambda i: x[(i - 9) % 9] + 10 * x[(i + 8) % 9]))
    x = DRAW.normal(size=9)
    np.testing.assert_allclose(f(x), x + 10 * np.roll(x, 1), rtol=1e-15)
