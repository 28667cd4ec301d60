"""Calls between functions: what is called once is written there, and arrays go where the caller wants them."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

import rose_ad as ra
from tests.support.checks import agree, checked_gradient

FIELD = np.random.default_rng(1).normal(size=(6, 7))


def test_a_function_called_from_one_place_is_written_there() -> None:
    @ra.fn
    def wave(v: Any, x: Any) -> Any:
        return ra.sin(v * x), ra.cos(x)

    def once(v: Any, x: Any) -> Any:
        w, c = wave(v, x)
        return ra.sum(w) * c

    def twice(v: Any, x: Any) -> Any:
        (w, c), (u, d) = wave(v, x), wave(v, 2.0 * x)
        return ra.sum(w * u) * c * d

    for f, definitions in ((once, 2), (twice, 3)):  # with the entry
        written = re.findall(r"\ndefine [^@]*@(?!rose_sin)", ra.fn(f).lower(FIELD[0], 0.3).llvm)
        assert len(written) == definitions
        checked_gradient(f, FIELD[0], 0.3)


def test_a_called_functions_array_goes_where_its_caller_wants_it() -> None:
    @ra.fn
    def turned(v: Any) -> Any:
        return v[::-1], v, ra.sin(v)

    def f(v: Any) -> Any:
        rows = ra.build(3, lambda i: turned(v * i)[0])
        c, _ = ra.scan(lambda c, _: (turned(c)[2], None), v, length=3)
        a, b, d = turned(c)
        return rows, a, b, d

    rows, a, b, d = ra.fn(f)(FIELD[0])
    v = FIELD[0]
    c = np.sin(np.sin(np.sin(v)))
    for ours, theirs in ((rows, np.outer(range(3), v[::-1])), (a, c[::-1]), (b, c), (d, np.sin(c))):
        agree(ours, theirs)
