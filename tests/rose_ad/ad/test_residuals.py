"""What the reverse pass remembers: dear values once, within bounds."""

from __future__ import annotations

from typing import Any

import numpy as np

import rose_ad as ra
from tests.support.checks import checked_gradient

FIELD = np.random.default_rng(1).normal(size=(6, 7))


def test_elementary_functions_are_computed_once() -> None:
    def of_arrays(v: Any, x: Any) -> Any:
        return ra.sum(ra.tanh(v * x) * ra.exp(v))

    _, shown = checked_gradient(of_arrays, FIELD, 0.3)
    assert shown.count("tanh") == shown.count("exp") == 1

    def in_time(c: Any, w: Any) -> Any:
        def step(c: Any, _: Any) -> Any:
            h = ra.tanh(ra.matmul(w, c))
            return h * ra.exp(-c), ra.sum(h)

        c, ys = ra.scan(step, c, length=5)
        return ra.sum(c * c) + ra.sum(ys * ys)

    _, shown = checked_gradient(in_time, FIELD[:, 0], FIELD[:, :6] * 0.3)
    assert shown.count("tanh") == shown.count("exp") == 1


def test_what_a_loop_remembers_is_bounded() -> None:
    """A step that makes far more than it carries computes it again."""

    def f(x: Any, v: Any) -> Any:
        return ra.fori_loop(0, n, lambda i, c: 0.5 * c + ra.sum(ra.tanh(v * c)) / 100, x)

    n, v = 1000, np.linspace(-1, 1, 100)
    memory = ra.value_and_grad(f, (0, 1)).lower(0.3, v).memory
    assert 8 * n <= memory < 8 * n * 6
    n = 9
    checked_gradient(f, 0.3, v)


def test_remembered_values_of_counted_loops() -> None:
    def f(x: Any, v: Any) -> Any:
        c, _ = ra.scan(lambda c, a: (ra.sin(c * a) + c, None), x, v, reverse=True)
        w = ra.fori_loop(0, 4, lambda i, w: ra.tanh(w * c) + w[::-1], v)
        return ra.sum(w * w)

    checked_gradient(f, 0.3, FIELD[0])
