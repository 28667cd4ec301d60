"""Loops are cut where tests of their index turn: shifted reads on grids of many lengths."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest

import rose_ad as ra
from rose_ad.lower.index_splitting import pieces
from tests.support.checks import all_instructions

DRAW = np.random.default_rng(7)


def wrapped(i: Any, by: int, n: int) -> Any:
    return (i + by) % n


def kept(i: Any, by: int, n: int) -> Any:
    return ra.clip(i + by, 0, n - 1)


# ------------------------------------------------------------------------------------ shifts


def shifted(x: Any, by: int, place: Any) -> Any:
    n = x.shape[0]
    return ra.build(n, lambda i: x[place(i, by, n)] * 2.0)


@pytest.mark.parametrize("place", [wrapped, kept])
@pytest.mark.parametrize("by", [0, 1, -1, 2, -2, 5, 16, 17, 33, -40])
@pytest.mark.parametrize("n", [1, 2, 15, 16, 17, 40])
def test_shifts_are_those_of_numpy(n: int, by: int, place: Any) -> None:
    x = DRAW.normal(size=n)
    at = np.arange(n) + by
    expected = 2 * x[at % n if place is wrapped else np.clip(at, 0, n - 1)]
    np.testing.assert_array_equal(ra.fn(lambda x: shifted(x, by, place))(x), expected)


@pytest.mark.parametrize("op", ["lt", "le", "gt", "ge", "eq", "ne"])
@pytest.mark.parametrize("edge", [-1, 0, 3, 19, 20])
def test_every_comparison(op: str, edge: int) -> None:
    tests = {
        "lt": lambda i: i < edge,
        "le": lambda i: i + 1 <= edge,
        "gt": lambda i: i > edge,
        "ge": lambda i: edge <= i - 1,
        "eq": lambda i: i == edge,
        "ne": lambda i: i != edge,
    }
    f = ra.fn(lambda x: ra.build(20, lambda i: ra.where(tests[op](i), x[i], -1.0)))
    x = DRAW.normal(size=20)
    np.testing.assert_array_equal(f(x), np.where(tests[op](np.arange(20)), x, -1.0))


@pytest.mark.parametrize(
    ("n", "entry", "cuts"),
    [
        (20, lambda x, i: x[(i - 1) % 20] + x[(i + 1) % 20], [1, 19]),
        (20, lambda x, i: x[ra.clip(i - 2, 0, 19)], [2]),
        (20, lambda x, i: ra.where(3 > i, x[i], 0.0), [3]),
        (20, lambda x, i: ra.where(i >= 3, x[i], 0.0), [3]),
        (20, lambda x, i: ra.where(i == 7, 1.0, x[i]), [7, 8]),
        (20, lambda x, i: x[(i + 25) % 20], [15]),
        (20, lambda x, i: ra.where(i < 10, x[i], -x[i]), []),  # neither half is most of it
        (20, lambda x, i: ra.where(i * i < 10, x[i], -x[i]), []),
        (6, lambda x, i: x[(i + 1) % 6], []),
    ],
)
def test_loops_are_cut_where_tests_turn(n: int, entry: Any, cuts: list[int]) -> None:
    x = DRAW.normal(size=n)
    found = all_instructions(lambda x: ra.build(n, lambda i: entry(x, i)), x)
    (loop,) = (instr for instr in found if instr.op == "build")
    assert pieces(loop) == list(pairwise([0, *cuts, n]))
