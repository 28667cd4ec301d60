"""Where derivatives go wrong in silence: points without one, high orders, arguments of odd kinds."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import rose_ad as ra


def pulled(f: Any) -> Any:
    """The derivative of a function of one Real by vjp."""
    return lambda x: ra.vjp(f, x)[1](1.0)[0]


def pushed(f: Any) -> Any:
    """The same by jvp."""
    return lambda x: ra.jvp(f, (x,), (1.0,))[1]


POLYNOMIALS = {
    "x**4": (lambda x: x**4, lambda x: 24 * x),
    "x**3": (lambda x: x**3, lambda x: 6.0),
    "1/x": (lambda x: 1.0 / x, lambda x: -6 * x**-4.0),
    "x**2.5": (lambda x: x**2.5, lambda x: 2.5 * 1.5 * 0.5 * x**-0.5),
    "x*x*x*x": (lambda x: x * x * x * x, lambda x: 24 * x),
    "x**-2": (lambda x: x**-2, lambda x: -24 * x**-5.0),
}


@pytest.mark.parametrize("name", POLYNOMIALS)
@pytest.mark.parametrize("d", [pulled, pushed, ra.grad])
def test_third_derivatives(name: str, d: Any) -> None:
    f, third = POLYNOMIALS[name]
    assert ra.fn(d(d(d(f))))(1.3) == pytest.approx(third(1.3), rel=1e-13)
    assert ra.fn(pulled(pushed(pulled(f))))(1.3) == pytest.approx(third(1.3), rel=1e-13)


# ----------------------------------------------------------------------- points without one

CHOICES: dict[str, Callable[..., Any]] = {
    "minimum": lambda x: ra.minimum(x, x * 2.0),
    "maximum": lambda x: ra.maximum(x, x * 2.0),
    "abs": lambda x: ra.abs(x),
    "sign": lambda x: ra.sign(x),
    "floor": lambda x: ra.floor(x),
    "ceil": lambda x: ra.ceil(x),
    "clip": lambda x: ra.clip(x, 0.0, 1.0),
}
SLOPES = {"minimum": (1, 2), "maximum": (1, 2), "abs": (0,), "sign": (0,), "floor": (0,)}


@pytest.mark.parametrize("name", CHOICES)
def test_ties_have_a_derivative_of_one_side(name: str) -> None:
    """At a tie both modes give the same, finite, one of the sides', and a second derivative of zero."""
    f = CHOICES[name]
    by_reverse, by_forward = ra.grad(f)(0.0), ra.jvp(f, (0.0,), (1.0,))[1]
    assert by_reverse == by_forward
    assert by_reverse in SLOPES.get(name, (0, 1))
    assert ra.grad(ra.grad(f))(0.0) == 0.0
    assert ra.jvp(ra.grad(f), (0.0,), (1.0,))[1] == 0.0


def test_the_largest_of_equals() -> None:
    """The gradient of a maximum with ties is that of one of them."""
    for reduce in (ra.max, ra.min):
        g = ra.grad(lambda v, r=reduce: r(v))(np.array([1.0, 1.0, 1.0]))
        assert sorted(g) == [0.0, 0.0, 1.0]
    g = ra.grad(lambda v: ra.dot(ra.sort(v), np.arange(3.0)))(np.array([2.0, 2.0, 1.0]))
    assert g.tolist() == [1.0, 2.0, 0.0]


@pytest.mark.parametrize("n", range(-4, 20))
def test_whole_powers_of_any_base(n: int) -> None:
    """0 ** 0 is 1 with slope 0, 0 ** 1 has slope 1, and the sign of a negative base is kept."""
    for x in (-1.5, -1.0, 0.0, 0.5, 2.0):
        if x == 0.0 and n < 0:
            continue
        slopes = [n * x ** (n - 1) if n else 0.0]
        slopes.append(n * (n - 1) * x ** (n - 2) if n not in (0, 1) else 0.0)
        f = ra.fn(lambda x: x**n)
        assert f(x) == pytest.approx(x**n, rel=1e-13)
        assert ra.grad(f)(x) == pytest.approx(slopes[0], rel=1e-13)
        assert ra.jvp(f, (x,), (1.0,))[1] == pytest.approx(slopes[0], rel=1e-13)
        assert ra.grad(ra.grad(f))(x) == pytest.approx(slopes[1], rel=1e-13)


