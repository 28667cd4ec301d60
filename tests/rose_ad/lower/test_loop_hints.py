"""LLVM is told to leave loops rolled up where writing them out would not pay."""

from __future__ import annotations

from typing import Any

import pytest

import rose_ad as ra


def told(terms: int, length: int | None) -> bool:
    def f(x: Any, n: Any) -> Any:
        def step(c: Any, _: Any) -> Any:
            for k in range(terms):
                c = ra.sqrt(c * c + (k + 0.3))
            return c, None

        if length is not None:
            return ra.scan(step, x, length=length)[0]
        return ra.while_loop(lambda s: s[1] < n, lambda s: (step(s[0], None)[0], s[1] + 1), (x, 0))[
            0
        ]

    return "llvm.loop.unroll.disable" in ra.fn(f).lower(0.5, 3).llvm


@pytest.mark.parametrize(
    ("terms", "length", "rolled"),
    [
        (2, None, False),
        (30, None, True),
        (2, 20, False),
        (30, 20, True),
        (30, 4, False),
        (2, 4000, True),
    ],
)
def test_long_loops_stay_rolled_up(terms: int, length: int | None, rolled: bool) -> None:
    assert told(terms, length) is rolled
