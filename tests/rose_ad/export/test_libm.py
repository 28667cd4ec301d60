"""Our own functions of the C library: near enough to the true values, and C's at the ends."""

from __future__ import annotations

import ctypes
import functools
import math
import random
from collections.abc import Callable

import mpmath as mp
import numpy as np
import pytest

from rose_ad.export.libm import ONE, TWO
from rose_ad.export.libm_text import without_libm
from rose_ad.native.jit import Code, machine_code

ULPS = {"pow": 1.25, "erfc": 8.0}
POINTS, OTHERS = 300, 3.0  # tried of each range; what the others may be off by
SPECIAL = [
    0.0,
    -0.0,
    math.inf,
    -math.inf,
    math.nan,
    1.0,
    -1.0,
    0.5,
    -0.5,
    2.0,
    -2.0,
    3.0,
    -3.0,
    5e-324,
]
# where each is tried
RANGES: dict[str, list[tuple[float, float]]] = {
    "log2": [(1e-300, 1e-290), (0.4, 2.5), (0.99, 1.01), (1e3, 1e300)],
    "log10": [(1e-300, 1e-290), (0.4, 2.5), (0.99, 1.01), (1e3, 1e300)],
    "asin": [(-1.0, 1.0), (-1e-4, 1e-4), (0.999, 1.0)],
    "acos": [(-1.0, 1.0), (-1e-4, 1e-4), (0.999, 1.0)],
    "atan": [(-0.5, 0.5), (-3.0, 3.0), (1e2, 1e20)],
    "sinh": [(-1e-6, 1e-6), (-3.0, 3.0), (-710.0, 710.0)],
    "cosh": [(-3.0, 3.0), (-710.0, 710.0)],
    "asinh": [(-1e-6, 1e-6), (-3.0, 3.0), (1e5, 1e200)],
    "acosh": [(1.0, 1.01), (1.0, 5.0), (1e5, 1e200)],
    "atanh": [(-1e-6, 1e-6), (-0.999, 0.999)],
    "erf": [(-1e-6, 1e-6), (-1.0, 1.0), (-5.0, 5.0)],
    "erfc": [(-5.0, 0.5), (0.5, 2.0), (2.0, 26.0)],
}
FAR = ("sin", "cos", "tan")  # of arguments from 10^6 on
PAIRS: dict[str, list[tuple[tuple[float, float], tuple[float, float]]]] = {
    "pow": [
        ((0.1, 10.0), (-10.0, 10.0)),
        ((0.9, 1.1), (-5000.0, 5000.0)),
        ((1e-3, 1e3), (-90.0, 90.0)),
        ((1e-300, 1e-299), (-1.0, 1.0)),
    ],
    "atan2": [
        ((-1.0, 1.0), (-1.0, 1.0)),
        ((-1e-200, 1e-200), (-1.0, 1.0)),
        ((-8e307, 8e307), (-8e307, 8e307)),
        ((-1e-305, 1e-305), (-1e-305, 1e-305)),
    ],
}


@functools.cache
def own(name: str) -> Callable[..., float]:
    """The function, compiled for this machine."""
    arity = 2 if name in {*TWO, "rem"} else 1
    params = ", ".join(["double"] * arity)
    given = ", ".join(f"double %{x}" for x in "xy"[:arity])
    call = "frem double %x, %y" if name == "rem" else f"call double @{name}({given})"
    declared = "" if name == "rem" else f"declare double @{name}({params})\n"
    text = f"{declared}define double @own({given}) {{\n  %r = {call}\n  ret double %r\n}}\n"
    code = Code(machine_code(without_libm(text))[0], "own")
    function = ctypes.CFUNCTYPE(ctypes.c_double, *[ctypes.c_double] * arity)(code.address)
    function.code = code  # type: ignore[attr-defined]  # kept as long
    return function


def ulps(found: float, wanted: mp.mpf) -> float:
    """How far a result is off, in units of the last place of the true value."""
    if abs(wanted) > 1.7e308:
        return 0.0 if abs(found) > 1.7e308 else math.inf
    unit = max(math.ulp(float(wanted)), 5e-324)
    return float(abs(mp.mpf(found) - wanted) / mp.mpf(unit))


