"""A Python variable that a loop's body would change only once is an error; what is the body's own is not."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import rose_ad as ra

X = np.array([1.0, 2.0, 3.0])


class Counter:
    def __init__(self) -> None:
        self.n = 0


outside = 0


def alternates(x: Any) -> Any:
    total, sign = ra.accum(), 1.0
    for i in ra.range(3):
        total += sign * x[i]
        sign = -sign  # HERE
    return total


def counts(x: Any) -> Any:
    total, n = ra.accum(), 0
    for i in ra.range(3):
        n += 1  # HERE
        total += n * x[i]
    return total


def counts_in_a_branch(x: Any) -> Any:
    total, n = ra.accum(), 0
    for i in ra.range(3):
        with ra.when(x[i] > 0):
            n += 1  # HERE
            total += n * x[i]
    return total


def remembers(x: Any) -> Any:
    total, before = ra.accum(), 0.0
    for i in ra.range(3):
        total += x[i] - before
        before = x[i]  # HERE
    return total


def exchanges(x: Any) -> Any:
    total, a, b = ra.accum(), 1.0, 2.0
    for i in ra.range(3):
        total += a * x[i]
        a, b = b, a  # HERE
    return total


def closed_over(x: Any) -> Any:
    n = 0

    def inner() -> Any:
        nonlocal n
        total = ra.accum()
        for i in ra.range(3):
            n = n + 1  # HERE
            total += n * x[i]
        return total

    return inner()


def of_the_module(x: Any) -> Any:
    global outside
    total = ra.accum()
    for i in ra.range(3):
        outside += 1  # HERE
        total += outside * x[i]
    return total


def an_attribute(x: Any) -> Any:
    total, counter = ra.accum(), Counter()
    for i in ra.range(3):  # HERE
        counter.n += 1
        total += counter.n * x[i]
    return total


def an_entry(x: Any) -> Any:
    total, count = ra.accum(), {"n": 0}
    for i in ra.range(3):  # HERE
        count["n"] += 1
        total += count["n"] * x[i]
    return total


def a_list(x: Any) -> Any:
    total, seen = ra.accum(), []
    for i in ra.range(3):  # HERE
        seen.append(i)
        total += len(seen) * x[i]
    return total


def in_the_inner_loop(x: Any) -> Any:
    total, n = ra.accum(), 0
    for i in ra.range(3):
        for j in ra.range(2):
            n += 1  # HERE
            total += n * x[i] * j
    return total


def in_a_loop_with_traced_bounds(x: Any) -> Any:
    total, n = ra.accum(), 0
    for i in ra.range(ra.to_int(x[2])):
        n += 1  # HERE
        total += n * x[i]
    return total


def enumerated(x: Any) -> Any:
    total = ra.accum()
    for k, i in enumerate(ra.range(3)):  # HERE
        total += k * x[i]
    return total


def enumerated_as_one(x: Any) -> Any:
    total = ra.accum()
    for pair in enumerate(ra.range(3)):  # HERE
        total += pair[0] * x[pair[1]]
    return total


def zipped(x: Any) -> Any:
    total = ra.accum()
    for i, weight in zip(ra.range(3), (1.0, 2.0, 3.0), strict=False):  # HERE
        total += weight * x[i]
    return total


def listed(x: Any) -> Any:
    return len(list(ra.range(3))) * x[0]  # HERE


def in_a_comprehension(x: Any) -> Any:
    return len([1 for _ in ra.range(3)]) * x[0]  # HERE


def in_a_generator(x: Any) -> Any:
    return sum(1 for _ in ra.range(3)) * x[0]  # HERE


def as_arguments(x: Any) -> Any:
    return max(*ra.range(3)) * x[0]  # HERE


WRONG = [
    alternates, counts, counts_in_a_branch, remembers, exchanges, closed_over, of_the_module, an_attribute,
    an_entry, a_list, in_the_inner_loop, in_a_loop_with_traced_bounds, enumerated, enumerated_as_one, zipped,
    listed, in_a_comprehension, in_a_generator, as_arguments,
]  # fmt: skip


@pytest.mark.parametrize("f", WRONG)
@pytest.mark.parametrize("transform", [ra.fn, ra.grad, lambda f: ra.vmap(f, in_axes=None)])
def test_what_would_change_once_is_an_error(f: Callable[[Any], Any], transform: Any) -> None:
    lines, first = inspect.getsourcelines(f)
    line = first + next(k for k, text in enumerate(lines) if "# HERE" in text)
    given = np.stack([X, X])
    g = ra.vmap(f) if transform not in (ra.fn, ra.grad) else transform(f)
    with pytest.raises(ra.TraceError, match=r"for all iterations") as error:
        g(given if transform not in (ra.fn, ra.grad) else X)
    assert re.search(rf"test_python_state.py:{line}\b", str(error.value)), str(error.value)
    assert "instead: " in str(error.value)


def temporaries(x: Any) -> Any:
    total = ra.accum()
    for i in ra.range(3):
        part = 0.0
        for k in range(2):
            part += (k + 1) * x[i]
        total += part
    for i in ra.range(3):
        part = 1.0
        part = part * x[i]
        total += part
    return total


def reused_names(x: Any) -> Any:
    d, k, i = 0.5, 7, 3
    total = ra.accum()
    total += d * k * i * 0.0
    for i in ra.range(3):
        d = 4.0 * x[i]
        k = 0
        k += 1
        total += d * k
    return total


def accumulators(x: Any) -> Any:
    total, rows, more = ra.accum(), ra.accum(3), ra.accum((2, 3))
    part = more[0]
    for i in ra.range(3):
        total += x[i]
        rows[i] += x[i] * x[i]
        part[i] += 0.0
    return total + ra.sum(rows.freeze()) + ra.sum(more.freeze())


def read_only_state(x: Any) -> Any:
    scale, table, counter = 2.0, [1.0, 2.0], Counter()
    cache: dict[str, float] = {}
    total = ra.accum()
    for i in ra.range(3):
        total += scale * table[1] * (counter.n + cache.setdefault("a", 1.0)) * x[i]
    return total


def one_iteration(x: Any) -> Any:
    total, n = ra.accum(), 0
    for i in ra.range(1):
        n += 1
        total += n * x[i]
    return total + n


def pairs(n: int) -> Any:
    for i in ra.range(n):
        for j in ra.range(i):
            yield i, j


def by_a_generator_function(x: Any) -> Any:
    total = ra.accum()
    for i, j in pairs(3):
        total += x[i] * x[j]
    return total


def with_lambdas(x: Any) -> Any:
    total = ra.accum()
    for i in ra.range(3):
        square = lambda v: v * v  # noqa: E731
        total += square(x[i]) + sum(y * x[i] for y in (1.0, 2.0)) + sum([z for z in (3.0,)])
    return total


RIGHT: list[tuple[Callable[[Any], Any], float]] = [
    (temporaries, 24.0), (reused_names, 24.0), (accumulators, 20.0), (read_only_state, 24.0),
    (one_iteration, 2.0), (by_a_generator_function, 11.0), (with_lambdas, 41.0),
]  # fmt: skip


@pytest.mark.parametrize(("f", "value"), RIGHT)
def test_what_is_the_bodys_own_is_free(f: Callable[[Any], Any], value: float) -> None:
    assert ra.fn(f)(X) == pytest.approx(value)
