"""check_continuity: jumps are found at the right line and place, and nothing where a function is continuous."""

from __future__ import annotations

import linecache
import math
from typing import Any

import numpy as np
import pytest

import rose_ad as ra
from rose_ad import Discontinuity
from rose_ad.base.tree import map_leaves


def code_of(d: Discontinuity) -> str:
    assert d.file == __file__
    return linecache.getline(d.file, d.line)


def beyond(args: tuple[Any, ...], d: Discontinuity, extra: float = 0.0) -> tuple[Any, ...]:
    """The arguments at a discontinuity, or so much farther."""
    out: tuple[Any, ...] = map_leaves(lambda x, v: x + (d.distance + extra) * v, args, d.direction)
    return out


def only(found: list[Discontinuity]) -> Discontinuity:
    (d,) = found
    return d


# ----------------------------------------------------------------------------------------- jumps


@ra.fn
def step(x):
    return ra.where(x > 1.0002, 3.0, 0.0) * x  # the step


def test_step() -> None:
    d = only(ra.check_continuity(step, (1.0,)))
    assert (d.kind, d.operation, d.result) == ("jump", "where", "result")
    assert "the step" in code_of(d)
    assert d.distance == pytest.approx(2e-4, abs=2e-12)
    assert d.along == "args[0], up"
    assert d.direction == (1.0,)
    assert d.before == 0.0
    assert d.after == pytest.approx(3 * 1.0002)
    assert step(*beyond((1.0,), d, 1e-11)) != 0.0
    assert step(*beyond((1.0,), d, -1e-11)) == 0.0


def test_the_report_shows_the_line_and_the_place() -> None:
    text = str(only(ra.check_continuity(step, (1.0,))))
    assert "jump: result is 0 on one side of where and 3.0006 on the other" in text
    assert "at distance 0.0002 along args[0], up" in text
    assert f"{__file__}:" in text
    assert "return ra.where(x > 1.0002, 3.0, 0.0) * x" in text


def test_nothing_beyond_the_radius() -> None:
    assert ra.check_continuity(step, (1.0,), radius=1e-4) == []


@ra.fn
def halved_if_hot(v):
    hot = v > 0.35  # hot
    return ra.cond(hot, lambda: v * 0.5, lambda: v)  # halved


@ra.fn
def heated(start, gains):
    def heat(c, gain):
        c = ra.abs(c) + 0.1 * gain
        return halved_if_hot(c), c

    return ra.scan(heat, start, gains)


def test_branch_in_a_scan_in_a_called_function() -> None:
    gains = np.array([1.0, 0.999, 1.0])  # 0.15, 0.25, then 0.3499, hot just beyond
    args = 0.05, gains
    found = ra.check_continuity(heated, args, radius=1e-2)
    assert {d.result for d in found} == {"result[0]"}  # the trace shows what was before the branch
    d = found[0]
    assert d.operation == "cond"
    assert "# halved" in code_of(d)
    assert "# hot" in str(d)
    start, there = beyond(args, d)
    assert start + 0.1 * there.sum() == pytest.approx(0.35, abs=1e-11)
    assert d.before == pytest.approx(0.35)
    assert d.after == pytest.approx(0.175)


def test_one_leaf_of_a_structure() -> None:
    @ra.fn
    def both(p):
        x = p["x"]
        return {"smooth": x**2, "list": [x[0], ra.where(x > 2.0, x - 1.0, x)]}  # the list

    d = only(ra.check_continuity(both, ({"x": np.array([0.5, 1.0, 1.9999])},), samples=3))
    assert d.result == "result['list'][1][2]"
    assert "the list" in code_of(d)
    assert (d.before, d.after) == (pytest.approx(2.0), pytest.approx(1.0))


@pytest.mark.parametrize(
    ("f", "operation", "sides"),
    [
        (lambda x: ra.floor(x), "floor", (3.0, 2.0)),
        (lambda x: ra.ceil(x), "ceil", (3.0, 4.0)),
        (lambda x: ra.to_real(ra.to_int(x)), "to_int", (3.0, 2.0)),
        (lambda x: ra.sign(x - 3.0), "sign", (0.0, 1.0)),
        (lambda x: ra.to_real(x > 3.0), "to_int", (0.0, 1.0)),
        (lambda x: ra.atan2(3.0 - x, -1.0), "atan2", (math.pi, -math.pi)),
        (lambda x: ra.where(x <= 3.0, x, ra.sqrt(3.0 - x)), "where", (3.0, math.nan)),
    ],
)
def test_operations_that_jump(f: Any, operation: str, sides: tuple[float, float]) -> None:
    d = ra.check_continuity(f, (3.0,))[0]
    assert d.operation == operation
    assert (d.before, d.after) == pytest.approx(sides, abs=1e-9, nan_ok=True)


