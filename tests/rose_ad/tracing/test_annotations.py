"""Annotations of parameters that are kept as text, as all are in this file."""

from __future__ import annotations

from typing import Any

import pytest

import rose_ad
from rose_ad.ir.types import F64, Array


def enclosed() -> list[tuple[Any, Any, Any]]:
    """Functions whose annotations name what only the function around them knows."""
    import rose_ad as ra

    @ra.struct
    class Pair:
        a: float
        b: float

    @ra.fn
    def number(x: ra.Real) -> Any:
        return ra.sin(x)

    @ra.fn
    def vector(x: ra.Vec[2, ra.Real]) -> Any:
        return ra.sum(x)

    @ra.fn
    def not_yet(x: ra.Real) -> Any:
        return ra.sin(x) + never

    @ra.fn
    def pair(x: Pair) -> Any:
        return Pair(x.b, x.a)

    if not number:
        never = 1.0
    return [
        (number, 1, [F64]),
        (vector, [0], None),
        (not_yet, 1, [F64]),
        (pair, Pair(1, 2), [F64, F64]),
    ]


@pytest.mark.parametrize("k", [0, 2, 3])
def test_names_of_the_function_around_are_known(k: int) -> None:
    f, x, types = enclosed()[k]
    assert list(f.types_of((x,), {})[1]) == types


def test_lengths_are_checked() -> None:
    import numpy as np

    f = enclosed()[1][0]
    assert list(f.types_of((np.array([1, 2]),), {})[1]) == [Array(2, F64)]
    with pytest.raises(rose_ad.TypeMismatch, match="declared"):
        f(np.ones(3))


def test_names_that_nothing_knows_leave_the_type_open() -> None:
    def f(x: Unknown) -> Any:  # type: ignore[name-defined]  # noqa: F821
        return x * 2

    assert type(rose_ad.fn(f)(1)) is int
