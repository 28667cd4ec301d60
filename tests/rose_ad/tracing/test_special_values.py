"""Special values: those of NumPy, for every elementwise function, as scalars, arrays and in lanes, in both
precisions; and how near functions of the machine's library are to the truth."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from decimal import Decimal, localcontext
from random import Random
from typing import Any

import numpy as np
import pytest

import rose_ad as ra

POINTS = [0.0, -0.0, 1.0, -1.0, 0.1, -0.1, 0.5, 2.0, 3.0, -3.0, 7.0, 2.5, -2.5, 1e17, 1e20, -1e20,
          1e200, 1e-200, 5e-324, math.inf, -math.inf, math.nan]  # fmt: skip
ONE = {
    "sqrt": np.sqrt, "exp": np.exp, "log": np.log, "log1p": np.log1p, "log2": np.log2, "log10": np.log10,
    "sin": np.sin, "cos": np.cos, "tan": np.tan, "asin": np.arcsin, "acos": np.arccos, "atan": np.arctan,
    "sinh": np.sinh, "cosh": np.cosh, "tanh": np.tanh, "asinh": np.arcsinh, "acosh": np.arccosh,
    "atanh": np.arctanh, "floor": np.floor, "ceil": np.ceil, "round": np.round, "trunc": np.trunc,
    "abs": np.abs, "sign": lambda x: np.where(x == 0, x, np.sign(x)),
    "square": np.square, "isnan": np.isnan, "isinf": np.isinf,
    "isfinite": np.isfinite, "softplus": lambda x: np.logaddexp(x, 0.0),
}  # fmt: skip
TWO: dict[str, tuple[Callable[..., Any], Callable[..., Any]]] = {
    "maximum": (ra.maximum, np.maximum),
    "minimum": (ra.minimum, np.minimum),
    "mod": (lambda x, y: x % y, np.mod),
    "floordiv": (lambda x, y: x // y, np.floor_divide),
    "logaddexp": (ra.logaddexp, np.logaddexp),
    "atan2": (ra.atan2, np.arctan2),
    "pow": (lambda x, y: x**y, np.power),
    "div": (lambda x, y: x / y, np.divide),
}


def same(ours: Any, theirs: Any, exact: bool, *at: Any) -> None:
    """NaN to NaN, infinities and zeros with their signs, and the rest up to a few units in the last place."""
    ours, theirs = 1 * np.asarray(ours), 1 * np.asarray(theirs)
    assert ours.dtype == theirs.dtype
    few = 0 if exact else 8 * np.finfo(ours.dtype).eps if ours.dtype.kind == "f" else 0
    with np.errstate(all="ignore"):
        near = (abs(ours - theirs) <= few * abs(theirs)) & np.isfinite(theirs) & (theirs != 0)
    equal = (ours == theirs) & (np.signbit(ours) == np.signbit(theirs))
    wrong = np.flatnonzero(~(near | equal | (np.isnan(ours) & np.isnan(theirs))))
    assert not wrong.size, [(*(a[k] for a in at), ours[k], theirs[k]) for k in wrong[:8]]


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("name", ONE)
def test_of_one_number(name: str, dtype: Any) -> None:
    with np.errstate(all="ignore"):
        x = np.array(POINTS).astype(dtype)
        wanted = ONE[name](x)
    f = getattr(ra, name)
    same(ra.fn(f)(x), wanted, False, x)
    same(ra.vmap(f)(x), wanted, False, x)
    alone = ra.fn(f)
    each = [alone(v if dtype is np.float32 else float(v)) for v in x]
    same(np.array(each, wanted.dtype), wanted, False, x)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("name", TWO)
def test_of_two_numbers(name: str, dtype: Any) -> None:
    """Also with one of them known while tracing."""
    ours, numpys = TWO[name]
    exact = name in {"maximum", "minimum", "mod", "floordiv", "div"}
    with np.errstate(all="ignore"):
        x, y = (
            np.array(c).astype(dtype) for c in zip(*itertools.product(POINTS, POINTS), strict=True)
        )
        wanted = numpys(x, y)
    same(ra.fn(ours)(x, y), wanted, exact, x, y)
    same(ra.vmap(ours)(x, y), wanted, exact, x, y)
    if dtype is np.float64:
        points = np.array(POINTS)
        for c in (0.0, -0.0, 1.0, 3.0, math.inf, math.nan):
            if math.isnan(c) and name not in {"maximum", "minimum"}:
                continue
            with np.errstate(all="ignore"):
                same(ra.fn(lambda x, c=c: ours(x, c))(points), numpys(points, c), exact, points)
                same(ra.fn(lambda x, c=c: ours(c, x))(points), numpys(c, points), exact, points)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_remainders_are_those_of_python(dtype: Any) -> None:
    r = np.random.default_rng(0)
    size = r.uniform(-20, 20, (2, 400))
    x, y = ((r.normal(size=400) * 10**s).astype(dtype) for s in size)
    rest, down = ra.fn(lambda x, y: (x % y, x // y))(x, y)
    for a, b, p, q in zip(x, y, rest, down, strict=True):
        if dtype is np.float64:
            assert (p, q) == (float(a) % float(b), float(a) // float(b))
        else:
            assert p == np.mod(a, b) and q == np.floor_divide(a, b)
    for a, b in (
        (1e20, 3.0),
        (1.0, 0.1),
        (1e17, 7.0),
        (5.0, math.inf),
        (-5.0, math.inf),
        (1.0, -math.inf),
    ):
        assert ra.fn(lambda x, y: (x % y, x // y))(a, b) == (a % b, a // b)
    slope = ra.grad(lambda x, y: x % y, (0, 1))
    for a, b in ((7.5, 2.0), (-7.5, 2.0), (7.5, -2.0), (0.3, 0.5), (4.0, 2.0)):
        assert slope(a, b) == (1.0, -(a // b))
        assert ra.grad(lambda x, y: x // y, (0, 1))(a, b) == (0.0, 0.0)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_extremes_of_arrays_with_nans(dtype: Any) -> None:
    inf, nan = math.inf, math.nan
    for row in itertools.product((nan, 1.0, -inf, inf, -0.0), repeat=3):
        x = np.array(row, dtype)
        for name in ("min", "max", "argmin", "argmax"):
            np.testing.assert_equal(ra.fn(getattr(ra, name))(x), getattr(np, name)(x), str(row))
    x = np.array([[nan, 1.0], [2.0, nan], [3.0, 4.0]], dtype)
    for name in ("min", "max"):
        np.testing.assert_equal(ra.fn(getattr(ra, name))(x), nan)
        for axis in (0, 1):
            f, g = getattr(ra, name), getattr(np, name)
            np.testing.assert_equal(ra.fn(lambda x, f=f, a=axis: f(x, axis=a))(x), g(x, axis=axis))
    np.testing.assert_equal(ra.fn(lambda x: ra.clip(x, 0.0, 1.0))(x), np.clip(x, 0, 1))


def test_hypot_of_infinities() -> None:
    inf, nan = math.inf, math.nan
    for x, y in itertools.product((inf, -inf, nan, 0.0, -1.0, 3.0), repeat=2):
        np.testing.assert_equal(ra.fn(ra.hypot)(x, y), np.hypot(x, y))


def test_sums_of_exponentials() -> None:
    inf = math.inf
    for row in ([-inf], [-inf, -inf], [-inf, 1.0], [inf, 1.0], [inf, inf], [inf, -inf], [1e3, 1e3]):
        wanted = np.logaddexp.reduce(np.array(row))
        np.testing.assert_allclose(ra.fn(ra.logsumexp)(np.array(row)), wanted)
    np.testing.assert_equal(ra.fn(ra.logsumexp)(np.array([math.nan, 1.0])), math.nan)
    pair = ra.grad(ra.logaddexp, (0, 1))
    assert pair(1.0, 1.0) == pytest.approx((0.5, 0.5), rel=1e-15)
    for x, y in ((0.3, -0.2), (-0.2, 0.3), (800.0, 0.0), (0.0, 800.0), (-1e5, 1e5)):
        share = 1 / (1 + math.exp(min(y - x, 700.0)))
        assert pair(x, y) == pytest.approx((share, 1 - share), abs=1e-15)
    second = ra.hessian(ra.logaddexp, (0, 1))(1.0, 1.0)
    np.testing.assert_allclose(second, [[0.25, -0.25], [-0.25, 0.25]], rtol=1e-14)


def test_numbers_beyond_an_int() -> None:
    """The nearest Int, and 0 for a NaN, traced or not."""
    low, high = -(2**63), 2**63 - 1
    inf = math.inf
    cases = {1e30: high, -1e30: low, inf: high, -inf: low, math.nan: 0, 2.0**63: high, -2.9: -2}
    for x, wanted in cases.items():
        assert ra.fn(ra.to_int)(x) == ra.to_int(x) == wanted
    assert ra.to_int(np.array(list(cases))).tolist() == list(cases.values())
    assert ra.fn(lambda: ra.to_int(1e30) + 0)() == high
    assert ra.to_int(np.array([True, False])).tolist() == [1, 0]


# ----------------------------------------------------------------------------------- accuracy


def _ln(x: Decimal) -> Decimal:
    return x.ln()


# the truth, and a span of what is tried
LIBRARY: dict[str, tuple[Callable[[Decimal], Decimal], float, float]] = {
    "log2": (lambda x: _ln(x) / _ln(Decimal(2)), 1e-3, 1e3),
    "log10": (lambda x: _ln(x) / _ln(Decimal(10)), 1e-3, 1e3),
    "asinh": (lambda x: _ln(x + (x * x + 1).sqrt()), 1e-6, 1e6),
    "acosh": (lambda x: _ln(x + (x * x - 1).sqrt()), 1.0, 1e6),
    "atanh": (lambda x: _ln((1 + x) / (1 - x)) / 2, 1e-6, 0.999),
}


@pytest.mark.parametrize("name", LIBRARY)
def test_functions_of_the_library_are_within_two_units(name: str) -> None:
    truth, low, high = LIBRARY[name]
    f, r = ra.fn(getattr(ra, name)), Random(0)
    with localcontext() as context:
        context.prec = 60
        points = [low * (high / low) ** r.random() for _ in range(300)]
        if name == "acosh":
            points += [1 + 10 ** r.uniform(-15, -1) for _ in range(100)]
        for x, ours in zip(points, f(np.array(points)), strict=True):
            wanted = truth(Decimal(x))
            assert abs(Decimal(float(ours)) - wanted) <= 2 * Decimal(math.ulp(float(wanted))), x


def test_logarithms_of_powers_are_whole() -> None:
    two, ten = ra.fn(ra.log2), ra.fn(ra.log10)
    assert [two(2.0**k) for k in range(-300, 300)] == list(range(-300, 300))
    assert [ten(10.0**k) for k in range(23)] == list(range(23))


def test_derivatives_of_inverse_hyperbolic_functions() -> None:
    third = lambda f: ra.grad(ra.grad(ra.grad(f)))  # noqa: E731
    assert ra.grad(ra.asinh)(0.0) == 1.0 and third(ra.asinh)(0.0) == -1.0
    assert ra.grad(ra.atanh)(0.0) == 1.0 and third(ra.atanh)(0.0) == 2.0
    assert ra.fn(ra.asinh)(1e200) == pytest.approx(math.asinh(1e200), rel=1e-15)
    assert ra.fn(ra.asinh)(-math.inf) == -math.inf
    for x in (1e-300, 1e-3, 2.0, 1e10, 1e18, 1e19, 1e200, 1e300):
        assert ra.grad(ra.asinh)(x) == pytest.approx(1 / math.hypot(1, x), rel=1e-15)
        if x > 1:
            assert ra.grad(ra.acosh)(x) == pytest.approx(1 / math.sqrt(x - 1) / math.sqrt(x + 1))
            second = -1 / x / x / (1 - x**-2.0) ** 1.5
            assert ra.grad(ra.grad(ra.acosh))(x) == pytest.approx(second, rel=1e-12, abs=1e-300)
    near = 1 + 2.0**-40
    slope = 1 / math.sqrt(2.0**-40 * (2 + 2.0**-40))
    assert ra.grad(ra.acosh)(near) == pytest.approx(slope, rel=1e-15)
