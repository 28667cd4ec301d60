"""Random programs: interpreter, machine, forward and reverse mode, both orders, and differences agree."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

import rose_ad as ra
from rose_ad.ir.interp import interpret
from rose_ad.ir.verify import verify
from tests.support.checks import agree, dot, orders
from tests.support.programs import arguments, direction, function, programs

ORDINARY = settings(
    max_examples=25, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True
)
seeds = st.integers(0, 99)


def run(f: ra.Fn, *args: Any) -> Any:
    """The result of the compiled function, which the interpreter must agree with."""
    found = f(*args)
    leaves, _ = ra.flatten((args, {}))
    (special,) = f._specialised.values()
    verify(special.ir)
    assert special.result == ra.flatten(found)[1]
    for ours, oracle in zip(ra.flatten(found)[0], interpret(special.ir, leaves), strict=True):
        agree(ours, oracle)
    return found


def check(program: tuple, seed: int) -> tuple[ra.Fn, tuple, dict]:
    """Everything but differences."""
    f = function(program)
    *x, k = arguments(seed)
    found = run(orders(f), tuple(x), k, direction(seed), direction(seed + 1))
    for same in ("value", "first", "second"):
        for other in found[same][1:]:
            agree(found[same][0], other)
    agree(found["value"][0], f(*x, k))
    return f, (*x, k), found


def check_difference(f: Any, x: Any, u: Any, slope: Any) -> None:
    """The slope of f at x along u is its central difference.

    The step is small against the slope, and a step of twice the size says how far to trust it.
    """
    h = 1e-4 / (1 + abs(slope))

    def at(h: float) -> Any:
        return f(*ra.map_leaves(lambda a, b: a + h * b, x, u))

    def central(h: float) -> Any:
        return (at(h) - at(-h)) / (2 * h)

    near, far = central(h), central(2 * h)
    assert abs(slope - near) <= 1e-5 * (1 + abs(slope)) + 2 * abs(near - far), (slope, near, far)


@given(programs(smooth=False), seeds)
@ORDINARY
def test_every_way_agrees(program: tuple, seed: int) -> None:
    check(program, seed)


@given(programs(smooth=True), seeds)
@ORDINARY
def test_derivatives_are_differences(program: tuple, seed: int) -> None:
    f, (*x, k), found = check(program, seed)
    first, second = found["first"][0], found["second"][0]
    assume(abs(first) < 1e3 and abs(second) < 1e6)  # steeper ones cannot be told by differences
    u, v = direction(seed), direction(seed + 1)
    gradient = ra.grad(f, (0, 1))
    check_difference(lambda a, b: f(a, b, k), tuple(x), u, first)
    check_difference(lambda a, b: dot(gradient(a, b, k), u), tuple(x), v, second)
