"""The interpreter's allowance; what it computes is what every other test compares with."""

from __future__ import annotations

import numpy as np
import pytest

import rose_ad as ra


@ra.fn
def part(x: ra.Real) -> ra.Real:
    return ra.sin(x) * x


@ra.fn
def looped(x: ra.Vec) -> ra.Real:
    total = ra.accum()
    for i in ra.range(x.shape[0]):
        total += part(x[i])
    return total.freeze()


def test_an_allowance_is_shared_with_what_is_called() -> None:
    x = np.linspace(0.0, 1.0, 50)
    function = looped.lower(x).program.function
    whole = ra.interpret(function, [x])
    assert ra.interpret(function, [x], 1000) == whole
    for most in (0, 10, 99):
        with pytest.raises(ra.TooLong, match="more instructions"):
            ra.interpret(function, [x], most)


def test_the_least_that_is_enough_is_the_same_each_time() -> None:
    x = np.linspace(0.0, 1.0, 50)
    function = looped.lower(x).program.function

    def enough(most: int) -> bool:
        try:
            ra.interpret(function, [x], most)
        except ra.TooLong:
            return False
        return True

    least = next(most for most in range(1000) if enough(most))
    assert least > 100 and enough(least + 1) and not enough(least - 1)
