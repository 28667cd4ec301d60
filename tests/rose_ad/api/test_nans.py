"""The search for NaNs: it finds where one began, in values and derivatives, and says nothing otherwise."""

from __future__ import annotations

import linecache
import math
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import rose_ad as ra
from rose_ad.base.source import name_of

ROOT = Path(ra.__file__).parents[1]


@ra.fn
def logarithm(x):
    return ra.log(x)  # the log of inner


@ra.fn
def guarded_sum(x):
    total = ra.accum()
    for i in ra.range(x.shape[0]):
        with ra.when(x[i] < 5.0):
            total += logarithm(x[i]) * 2.0
    return total


@ra.fn
def both_sides(x):
    return ra.sum(ra.where(x > 0, ra.sqrt(x), 0.0))  # both are computed


@ra.fn
def one_side(x):
    return ra.cond(x > 0, lambda: ra.sqrt(x), lambda: 0.0)


@ra.fn
def cancels(x):
    return x * 1e200 * x - x * 1e200 * x * 2.0  # infinity minus infinity


@ra.fn
def adds(x):
    total = ra.accum()
    for i in ra.range(2):
        total += x[i]  # added
    return total


@ra.fn
def adds_rows(x):
    total = ra.accum(3)
    for i in ra.range(2):
        total += x[i]  # a row added
    return total


@ra.fn
def smooth_until_differentiated(x):
    return ra.sqrt(x) - ra.sqrt(2.0 * x)  # at 0, the slopes are infinite


def found(f: Callable[..., Any], *args: Any) -> ra.NanFound:
    with ra.debug_nans(), pytest.raises(ra.NanFound) as caught:
        f(*args)
    return caught.value


def line_of(error: ra.RoseError) -> str:
    file, line = name_of(error.location).rsplit(":", 1)
    return linecache.getline(file, int(line))


CASES: dict[str, tuple[Callable[..., Any], tuple[Any, ...], str, str]] = {
    "called in a branch of a loop": (guarded_sum, (np.array([1.0, -1.0]),), "log", "the log of"),
    "its gradient": (ra.grad(guarded_sum), (np.array([1.0, -1.0]),), "log", "the log of"),
    "side not chosen": (both_sides, (np.array([1.0, -1.0]),), "sqrt", "both are computed"),
    "infinities": (cancels, (1e200,), "-", "infinity minus"),
    "accumulated": (adds, (np.array([np.inf, -np.inf]),), "+", "# added"),
    "accumulated rows": (
        adds_rows,
        (np.array([[1.0, np.inf, 0.0], [2.0, -np.inf, 0.0]]),),
        "+",
        "# a row",
    ),
    "single precision": (logarithm, (np.float32(-1.0),), "log", "the log of"),
    "only in the derivative": (
        ra.grad(smooth_until_differentiated),
        (0.0,),
        "+",
        "slopes are infinite",
    ),
}


@pytest.mark.parametrize(("f", "args", "op", "text"), CASES.values(), ids=CASES)
def test_line_and_operation(f: Any, args: Any, op: str, text: str) -> None:
    error = found(f, *args)
    assert text in line_of(error)
    assert f"the result of {op} in " in str(error)
    assert isinstance(error, FloatingPointError)


def test_the_value_is_clean_where_only_the_derivative_is_not() -> None:
    with ra.debug_nans():
        assert smooth_until_differentiated(0.0) == 0.0


@pytest.mark.parametrize(
    ("f", "args", "expected"),
    [
        (guarded_sum, (np.array([1.0, 7.0]),), 0.0),
        (one_side, (-1.0,), 0.0),
        (ra.grad(one_side), (-1.0,), 0.0),
        (adds, (np.array([1.0, math.nan]),), math.nan),  # it came in with the argument
        (adds, (np.array([1.0, math.inf]),), math.inf),
    ],
)
def test_nothing_to_find(f: Any, args: Any, expected: float) -> None:
    with ra.debug_nans():
        assert f(*args) == pytest.approx(expected, nan_ok=True)


@pytest.mark.parametrize("at", [(0.0, 0.0), (0.0, 2.0), (-2.0, 2.0), (0.0, 1.0), (2.0, 0.0)])
def test_rules_of_power_make_no_nan_of_their_own(at: tuple[float, float]) -> None:
    power = ra.fn(lambda x, y: x**y)
    with ra.debug_nans():
        by_base, by_exponent = ra.grad(power, (0, 1))(*at)
    x, y = at
    assert by_base == (0.0 if y == 0 else y * x ** (y - 1))
    assert by_exponent == (0.0 if x <= 0 else math.log(x) * x**y)


def test_mixed_derivative_of_power_at_exponent_zero() -> None:
    """d/dy (y x^(y-1)) at y = 0 is 1/x."""
    power = ra.fn(lambda x, y: x**y)
    assert ra.grad(ra.grad(power, 0), 1)(2.0, 0.0) == 0.5
    assert ra.grad(ra.grad(power, 1), 0)(2.0, 0.0) == 0.5


def test_a_run_without_the_search_is_as_before() -> None:
    x = np.array([1.0, -1.0])
    assert math.isnan(guarded_sum(x))
    plain = guarded_sum.lower(x).llvm
    found(guarded_sum, x)
    assert math.isnan(guarded_sum(x))
    assert guarded_sum.lower(x).llvm == plain
    assert "fcmp uno" not in plain
    with ra.debug_nans():
        assert guarded_sum.lower(x).llvm != plain
        with ra.debug_nans(False):
            assert math.isnan(guarded_sum(x))
        found(guarded_sum, x)


def test_other_threads_are_left_alone() -> None:
    results = []
    with ra.debug_nans():
        thread = threading.Thread(target=lambda: results.append(logarithm(-1.0)))
        thread.start()
        thread.join()
    assert math.isnan(results[0])


def test_an_index_out_of_range_is_still_found() -> None:
    pick = ra.fn(lambda x, i: ra.log(x[i]))
    with ra.debug_nans(), pytest.raises(ra.OutOfRange):
        pick(np.ones(3), 3)


def test_environment_switch() -> None:
    code = "import rose_ad as ra; ra.fn(lambda x: ra.log(x))(-1.0)"
    run = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "ROSE_AD_NANS": "1"},
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert run.returncode != 0
    assert "NanFound" in run.stderr
