"""Long loops become functions, equal ones one function, and nothing else changes."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import rose_ad as ra
from tests.support.checks import checked_gradient


def long_step(c: Any, terms: int, factor: float) -> Any:
    """Some arithmetic that no rule makes shorter."""
    for k in range(terms):
        c = ra.sqrt(c * c + (k + factor)) - factor * c / (1 + c * c)
    return c


def loop(x: Any, steps: Any, terms: int, factor: float = 0.3) -> Any:
    return ra.while_loop(
        lambda s: s[1] < steps, lambda s: (long_step(s[0], terms, factor), s[1] + 1), (x, 0)
    )[0]


def once(x: Any, n: Any) -> Any:
    return loop(start(x), n, 40)


def twice(x: Any, n: Any) -> Any:
    return loop(loop(start(x), n, 40) + 1, n, 40)


def of_two_kinds(x: Any, n: Any) -> Any:
    return loop(loop(start(x), n, 40) + 1, n, 40, 0.7)


def short(x: Any, n: Any) -> Any:
    return loop(start(x), n, 3)


def start(x: Any) -> Any:
    """Of an array, since only programs with loops over arrays are arranged."""
    return ra.sum(ra.build(20, lambda i: ra.tanh(x * i)))


def functions(f: Callable[..., Any], *args: Any) -> int:
    """How many functions of the program's own LLVM is given."""
    return len(re.findall(r"\ndefine [^@]*@f\d+\(", ra.fn(f).lower(*args).llvm))


@pytest.mark.parametrize(("f", "more"), [(short, 0), (once, 1), (twice, 1), (of_two_kinds, 2)])
def test_long_loops_are_functions_and_equal_ones_are_one(f: Any, more: int) -> None:
    assert functions(f, 0.4, 3) == functions(short, 0.4, 3) + more


@pytest.mark.parametrize("f", [once, twice, of_two_kinds, short])
@pytest.mark.parametrize("n", [0, 1, 5])
def test_values_and_gradients_are_those_of_the_interpreter(f: Any, n: int) -> None:
    checked_gradient(lambda x: f(x, n), 0.4)


@pytest.mark.parametrize("f", [once, twice, of_two_kinds])
def test_lanes_and_second_derivatives(f: Any) -> None:
    x = np.linspace(0.1, 2.0, 7)
    g = ra.fn(lambda v: f(v, 4))
    np.testing.assert_allclose(ra.vmap(g)(x), [g(float(v)) for v in x], rtol=1e-13)
    slope = ra.grad(g)
    by_steps = (slope(0.4 + 1e-6) - slope(0.4 - 1e-6)) / 2e-6
    np.testing.assert_allclose(ra.grad(slope)(0.4), by_steps, rtol=1e-6, atol=1e-8)