@pytest.mark.parametrize(
    "f", [lambda x: 1 / (x - 3.0001), lambda x: ra.tan(x - 3.0001 + math.pi / 2)]
)
def test_poles(f: Any) -> None:
    d = only(ra.check_continuity(f, (3.0,)))
    assert d.operation in {"/", "tan"}
    assert abs(d.before - d.after) > 1e10


def test_a_step_among_continuous_boundaries_at_the_same_place() -> None:
    """One comparison decides three things; only one of them jumps, and it is named."""

    @ra.fn
    def mixed(x):
        y = ra.abs(x)
        y += ra.where(x > 0, x, -x)
        y += ra.where(x > 0, 1.0, 0.0)  # the one that jumps
        return y + ra.maximum(x, 0.0)

    d = only(ra.check_continuity(mixed, (-1e-4,), radius=2.0))
    assert "the one that jumps" in code_of(d)


def test_a_loop_with_one_step_more() -> None:
    @ra.fn
    def countdown(x):
        return ra.while_loop(lambda y: y > 0.0, lambda y: y - 1.0, x)  # the loop

    d = only(ra.check_continuity(countdown, (3.0001,)))
    assert "the loop" in code_of(d)
    assert d.operation == "while"
    assert (d.before, d.after) == pytest.approx((-1.0, 0.0), abs=1e-9)


def test_the_nearest_of_several_is_reported() -> None:
    d = only(ra.check_continuity(lambda x: ra.floor(x * 1000), (0.5001,), radius=1e-2, samples=4))
    assert d.distance == pytest.approx(0.0001 / 0.5001, abs=1e-11)


def test_single_precision() -> None:
    single = np.float32(1.0)
    d = only(ra.check_continuity(step, (single,)))
    assert d.distance == pytest.approx(2e-4, abs=1e-6)


def test_integers_are_held() -> None:
    f = ra.fn(lambda x, k: x * ra.where(k > 2, 1.0, 0.0))
    assert ra.check_continuity(f, (1.0, 2)) == []
    with pytest.raises(ra.TypeMismatch):
        ra.check_continuity(f, (1, 2))
    with pytest.raises(ra.TypeMismatch):
        ra.check_continuity(f, (1.0, 2), radius=1e-12)


# ------------------------------------------------------------------------------ continuous ones

CONTINUOUS: dict[str, tuple[Any, tuple[Any, ...]]] = {
    "smooth": (lambda x, y: ra.sin(x) * ra.exp(y) / (1 + x * x), (0.3, 2.0)),
    "relu": (lambda x: ra.maximum(x, 0.0), (0.0,)),
    "abs": (lambda x: ra.abs(x), (1e-4,)),
    "where that meets": (lambda x: ra.where(x < 1.0, x, x * x), (1.0,)),
    "infinite slope": (lambda x: ra.sqrt(ra.abs(x - 1.0001)), (1.0,)),
    "steep": (lambda x: 1e6 * ra.minimum(x, 1.0001), (1.0,)),
    "sorted": (lambda x: ra.sort(x), (np.array([1.0, 1.0001, 0.9999]),)),
    "norm": (lambda x: ra.norm(x), (np.array([1e-5, 0.0]),)),
    "floor that cancels": (lambda x: (x - ra.floor(x)) * (ra.floor(x) + 1 - x), (3.0001,)),
}


@pytest.mark.parametrize(("f", "args"), CONTINUOUS.values(), ids=CONTINUOUS)
def test_continuous_functions(f: Any, args: tuple[Any, ...]) -> None:
    assert ra.check_continuity(f, args, radius=1e-2) == []


# ----------------------------------------------------------------------------------------- kinks


def test_kinks_on_request() -> None:
    @ra.fn
    def kinked(x):
        y = ra.maximum(x - 1.0001, 0.0)  # the ramp
        return {"ramp": 2.0 * y, "meets": ra.where(x < 1.0001, 0.0, (x - 1.0001) ** 2)}

    assert ra.check_continuity(kinked, (1.0,)) == []
    d = only(ra.check_continuity(kinked, (1.0,), kinks=True))
    assert (d.kind, d.operation, d.result) == ("kink", "max", "result['ramp']")
    assert "the ramp" in code_of(d)
    assert (d.before, d.after) == (0.0, pytest.approx(2.0))
    assert str(d).startswith("kink: the derivative of result['ramp'] is 0 on one side of max")


def test_a_jump_is_no_kink_too() -> None:
    assert [d.kind for d in ra.check_continuity(step, (1.0,), kinks=True)] == ["jump"]


def test_directions_are_the_same_in_every_run() -> None:
    found = [ra.check_continuity(heated, (0.05, np.ones(3)), 1e-2, seed=7) for _ in range(2)]
    assert str(found[0]) == str(found[1])
