"""What LLVM is told of accumulators (rose_ad/lower/aliasing.py), and that it is true."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

import rose_ad as ra

N = 100  # entries: too many for the stack


def mixed(c: Any) -> tuple[Any, Any]:
    """Two sums of one array, each added to at several places, one of them read while the other is added to."""
    r, s = ra.accum(N), ra.accum(N)
    for i in ra.range(N):
        r[i] += 0.5 * c[N - 1 - i]
        r[(7 * i) % N] += ra.sin(c[i])
        s[(3 * i) % N] += c[i] * c[(i + 1) % N]
    first = r.freeze()
    for i in ra.range(N):
        s[i] += 0.1 * first[(11 * i) % N]
    return first, s.freeze()


def mixed_by_numpy(c: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    i = np.arange(N)
    r, s = 0.5 * c[::-1], np.zeros(N)
    np.add.at(r, (7 * i) % N, np.sin(c))
    np.add.at(s, (3 * i) % N, c * np.roll(c, -1))
    return r, s + 0.1 * r[(11 * i) % N]


@pytest.mark.parametrize("steps", [1, 2, 3, 4, 9])
def test_sums_that_are_carried_on_and_read(steps: int) -> None:
    def f(c: Any) -> Any:
        def step(_: Any, c: Any) -> Any:
            r, s = mixed(c)
            return ra.tanh(r - 0.3 * s)

        return ra.fori_loop(0, steps, step, c)

    c = np.sin(np.arange(N) ** 1.5)
    expected = c
    for _ in range(steps):
        r, s = mixed_by_numpy(expected)
        expected = np.tanh(r - 0.3 * s)
    np.testing.assert_allclose(ra.fn(f)(c), expected, rtol=1e-12, atol=1e-13)
    ra.check_grads(lambda c: ra.sum(ra.sin(f(c))), (c,))


def test_adds_are_said_to_be_apart_from_what_a_loop_reads() -> None:
    def f(c: Any) -> Any:
        r, s = mixed(c)
        return ra.sum(r * s)

    text = ra.fn(f).lower(np.ones(N)).llvm
    accesses = re.findall(r"(?:load|store) double.*", text)
    adds = [a for a in accesses if "!alias.scope" in a]
    assert any("!noalias" in a for a in adds)  # of one sum, not in the other
    assert any("!noalias" in a for a in accesses if a not in adds)  # of what is read for them


def test_a_sum_that_goes_where_others_lie_is_not() -> None:
    def f(c: Any) -> Any:
        def step(_: Any, c: Any) -> Any:
            r = ra.accum(N)
            for i in ra.range(N):
                r[(7 * i) % N] += c[i]
            return r.freeze()  # made in the place of the next carry

        return ra.fori_loop(0, 3, step, c)

    assert "!alias.scope" not in ra.fn(f).lower(np.ones(N)).llvm
    c = np.arange(float(N))
    expected = c
    for _ in range(3):
        r = np.zeros(N)
        np.add.at(r, (7 * np.arange(N)) % N, expected)
        expected = r
    np.testing.assert_array_equal(ra.fn(f)(c), expected)