@pytest.mark.parametrize("y", [0.0, 1.0, 2.0, 3.0])
@pytest.mark.parametrize("x", [-1.5, 0.0, 2.0])
def test_real_powers(x: float, y: float) -> None:
    """x ** y with a Real exponent that happens to be whole: in x as of an Int exponent."""
    slope, value = (y * x ** (y - 1) if y else 0.0), x**y
    dx, dy = ra.grad(lambda x, y: x**y, (0, 1))(x, y)
    assert dx == pytest.approx(slope) and ra.fn(lambda x, y: x**y)(x, y) == pytest.approx(value)
    if x > 0.0:
        assert dy == pytest.approx(math.log(x) * value)
    elif x == 0.0:
        assert dy == 0.0
    assert math.isfinite(ra.grad(ra.grad(lambda x: x**y))(x)) or y == 1.0


@pytest.mark.parametrize("angle", np.arange(8) * math.pi / 4 - math.pi + 0.1)
def test_the_angle_in_all_quadrants(angle: float) -> None:
    x, y = 2.0 * math.cos(angle), 2.0 * math.sin(angle)
    f = ra.atan2
    assert ra.fn(f)(y, x) == pytest.approx(math.atan2(y, x))
    assert ra.grad(f, (0, 1))(y, x) == pytest.approx((x / 4, -y / 4))
    ((yy, yx), (xy, xx)) = ra.hessian(f, (0, 1))(y, x)
    assert (yy, xx) == pytest.approx((-2 * x * y / 16, 2 * x * y / 16))
    assert (yx, xy) == pytest.approx(((y * y - x * x) / 16,) * 2)


@pytest.mark.parametrize(
    "g",
    [
        lambda v: ra.norm(v),
        lambda v: ra.norm(v) / ra.norm(v),
        lambda v: ra.sum(v / ra.norm(v)),
        lambda v: ra.hypot(v[0], v[1]) ** -1,
        lambda v: ra.sum(ra.sqrt(v)),
        lambda v: ra.sum(ra.log(v)),
    ],
)
@pytest.mark.parametrize("choose", ["where", "cond"])
def test_an_untaken_side_over_vectors(g: Any, choose: str) -> None:
    """Singular at the zero vector, and not taken there: gradients and Hessians are those of the other side."""

    def f(v: Any) -> Any:
        test = ra.dot(v, v) > 0.5
        if choose == "where":
            return ra.where(test, g(v), 3.0 * ra.dot(v, v))
        return ra.cond(test, lambda: g(v), lambda: 3.0 * ra.dot(v, v))

    zero = np.zeros(3)
    assert ra.grad(f)(zero).tolist() == [0.0] * 3
    assert ra.jvp(f, (zero,), (np.ones(3),))[1] == 0.0
    for second in (ra.hessian(f), ra.jacrev(ra.grad(f)), ra.jacfwd(ra.jacfwd(f))):
        np.testing.assert_array_equal(second(zero), 6.0 * np.eye(3))


# ----------------------------------------------------------------------------------- arguments


