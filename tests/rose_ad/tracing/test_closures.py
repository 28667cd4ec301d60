"""Functions inside functions: what they use of those around them is differentiated like an argument."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import rose_ad as ra

X, V = 0.7, np.array([0.3, -0.8, 1.1])
Y, W = -1.2, np.array([0.5, 1.5, -0.25])


def close(a: Any, b: Any, tolerance: float = 1e-12) -> None:
    for p, q in zip(ra.flatten(a)[0], ra.flatten(b)[0], strict=True):
        np.testing.assert_allclose(p, q, rtol=tolerance, atol=tolerance)


def test_a_gradient_inside_uses_what_is_around_it() -> None:
    def f(x: Any, v: Any) -> Any:
        return ra.sum(ra.grad(lambda w: ra.sum(ra.sin(w * x)) * ra.dot(w, v))(v))

    def by_hand(x: Any, v: Any) -> Any:
        return ra.sum(ra.cos(v * x) * x * ra.dot(v, v) + ra.sum(ra.sin(v * x)) * v)

    close(ra.fn(f)(X, V), ra.fn(by_hand)(X, V))
    close(ra.grad(f, (0, 1))(X, V), ra.grad(by_hand, (0, 1))(X, V))
    close(ra.hvp(f, (X, V), (Y, W)), ra.hvp(by_hand, (X, V), (Y, W)))


def test_derivatives_in_two_variables_are_not_confused() -> None:
    """d/dx (x d/dy (x + y)) is 1: a tangent of x is not one of y."""
    assert ra.grad(lambda x: x * ra.grad(lambda y: x + y)(3.0))(2.0) == 1.0
    assert ra.grad(lambda x: x * ra.jvp(lambda y: x + y, (3.0,), (1.0,))[1])(2.0) == 1.0
    inside = ra.fn(lambda x: x * ra.jvp(lambda y: x * y, (3.0,), (1.0,))[1])
    assert ra.jvp(inside, (2.0,), (1.0,)) == (4.0, 4.0)
    assert ra.grad(ra.grad(lambda x: ra.grad(lambda y: x * x * y * y)(x)))(2.0) == 12.0 * 2.0
    deep = ra.grad(lambda x: ra.grad(lambda y: ra.grad(lambda z: x * y * y * z**3)(x))(x))
    assert deep(2.0) == pytest.approx(24 * 2.0**3)  # of 6 x⁴


def test_another_value_the_next_time() -> None:
    def scaled(k: Any) -> Any:
        return ra.fn(lambda y: k * y)

    def f(x: Any) -> Any:
        return scaled(x)(3.0) + scaled(x * x)(3.0) + scaled(5.0)(x)

    assert ra.fn(f)(2.0) == 6.0 + 12.0 + 10.0
    assert ra.grad(f)(2.0) == 3.0 + 12.0 + 5.0

    @ra.fn
    def shared(x: Any) -> Any:
        inner = ra.fn(lambda y: y * x)
        return ra.fori_loop(0, 2, lambda i, c: inner(c), x)

    assert shared(2.0) == 8.0 and shared(3.0) == 27.0 and ra.grad(shared)(3.0) == 27.0


def test_functions_three_deep() -> None:
    def f(x: Any, v: Any) -> Any:
        @ra.fn
        def middle(y: Any) -> Any:
            @ra.fn
            def inmost(z: Any) -> Any:
                return z * x + ra.dot(v, v) * y

            return inmost(y) * x + inmost(x)

        return ra.sum(ra.build(3, lambda i: middle(v[i])))

    def plain(x: Any, v: Any) -> Any:
        s = ra.dot(v, v)
        return ra.sum((v * x + s * v) * x + (x * x + s * v))

    close(ra.fn(f)(X, V), ra.fn(plain)(X, V))
    close(ra.grad(f, (0, 1))(X, V), ra.grad(plain, (0, 1))(X, V))
    close(ra.hvp(f, (X, V), (Y, W)), ra.hvp(plain, (X, V), (Y, W)))


def test_what_a_loop_makes_is_captured_in_it() -> None:
    def f(x: Any, v: Any) -> Any:
        acc = ra.accum()
        for i in ra.range(3):
            k = v[i] * x
            acc += ra.grad(lambda y, k=k: ra.sin(y * k))(x)
        last = ra.fori_loop(0, 3, lambda i, c: ra.grad(lambda y: y * y * c + v[i] * y)(x), x)
        return acc + last

    def plain(x: Any, v: Any) -> Any:
        total = ra.sum(ra.cos(x * v * x) * v * x)
        c = x
        for i in range(3):
            c = 2.0 * x * c + v[i]
        return total + c

    close(ra.fn(f)(X, V), ra.fn(plain)(X, V))
    close(ra.grad(f, (0, 1))(X, V), ra.grad(plain, (0, 1))(X, V))


def test_every_transform_takes_a_closure() -> None:
    def f(x: Any, v: Any) -> Any:
        def g(w: Any) -> Any:
            return ra.sin(w * x) * v

        _, pull = ra.vjp(g, v)
        _, tangent = ra.linearize(g, v)
        value, push = ra.jvp(g, (v,), (v * x,))
        back = ra.linear_transpose(lambda w: w * x + ra.cumsum(w) * v, v)(v)[0]
        total = ra.dot(pull(v)[0], tangent(v)) + ra.dot(value, push) + ra.sum(back)
        total += ra.sum(ra.jacfwd(g)(v) * ra.jacrev(g)(v))
        total += ra.sum(ra.hessian(lambda w: ra.sum(g(w)))(v)) + ra.checkpoint(lambda y: y * x)(x)
        return total + ra.sum(ra.hvp(lambda w: ra.sum(g(w)), (v,), (v,))[0])

    def plain(x: Any, v: Any) -> Any:
        d = ra.cos(v * x) * x * v  # the diagonal of the derivative
        s = ra.sin(v * x) * v
        back = v * x + ra.cumsum((v * v)[::-1])[::-1]
        second = -s * x * x
        total = ra.dot(d * v, d * v) + ra.dot(s, d * v * x) + ra.sum(back) + ra.sum(d * d)
        return total + ra.sum(second) + x * x + ra.dot(second, v)

    close(ra.fn(f)(X, V), ra.fn(plain)(X, V))
    close(ra.grad(f, (0, 1))(X, V), ra.grad(plain, (0, 1))(X, V), 1e-11)
    close(ra.hvp(f, (X, V), (Y, W)), ra.hvp(plain, (X, V), (Y, W)), 1e-10)


def test_integers_and_accumulators() -> None:
    def f(x: Any, k: Any) -> Any:
        return ra.grad(lambda y: y * ra.to_real(k) * x)(x)

    assert ra.grad(f)(2.0, 3) == 3.0

    def leaking(x: Any) -> Any:
        acc = ra.accum()
        ra.fn(lambda y: acc.add(acc.ref, y))(x)  # here
        return acc

    with pytest.raises(ra.TraceError) as error:
        ra.fn(leaking)(2.0)
    assert "test_closures.py" in str(error.value)


def test_a_value_that_has_escaped() -> None:
    kept: list[Any] = []
    ra.fn(lambda x: kept.append(x * 2.0) or x)(1.0)
    for use in (lambda x: kept[0] * x, lambda x: kept[0]):
        with pytest.raises(ra.TraceError, match="value of another function") as error:
            ra.fn(use)(1.0)
        assert "test_closures.py" in str(error.value)

    def from_a_loop(x: Any) -> Any:
        inside: list[Any] = []
        ra.fori_loop(0, 2, lambda i, c: inside.append(c * x) or c, x)
        return ra.grad(lambda y: y * inside[0])(x)

    with pytest.raises(ra.TraceError, match="after the loop that made it"):
        ra.fn(from_a_loop)(1.0)
