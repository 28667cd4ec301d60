"""`Fn.trace` gives the IR that a call compiles, raises what is wrong with it, and compiles nothing."""

from __future__ import annotations

from typing import Any

import pytest

import rose_ad as ra


def power(x: Any, n: Any) -> Any:
    out = x
    for _ in range(n):
        out = out * x
    return out


FUNCTIONS = {
    "plain": ra.fn(lambda x: x**4),
    "static": ra.fn(power, static=("n",)),
    "gradient": ra.grad(ra.fn(power, static=("n",))),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_what_is_traced_is_what_is_called(name: str) -> None:
    f, given = FUNCTIONS[name], (1.5,) if name == "plain" else (1.5, 3)
    traced = f.trace(*given)
    assert not f._compiled
    assert ra.interpret(traced, [1.5]) == [pytest.approx(f(*given))]


def test_what_is_wrong_is_raised() -> None:
    with pytest.raises(ra.TraceError):
        ra.fn(lambda x: 1.0 if x > 0.0 else 2.0).trace(1.0)


def generated(x: Any) -> Any:
    yield x


async def awaited(x: Any) -> Any:
    return x


@pytest.mark.filterwarnings("ignore:coroutine:RuntimeWarning")
@pytest.mark.parametrize(
    "f",
    [
        generated,
        awaited,
        lambda x: map(abs, x),
        lambda x: zip(x, x, strict=True),
        lambda x: iter(x),
    ],
    ids=["generator", "coroutine", "map", "zip", "iterator"],
)
def test_what_has_not_been_run_is_not_returned(f: Any) -> None:
    with pytest.raises(ra.TraceError, match="of which nothing has been run yet"):
        ra.fn(f)([1.0, 2.0])
