"""While a function is made, Python's collector is paused; afterwards it is as it was."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

import rose_ad as ra
from rose_ad.base.garbage import uncollected


@pytest.fixture(params=[True, False], ids=["on", "off"])
def collecting(request: pytest.FixtureRequest) -> Iterator[bool]:
    before = gc.isenabled()
    (gc.enable if request.param else gc.disable)()
    yield request.param
    (gc.enable if before else gc.disable)()


def test_as_it_was(collecting: bool) -> None:
    with uncollected():
        assert not gc.isenabled()
        with uncollected():
            assert not gc.isenabled()
        assert not gc.isenabled()
    assert gc.isenabled() == collecting
    with pytest.raises(ZeroDivisionError), uncollected():
        _ = 1 / 0
    assert gc.isenabled() == collecting


def test_a_function_is_made_without(collecting: bool) -> None:
    seen = []

    def f(x: ra.Real) -> ra.Real:
        seen.append(gc.isenabled())
        return x * x

    assert ra.grad(f)(3.0) == 6.0
    assert seen == [False] and gc.isenabled() == collecting
