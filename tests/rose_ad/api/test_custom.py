"""Derivatives that the user gives are used, in every mode, and told what is wrong with them."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import rose_ad as ra
from rose_ad.api import derive

V = np.array([0.3, -0.8, 1.1])


def with_jvp(f: Callable[..., Any], rule: Any) -> Any:
    made = ra.custom_jvp(f)
    made.defjvp(rule)
    return made


def with_vjp(f: Callable[..., Any], forward: Any, backward: Any) -> Any:
    made = ra.custom_vjp(f)
    made.defvjp(forward, backward)
    return made


# rules that say what is not true show that they are used: the derivative of x² is taken as 5 x


def false_jvp() -> Any:
    return with_jvp(lambda x: x * x, lambda p, t: (p[0] * p[0], 5.0 * p[0] * t[0]))


def false_vjp() -> Any:
    return with_vjp(lambda x: x * x, lambda x: (x * x, x), lambda x, ct: (5.0 * x * ct,))


@pytest.mark.parametrize("make", [false_jvp, false_vjp])
def test_the_rule_is_used_in_every_mode(make: Any) -> None:
    f = make()
    assert ra.fn(f)(3.0) == 9.0
    assert ra.grad(f)(3.0) == 15.0
    assert ra.jvp(f, (3.0,), (2.0,)) == (9.0, 30.0)
    assert ra.vjp(f, 3.0)[1](2.0) == (30.0,)
    assert ra.linearize(f, 3.0)[1](2.0) == 30.0
    assert ra.jacfwd(f)(3.0) == ra.jacrev(f)(3.0) == 15.0
    assert (
        ra.grad(ra.grad(f))(3.0)
        == ra.hessian(f)(3.0)
        == ra.jvp(ra.grad(f), (3.0,), (1.0,))[1]
        == 5.0
    )
    looped = ra.grad(lambda x: ra.fori_loop(0, 2, lambda i, c: f(c), x))
    assert looped(2.0) == 5.0 * 4.0 * 5.0 * 2.0
    assert ra.grad(lambda x: ra.cond(x > 0.0, lambda: f(x), lambda: x))(3.0) == 15.0
    assert ra.grad(lambda v: ra.sum(ra.build(3, lambda i: f(v[i]))))(V) == pytest.approx(5.0 * V)


def test_a_rule_that_calls_its_function() -> None:
    f = ra.custom_jvp(lambda x: ra.exp(x))
    f.defjvp(lambda p, t: (f(*p), f(*p) * t[0]))
    d = f
    for _ in range(4):
        d = ra.grad(d)
    assert d(0.5) == pytest.approx(np.exp(0.5))


def test_structures_and_integers() -> None:
    f = with_jvp(
        lambda s, k: {"y": s["a"] * ra.to_real(k), "k": k + 1},
        lambda p, t: (
            {"y": p[0]["a"] * ra.to_real(p[1]), "k": p[1] + 1},
            {"y": 7.0 * t[0]["a"], "k": 0},
        ),
    )
    g = ra.grad(lambda a, k: ra.sum(f({"a": a}, k)["y"]))
    assert g(V, 3).tolist() == [7.0] * 3
    h = with_vjp(
        lambda s, k: (s["a"] * ra.to_real(k), k),
        lambda s, k: ((s["a"] * ra.to_real(k), k), k),
        lambda k, ct: ({"a": 7.0 * ct[0]}, None),
    )
    assert ra.grad(lambda a, k: ra.sum(h({"a": a}, k)[0]))(V, 3).tolist() == [7.0] * 3


def test_no_cotangent_is_zero() -> None:
    f = with_vjp(lambda x, v: x * v, lambda x, v: (x * v, v), lambda v, ct: (None, 2.0 * ct))
    dx, dv = ra.grad(lambda x, v: ra.sum(f(x, v)), (0, 1))(2.0, V)
    assert dx == 0.0 and dv.tolist() == [2.0] * 3
    assert ra.jvp(f, (2.0, V), (1.0, V))[1] == pytest.approx(2.0 * V)


def test_a_backward_that_is_not_linear_has_reverse_mode_only() -> None:
    clipped = with_vjp(
        lambda x: x * 1.0, lambda x: (x * 1.0, None), lambda _, ct: (ra.clip(ct, -1.0, 1.0),)
    )
    assert ra.grad(lambda x: 5.0 * clipped(x))(2.0) == 1.0
    assert ra.grad(lambda x: 0.5 * clipped(x))(2.0) == 0.5
    with pytest.raises(ra.TypeMismatch, match="not linear in the tangents or cotangents"):
        ra.jvp(clipped, (2.0,), (1.0,))


NONLINEAR = {
    "a square": lambda p, t: (p[0], t[0] * t[0]),
    "a sine": lambda p, t: (p[0], ra.sin(t[0])),
    "a choice": lambda p, t: (p[0], ra.where(t[0] > 0.0, t[0], 0.0)),
    "a branch": lambda p, t: (p[0], ra.cond(t[0] > 0.0, lambda: t[0], lambda: 2.0 * t[0])),
    "a clip": lambda p, t: (p[0], ra.clip(t[0], -1.0, 1.0)),
    "a stopped factor": lambda p, t: (p[0], t[0] * ra.stop_gradient(t[0])),
}


@pytest.mark.parametrize("name", NONLINEAR)
@pytest.mark.parametrize("mode", ["forward", "reverse"])
def test_a_rule_that_is_not_linear(name: str, mode: str) -> None:
    f = with_jvp(lambda x: x, NONLINEAR[name])
    with pytest.raises(ra.TypeMismatch, match="not linear") as error:
        ra.jvp(f, (2.0,), (1.0,)) if mode == "forward" else ra.grad(f)(2.0)
    assert "test_custom.py" in str(error.value)


def pair(x: Any) -> Any:
    return x, x


WRONG: dict[str, tuple[Callable[[], Any], str]] = {
    "no rule, jvp": (lambda: ra.custom_jvp(lambda x: x), "no derivative yet"),
    "no rule, vjp": (lambda: ra.custom_vjp(lambda x: x), "no derivative yet"),
    "a tangent alone": (lambda: with_jvp(lambda x: x, lambda p, t: t[0]), "(value, tangent)"),
    "three results": (
        lambda: with_jvp(lambda x: x, lambda p, t: (p[0], t[0], t[0])),
        "(value, tangent)",
    ),
    "a pair for a number": (
        lambda: with_jvp(lambda x: x, lambda p, t: (p[0], (t[0], t[0]))),
        "(value, tangent)",
    ),
    "another value": (lambda: with_jvp(lambda x: x, lambda p, t: (p[0] * V, t[0])), "other types"),
    "a tangent's shape": (lambda: with_jvp(lambda x: x, lambda p, t: (p[0], t[0] * V)), "tangent"),
    "a tangent's type": (
        lambda: with_jvp(lambda x: x, lambda p, t: (p[0], ra.to_int(t[0]))),
        "tangent I64",
    ),
    "a value alone": (
        lambda: with_vjp(lambda x: x, lambda x: x, lambda r, ct: (ct,)),
        "remembered",
    ),
    "a value's structure": (
        lambda: with_vjp(lambda x: x, lambda x: (pair(x), None), lambda r, ct: (ct,)),
        "does not return the value",
    ),
    "a value's shape": (
        lambda: with_vjp(lambda x: x, lambda x: (x * V, None), lambda r, ct: (ct,)),
        "other types",
    ),
    "a cotangent alone": (
        lambda: with_vjp(lambda x: x, lambda x: (x, None), lambda r, ct: ct),
        "for each argument",
    ),
    "too many cotangents": (
        lambda: with_vjp(lambda x: x, lambda x: (x, None), lambda r, ct: (ct, ct)),
        "for each argument",
    ),
    "a cotangent's structure": (
        lambda: with_vjp(lambda x: x, lambda x: (x, None), lambda r, ct: ((ct, ct),)),
        "another structure",
    ),
    "a cotangent's shape": (
        lambda: with_vjp(lambda x: x, lambda x: (x, None), lambda r, ct: (ct * V,)),
        "returns a cotangent",
    ),
    "a cotangent's type": (
        lambda: with_vjp(lambda x: x, lambda x: (x, None), lambda r, ct: (1,)),
        "returns a cotangent I64",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_rule_that_is_wrong(name: str) -> None:
    make, words = WRONG[name]
    with pytest.raises(ra.TypeMismatch) as error:
        ra.grad(make())(2.0)
    assert words in str(error.value)
    assert "test_custom.py" in str(error.value)


def test_arguments_by_name_are_refused() -> None:
    with pytest.raises(ra.TypeMismatch, match="by position") as error:
        ra.fn(lambda x: false_jvp()(x=x))(2.0)
    assert "test_custom.py" in str(error.value)


def test_a_captured_value_that_is_differentiated_is_refused() -> None:
    def f(x: Any, y: Any) -> Any:
        g = ra.custom_jvp(lambda z: z * y)
        g.defjvp(lambda p, t: (p[0] * y, t[0] * y))
        return g(x)

    assert ra.grad(f, 0)(2.0, 3.0) == 3.0
    with pytest.raises(ra.TypeMismatch, match="pass that value as an argument"):
        ra.grad(f, 1)(2.0, 3.0)


# ------------------------------------------------------------------- stop_gradient, checkpoint


def test_stop_gradient_is_a_constant_to_every_order() -> None:
    f = ra.fn(lambda x: x * ra.stop_gradient(x * x))
    assert f(3.0) == 27.0 and ra.grad(f)(3.0) == 9.0 and ra.grad(ra.grad(f))(3.0) == 0.0
    assert ra.jvp(f, (3.0,), (1.0,))[1] == 9.0
    held = ra.grad(lambda x: ra.stop_gradient({"a": x, "n": 3, "s": "kept"})["a"] * x)
    assert held(2.0) == 2.0


def test_a_checkpointed_function_remembers_its_arguments() -> None:
    def deep(x: Any) -> Any:
        for _ in range(6):
            x = ra.sin(x) * ra.exp(x)
        return x

    v = np.full(2000, 0.01)
    plain, again = (
        ra.grad(lambda v, f=f: ra.sum(f(v))) for f in (ra.fn(deep), ra.checkpoint(deep))
    )
    np.testing.assert_allclose(plain(v), again(v), rtol=1e-12)
    by_both = [
        ra.hvp(lambda v, f=f: ra.sum(f(v)), (v,), (v,))[0] for f in (deep, ra.checkpoint(deep))
    ]
    np.testing.assert_allclose(*by_both, rtol=1e-12)

    def remembered(f: Any) -> int:
        """Numbers that the derivative of f keeps."""
        return len(ra.flatten(derive._Remembering(ra.fn(f))(0.3)[1][1])[0])

    assert remembered(ra.checkpoint(deep)) == 1 < remembered(deep)


# ------------------------------------------------------------- arguments without a derivative


@functools.partial(ra.custom_jvp, nondiff_argnums=(0, 2))
def applied(f: Any, x: Any, times: int) -> Any:
    for _ in range(times):
        x = f(x)
    return x


@applied.defjvp
def applied_jvp(f: Any, times: int, primals: Any, tangents: Any) -> Any:
    (x,), (dx,) = primals, tangents
    return applied(
        f, x, times
    ), 10.0 * times * x * dx  # not the derivative, so that one sees whose it is


@functools.partial(ra.custom_vjp, nondiff_argnums=(1,))
def raised(x: Any, n: int, y: Any) -> Any:
    return x**n * y


def raised_forward(x: Any, n: int, y: Any) -> Any:
    return raised(x, n, y), (x, y)


def raised_backward(n: int, remembered: Any, ct: Any) -> Any:
    x, y = remembered
    return 7.0 * n * x ** (n - 1) * y * ct, None


raised.defvjp(raised_forward, raised_backward)


def test_arguments_that_have_no_derivative() -> None:
    assert applied(ra.sin, 0.5, 2) == pytest.approx(math.sin(math.sin(0.5)))
    assert ra.grad(applied, 1)(ra.sin, 0.5, 2) == 10.0
    assert ra.grad(lambda x: applied(ra.cos, x, 3))(0.5) == 15.0
    assert ra.jvp(lambda x: applied(ra.cos, x, 3), (0.5,), (2.0,))[1] == 30.0
    assert ra.hessian(lambda x: applied(ra.cos, x, 3))(0.5) == 30.0
    np.testing.assert_allclose(
        ra.vmap(ra.grad(lambda x: applied(ra.cos, x, 3)))(np.array([0.5, 1.0])), [15.0, 30.0]
    )
    assert raised(2.0, 3, 5.0) == 40.0
    assert ra.grad(raised, (0, 2))(2.0, 3, 5.0) == (420.0, 0.0)
    assert ra.jvp(lambda x: raised(x, 3, 5.0), (2.0,), (1.0,))[1] == 420.0


def test_arguments_without_derivative_are_known_while_tracing() -> None:
    with pytest.raises(ra.TraceError, match="static argument n of raised"):
        ra.fn(lambda x, n: raised(x, n, x))(2.0, 3)
    with pytest.raises(ra.TypeMismatch, match="nondiff_argnums"):
        ra.custom_jvp(lambda x: x, nondiff_argnums=(1,))


def test_a_rule_for_each_argument() -> None:
    """As JAX's `defjvps`: 100 times the true derivative by x, none by y, the true one by each part of z."""

    @ra.custom_jvp
    def f(x: Any, y: Any, z: Any) -> Any:
        return {"product": x * y * z[0], "sum": x + z[1]}

    f.defjvps(
        lambda t, out, x, y, z: {"product": 100 * t * y * z[0], "sum": 100 * t},
        None,
        lambda t, out, x, y, z: {"product": out["product"] / z[0] * t[0], "sum": t[1]},
    )
    at = 2.0, 3.0, (5.0, 7.0)
    assert f(*at) == {"product": 30.0, "sum": 9.0}
    gradient = ra.grad(lambda *a: f(*a)["product"] + 2 * f(*a)["sum"], (0, 1, 2))(*at)
    assert gradient == (1500.0 + 200.0, 0.0, (6.0, 2.0))
    tangent = ra.jvp(f, at, (1.0, 1.0, (1.0, 1.0)))[1]
    assert tangent == {"product": 1506.0, "sum": 101.0}
    each = ra.vmap(ra.grad(lambda x: f(x, 3.0, (5.0, 7.0))["product"]))(np.array([2.0, 4.0]))
    np.testing.assert_array_equal(each, [1500.0, 1500.0])


def test_no_rule_for_any_argument_is_a_derivative_of_zero() -> None:
    f = ra.custom_jvp(lambda x: 1 / x)
    f.defjvps(None)
    assert ra.value_and_grad(f)(0.0) == (np.inf, 0.0)


def test_rules_for_too_few_arguments() -> None:
    f = ra.custom_jvp(lambda x, y: x * y)
    f.defjvps(lambda t, out, x, y: t * y)
    with pytest.raises(ra.TypeMismatch, match="1 rules for 2 arguments"):
        f(1.0, 2.0)