def test_all_are_tried() -> None:
    assert {*RANGES, *FAR, *PAIRS, "nextafter"} == {*ONE, *TWO}


@pytest.mark.parametrize("name", RANGES)
def test_functions_of_a_number_are_near_the_truth(name: str) -> None:
    draw, f = random.Random(0), own(name)
    with mp.workprec(200):
        for low, high in RANGES[name]:
            for _ in range(POINTS):
                x = draw.uniform(low, high)
                wanted = mp.log(x, 2) if name == "log2" else getattr(mp, name)(mp.mpf(x))
                assert ulps(f(x), wanted) <= ULPS.get(name, OTHERS), (x, f(x), wanted)


@pytest.mark.parametrize("name", PAIRS)
def test_functions_of_two_numbers_are_near_the_truth(name: str) -> None:
    draw, f = random.Random(0), own(name)
    with mp.workprec(200):
        for first, second in PAIRS[name]:
            for _ in range(POINTS):
                x, y = draw.uniform(*first), draw.uniform(*second)
                a, b = mp.mpf(x), mp.mpf(y)
                wanted = a**b if name == "pow" else mp.atan2(a, b)
                assert ulps(f(x, y), wanted) <= ULPS.get(name, OTHERS), (x, y, f(x, y), wanted)


@pytest.mark.parametrize("name", FAR)
def test_the_phase_of_what_is_far_is_known(name: str) -> None:
    draw, f = random.Random(1), own(name)
    with mp.workprec(300):
        for _ in range(POINTS):
            x = draw.uniform(1e6, 2.0**40)
            truth = getattr(mp, name)(mp.mpf(x))
            slope = 1 + truth * truth if name == "tan" else 1
            assert abs(f(x) - truth) < 1.5e-15 * slope
    assert math.isfinite(f(1e300))


@pytest.mark.parametrize("name", FAR)
def test_turns_without_end_are_nan(name: str) -> None:
    assert all(math.isnan(own(name)(x)) for x in (math.inf, -math.inf, math.nan))


@pytest.mark.parametrize("name", sorted({*ONE} - {*FAR}))
@pytest.mark.parametrize("x", SPECIAL)
def test_ends_are_those_of_numpy(name: str, x: float) -> None:
    numpy = {"asin": "arcsin", "acos": "arccos", "atan": "arctan"}
    numpy |= {"asinh": "arcsinh", "acosh": "arccosh", "atanh": "arctanh"}
    with np.errstate(all="ignore"):
        if name in ("erf", "erfc"):
            wanted = getattr(math, name)(x)
        else:
            wanted = float(getattr(np, numpy.get(name, name))(x))
    _same_at_the_end(own(name)(x), wanted)


@pytest.mark.parametrize("name", [*TWO, "rem"])
@pytest.mark.parametrize("x", SPECIAL)
@pytest.mark.parametrize("y", SPECIAL)
def test_ends_of_pairs_are_those_of_numpy(name: str, x: float, y: float) -> None:
    numpy = {"pow": np.float_power, "atan2": np.arctan2, "nextafter": np.nextafter, "rem": np.fmod}
    with np.errstate(all="ignore"):
        _same_at_the_end(own(name)(x, y), float(numpy[name](x, y)))


def _same_at_the_end(found: float, wanted: float) -> None:
    if math.isnan(wanted) or math.isinf(wanted) or wanted == 0:
        assert found == wanted or (math.isnan(wanted) and math.isnan(found))
        assert math.isnan(wanted) or math.copysign(1, found) == math.copysign(1, wanted)
    else:
        assert ulps(found, mp.mpf(wanted)) <= 4.0


def test_remainders_are_exact() -> None:
    draw, rem = random.Random(2), own("rem")
    for _ in range(2000):
        x, y = (draw.choice([-1, 1]) * 10 ** draw.uniform(-30, 30) for _ in range(2))
        assert rem(x, y) == math.fmod(x, y)


def test_neighbours_are_those_of_c() -> None:
    draw, f = random.Random(3), own("nextafter")
    for _ in range(500):
        x, y = draw.uniform(-2, 2), draw.uniform(-2, 2)
        assert f(x, y) == math.nextafter(x, y)