def test_integers_flow_and_have_no_gradient() -> None:
    def f(x: ra.Real, k: ra.Int, flags: Any) -> Any:
        return x / k + x * k * k + ra.where(flags[0], x, 2.0 * x) + ra.to_real(k // 2)

    assert ra.fn(f)(3.0, 2, np.array([True])) == 3.0 / 2 + 12.0 + 3.0 + 1.0
    assert ra.grad(f)(3.0, 2, np.array([False])) == 0.5 + 4.0 + 2.0
    _, pull = ra.vjp(f, 3.0, 2, np.array([True]))
    dx, dk, dflags = pull(1.0)
    assert dx == 0.5 + 4.0 + 1.0 and dk == 0 and not dflags.any()
    for transform in (ra.grad, ra.value_and_grad, ra.jacfwd, ra.jacrev, ra.hessian):
        with pytest.raises(ra.TypeMismatch, match="I64"):
            transform(f, 1)(3.0, 2, np.array([True]))


def test_division_by_an_integer_is_real() -> None:
    assert ra.fn(lambda x: x / 2)(3) == 1.5
    assert ra.grad(lambda x: (x / 4) * (8 / x))(2.0) == pytest.approx(0.0)
    assert ra.grad(lambda v: ra.sum(v / np.arange(1, 4)))(np.ones(3)) == pytest.approx(
        [1, 1 / 2, 1 / 3]
    )


def test_constants_unused_and_unchanged_arguments() -> None:
    v = np.array([1.0, 2.0])
    assert ra.grad(lambda x: 3.0)(2.0) == 0.0
    assert ra.grad(lambda x: ra.sum(v))(2.0) == 0.0
    assert ra.hessian(lambda x: 3.0)(v).tolist() == [[0.0, 0.0], [0.0, 0.0]]
    assert ra.hessian(lambda x: x[0])(v).tolist() == [[0.0, 0.0], [0.0, 0.0]]
    assert ra.jacfwd(lambda x: v)(2.0).tolist() == [0.0, 0.0]
    assert ra.jacrev(lambda x, y: v * x)(2.0, 1.0).tolist() == v.tolist()
    assert ra.jvp(lambda x: v, (2.0,), (1.0,))[1].tolist() == [0.0, 0.0]
    identity = ra.jacrev(lambda x: x)(v)
    assert identity.tolist() == ra.jacfwd(lambda x: x)(v).tolist() == [[1.0, 0.0], [0.0, 1.0]]
    assert ra.grad(lambda x: x)(2.0) == 1.0
    assert ra.linear_transpose(lambda x, y: x, v, 1.0)(v)[1] == 0.0
    value, tangent = ra.linearize(lambda x, y: (y, 2.0), v, 1.0)
    assert value == (1.0, 2.0) and tangent(v, 5.0) == (5.0, 0.0)


def test_the_same_array_twice_and_results_twice() -> None:
    v = np.array([1.0, 2.0, 3.0])
    first, second = ra.grad(ra.dot, (0, 1))(v, v)
    assert first.tolist() == second.tolist() == v.tolist()
    first *= 10.0  # results are arrays of their own
    assert second.tolist() == v.tolist() == [1.0, 2.0, 3.0]
    _, pull = ra.vjp(lambda a: (a, a, a * 2.0), v)
    assert pull((v, v, v))[0].tolist() == (4 * v).tolist()
    one, two, _ = ra.fn(lambda a: (a, a, a * 2.0))(v)
    one[0] = 99.0
    assert two[0] == v[0] == 1.0
    g = ra.grad(lambda d: ra.dot(d["a"], d["b"][0]))({"a": v, "b": [v]})
    assert g["a"].tolist() == g["b"][0].tolist() == v.tolist()


@pytest.mark.parametrize("n", [0, 1, 2])
def test_short_loops_and_arrays(n: int) -> None:
    """Of no, one and two entries; sums, products, scans and every transform of them."""
    v = np.arange(1.0, n + 1.0)

    def f(v: Any, x: Any) -> Any:
        last, ys = ra.scan(lambda c, a: (c * a, c + a), x, v, checkpoint=1)
        back, _ = ra.scan(lambda c, a: (c + a * x, None), x, v, reverse=True, checkpoint="sqrt")
        again = ra.while_loop(lambda c: c[1] < n, lambda c: (c[0] * x, c[1] + 1), (x, 0))[0]
        return last + back + again + ra.sum(ys * v) + ra.prod(v) + ra.norm(v) + ra.sum(ra.cumsum(v))

    h = 1e-5
    dv, dx = ra.grad(f, (0, 1))(v, 2.0)
    assert dv.shape == (n,)
    assert dx == pytest.approx((ra.fn(f)(v, 2 + h) - ra.fn(f)(v, 2 - h)) / 2 / h, rel=1e-8)
    for k in range(n):
        e = h * np.eye(n)[k]
        slope = (ra.fn(f)(v + e, 2.0) - ra.fn(f)(v - e, 2.0)) / 2 / h
        assert dv[k] == pytest.approx(slope, rel=1e-8)
    hessian = ra.hessian(f)(v, 2.0)
    assert hessian.shape == (n, n)
    np.testing.assert_allclose(hessian, ra.jacrev(ra.jacrev(f))(v, 2.0), atol=1e-12)
    assert ra.jacfwd(lambda v: v * 2.0)(v).shape == (n, n)
    assert ra.jacrev(lambda v: v * 2.0)(v).shape == (n, n)


# -------------------------------------------------------------------------- what is not linear

NONLINEAR: dict[str, tuple[Callable[..., Any], Any]] = {
    "a product": (lambda x: x * x, 1.0),
    "a function": (lambda x: ra.sin(x), 1.0),
    "where": (lambda x: ra.where(x > 0.0, x, 2.0 * x), 1.0),
    "cond": (lambda x: ra.cond(x > 0.0, lambda: x, lambda: 2.0 * x), 1.0),
    "minimum": (lambda x: ra.minimum(x, 2.0 * x), 1.0),
    "a checkpoint": (ra.checkpoint(lambda x: ra.where(x > 0.0, x, 2.0 * x)), 1.0),
    "abs": (lambda x: ra.abs(x), 1.0),
    "an index": (lambda v: v[ra.to_int(v[0])], np.ones(3)),
    "an integer factor": (lambda x: ra.to_int(x) * x, 1.0),
    "a stopped factor": (lambda x: x * ra.stop_gradient(x), 1.0),
    "a number of steps": (
        lambda x: ra.while_loop(lambda c: c < 9.0, lambda c: 2.0 * c + 1.0, x),
        1.0,
    ),
}


def guarded(x: Any) -> Any:
    acc = ra.accum()
    with ra.when(x > 0.0):
        acc += x
    return acc


def counted(x: Any) -> Any:
    acc = ra.accum()
    for _ in ra.range(ra.to_int(x)):
        acc += x
    return acc


NONLINEAR |= {"an accumulator's guard": (guarded, 1.0), "a loop's bound": (counted, 1.0)}


@pytest.mark.parametrize("name", NONLINEAR)
def test_a_function_that_is_not_linear_is_not_transposed(name: str) -> None:
    f, x = NONLINEAR[name]
    with pytest.raises(ra.TypeMismatch, match="not linear"):
        ra.linear_transpose(f, x)(1.0)


LINEAR: dict[str, Callable[..., Any]] = {
    "sums": lambda v: ra.cumsum(v)[::-1] * 2.0,
    "where": lambda v: ra.where(np.arange(3) > 1, v, -v),
    "loop": lambda v: ra.fori_loop(0, 3, lambda i, c: c * 2.0 + v, v),
    "checkpoint in a loop": lambda v: ra.fori_loop(
        0, 3, lambda i, c: ra.checkpoint(lambda y: y * 2.0)(c) + v, v
    ),
    "solve": lambda v: ra.solve(np.eye(3) * 2.0 + 1.0, v),
    "tangent": lambda v: ra.jvp(lambda w: ra.sin(w) * w, (np.ones(3),), (v,))[1],
    "cotangent": lambda v: ra.vjp(lambda w: ra.sin(w) * w[::-1], np.ones(3))[1](v)[0],
}


@pytest.mark.parametrize("name", LINEAR)
def test_the_transpose_of_a_linear_function(name: str) -> None:
    f = LINEAR[name]
    matrix = np.stack([ra.fn(f)(e) for e in np.eye(3)], axis=1)
    transposed = ra.linear_transpose(f, np.zeros(3))
    rows = np.stack([transposed(e)[0] for e in np.eye(3)])
    np.testing.assert_allclose(rows, matrix, atol=1e-14)


def test_entropy_has_a_clean_gradient_at_zero() -> None:
    """The logarithm that is not chosen is a factor here, not a value."""

    def entropy(p: Any) -> Any:
        return ra.sum(ra.where(p > 0, p * ra.log(p), 0.0))

    p = np.array([0.0, 0.5, 1.0])
    np.testing.assert_allclose(ra.grad(entropy)(p), [0.0, 1 + math.log(0.5), 1.0])
    np.testing.assert_allclose(ra.jvp(entropy, (p,), (np.ones(3),))[1], 2 + math.log(0.5))
    np.testing.assert_allclose(ra.hessian(entropy)(p), np.diag([0.0, 2.0, 1.0]))
