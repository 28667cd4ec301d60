"""Derivatives of each construct, in every combination of modes, and what a derivative must never do."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import rose_ad as ra
from rose_ad.ir.queries import callees, instructions
from rose_ad.ir.verify import verify

N = 5
X, V = 0.7, np.array([0.3, -0.8, 1.1, 0.2, -0.4])


@ra.struct
class Ball:
    position: ra.Vec
    speed: ra.Real


# -------------------------------------------------------------------- constructs: f(x, v) -> Real


@ra.fn
def spring(x: ra.Real, k: ra.Real) -> Any:
    return ra.sin(x) * k + x * x, ra.cos(x * k)


@ra.fn
def smooth(v: ra.Vec, x: ra.Real) -> Any:
    return ra.build(len(v), lambda i: ra.tanh(v[i] * x))


def straight(x: Any, v: Any) -> Any:
    return ra.exp(x * v[1]) / (2.0 + v[0]) - ra.sqrt(1.0 + x**3)


def built(x: Any, v: Any) -> Any:
    return ra.sum(ra.build(N, lambda i: ra.sin(v[i] * x) * v[(i + 1) % N]))


def elementwise(x: Any, v: Any) -> Any:
    return ra.dot(ra.sin(v) * x, v[::-1]) + ra.mean(v * v) + ra.norm(v + x)


def matrix(x: Any, v: Any) -> Any:
    m = ra.build(N, lambda i: ra.build(3, lambda j: v[i] * x + ra.cos(v[j])))
    return ra.sum(ra.matmul(m, v[:3]) * v)


def called(x: Any, v: Any) -> Any:
    a, b = spring(x, v[0])
    return a * b + ra.sum(smooth(v, a))


def called_in_a_loop(x: Any, v: Any) -> Any:
    acc = ra.accum(N)
    for i in ra.range(N):
        a, b = spring(v[i], x)
        w = smooth(v, a)
        acc[i] += a * w[i]
        acc[(2 * i) % N] -= b
    value = acc.freeze()
    return ra.dot(value, value)


def iterated(x: Any, v: Any) -> Any:
    return ra.fori_loop(1, 6, lambda i, c: ra.sin(c * x) + v[i % N] / i, x)


def scanned(x: Any, v: Any) -> Any:
    def step(c: Any, item: Any) -> Any:
        c = ra.sin(c + item[0] * item[1])
        return c, (c * x, c * v)

    last, (ys, rows) = ra.scan(step, x, (v, v[::-1]))
    return last + ra.dot(ys, v) + ra.sum(rows * rows)


def scanned_backwards(x: Any, v: Any) -> Any:
    last, ys = ra.scan(lambda c, a: (ra.cos(c) * a + x, c * a), x, v, reverse=True)
    return last * ys[0] + ys[N - 1]


def carried_structs(x: Any, v: Any) -> Any:
    def step(i: Any, c: Any) -> Any:
        ball, twist = c["ball"], c["twist"]
        moved = Ball(ra.sin(ball.position + twist), ball.speed * 0.9 + ball.position[i % N])
        return {"ball": moved, "twist": ball.speed * x}

    out = ra.fori_loop(0, 4, step, {"ball": Ball(v, x), "twist": x * v[0]})
    return ra.sum(out["ball"].position) * out["ball"].speed + out["twist"]


def carried_integers(x: Any, v: Any) -> Any:
    def step(c: Any, _: Any) -> Any:
        k, odd, y = c
        return ((2 * k + 1) % N, ~odd, ra.where(odd, ra.sin(y) * v[k], y + v[k] * x)), y

    (_, _, y), ys = ra.scan(step, (1, False, x), length=7)
    return y + ra.sum(ys * ys)


def swapped(x: Any, v: Any) -> Any:
    a, b = ra.fori_loop(0, 3, lambda i, c: (c[1], c[0] * x), (v, ra.sin(v)))
    return ra.dot(a, a) - ra.dot(b, v)


def nested_scans(x: Any, v: Any) -> Any:
    def outer(c: Any, a: Any) -> Any:
        inner, ys = ra.scan(lambda d, b: (ra.sin(d * b + a), d * d), c, v)
        return inner * x, ra.sum(ys)

    last, ys = ra.scan(outer, x, v)
    return last + ra.sum(ys)


def branched(x: Any, v: Any) -> Any:
    y = ra.cond(x > 0.5, lambda: ra.sum(v * x), lambda: v[0])
    z = ra.cond(x > 0.9, lambda a: a * a, lambda a: ra.sin(a) * v[2], x * y)
    return y * z


def branch_of_arrays(x: Any, v: Any) -> Any:
    w, u = ra.cond(x > 0.5, lambda: (v, v * x), lambda: (v * v, v))
    return ra.dot(w, u) + w[0]


def loops_in_branches_in_loops(x: Any, v: Any) -> Any:
    acc = ra.accum()
    for i in ra.range(N):
        with ra.when(v[i] > 0.0):
            for j in ra.range(i + 1):
                with ra.when(j % 2 == 0):
                    acc += ra.sin(v[i] * v[j] * x)
    return acc * acc


def chosen(x: Any, v: Any) -> Any:
    return ra.sum(ra.where(v > 0.0, v * x, ra.sin(v))) + ra.max(v) * ra.minimum(x, v[2])


def pieces(x: Any, v: Any) -> Any:
    return ra.sum(ra.abs(v) * ra.clip(v, -0.5, 0.5)) * x + ra.floor(x + v[2]) * x


def accumulated(x: Any, v: Any) -> Any:
    def add_all(acc: Any, scale: Any) -> None:  # an accumulator goes where it is passed
        for i in ra.range(N):
            acc[i] += v[i] * scale
            acc[N - 1 - i] -= ra.sin(v[i])

    acc = ra.accum(N)
    add_all(acc, x)
    add_all(acc, x * x)
    acc += v * x
    value = acc.freeze()
    return ra.sum(value * value * v)


def accumulated_from_a_scan(x: Any, v: Any) -> Any:
    acc, total = ra.accum((N, 2)), ra.accum()

    def step(c: Any, a: Any) -> Any:
        for j in ra.range(2):
            acc[ra.to_int(3.0 * c) % N, j] += c * a
        total.add(total.ref, c * x)
        return ra.sin(c + a), None

    last, _ = ra.scan(step, x, v)
    value = acc.freeze()
    return last * total + ra.sum(value * value)


def gathered(x: Any, v: Any) -> Any:
    k = ra.to_int(9.0 * x)
    return v[k % N] * v[(k + 1) % N] + ra.sum(3, lambda i: v[(k + 2 * i) % N] * x)


def views_of_rows(x: Any, v: Any) -> Any:
    m = ra.build(3, lambda i: v * ra.to_real(i + 1))
    row = m[ra.to_int(x)]
    for_row = ra.sum(3, lambda i: ra.dot(m[i], row))
    return for_row + m[2, 1] * x


def repeated_results(x: Any, v: Any) -> Any:
    def step(c: Any, a: Any) -> Any:
        d = ra.sin(c * a)
        return d, (d, d, c, a)

    last, (p, q, r, s) = ra.scan(step, x * v, v)
    return ra.sum(last) + ra.sum(p * q) + ra.sum(r) * s[1]


def functions_of_results(x: Any, v: Any) -> Any:
    a, _ = spring(x, x)
    _, b = spring(a, v[0])
    w = smooth(smooth(v, b), b)
    return ra.dot(w, w)


CONSTRUCTS: list[Callable[..., Any]] = [
    straight,
    built,
    elementwise,
    matrix,
    called,
    called_in_a_loop,
    iterated,
    scanned,
    scanned_backwards,
    carried_structs,
    carried_integers,
    swapped,
    nested_scans,
    branched,
    branch_of_arrays,
    loops_in_branches_in_loops,
    chosen,
    pieces,
    accumulated,
    accumulated_from_a_scan,
    gathered,
    views_of_rows,
    repeated_results,
    functions_of_results,
]
each = pytest.mark.parametrize("f", CONSTRUCTS, ids=lambda f: f.__name__)

U = (0.4, np.array([0.5, -1.0, 0.25, 2.0, -0.75]))  # a direction, and another
W = (-1.2, np.array([1.0, 0.5, -0.5, -0.25, 0.6]))


def inner(a: Any, b: Any) -> Any:
    return a[0] * b[0] + ra.dot(a[1], b[1])


def slope(f: Callable[..., Any], u: Any, h: float = 1e-5) -> Any:
    """The central difference of f(X, V) along u."""
    return (f(X + h * u[0], V + h * u[1]) - f(X - h * u[0], V - h * u[1])) / (2 * h)


def close(a: Any, b: Any, tolerance: float = 1e-12) -> None:
    np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance)


@each
def test_jvp(f: Any) -> None:
    value, tangent = ra.jvp(f, (X, V), U)
    close(value, ra.fn(f)(X, V))
    close(tangent, slope(ra.fn(f), U), 1e-7)


@each
def test_grad(f: Any) -> None:
    value, gradient = ra.value_and_grad(f, (0, 1))(X, V)
    close(value, ra.fn(f)(X, V))
    close(inner(gradient, U), ra.jvp(f, (X, V), U)[1])
    close(ra.grad(f, 1)(X, V), gradient[1])
    close(ra.grad(f)(X, V), gradient[0])


@each
def test_vjp(f: Any) -> None:
    value, pull = ra.vjp(f, X, V)
    close(value, ra.fn(f)(X, V))
    close(inner(pull(3.0), U), 3.0 * ra.jvp(f, (X, V), U)[1])


@each
def test_second_order(f: Any) -> None:
    gradient = ra.grad(f, (0, 1))

    def along_u(x: Any, v: Any) -> Any:
        return inner(gradient(x, v), U)

    by_reverse = inner(ra.grad(along_u, (0, 1))(X, V), W)
    by_forward = inner(ra.jvp(gradient, (X, V), W)[1], U)
    reverse_of_forward = inner(ra.grad(lambda x, v: ra.jvp(f, (x, v), U)[1], (0, 1))(X, V), W)
    close(by_forward, by_reverse, 1e-11)
    close(reverse_of_forward, by_reverse, 1e-11)
    close(by_reverse, slope(ra.fn(along_u), W), 1e-6)


def test_third_order() -> None:
    third = ra.grad(ra.grad(ra.grad(lambda x: ra.fori_loop(0, 3, lambda i, c: c * x, x))))
    close(third(2.0), 24 * 2.0)
    close(ra.grad(ra.grad(ra.grad(ra.sin)))(0.3), -np.cos(0.3))


# ------------------------------------------------------------------------------ calls stay calls


def program_size(f: ra.Fn, *args: Any) -> tuple[int, int]:
    """Functions and instructions of what f compiles to."""
    functions = callees(f.lower(*args).program.function)
    return len(functions), sum(1 for g in functions for _ in instructions(g.block))


def test_a_call_in_a_loop_is_compiled_once() -> None:
    functions, size = program_size(ra.fn(called_in_a_loop), X, V)
    assert functions == 3
    first = program_size(ra.grad(called_in_a_loop), X, V)
    second = program_size(ra.grad(lambda x, v: ra.grad(called_in_a_loop)(x, v)), X, V)
    assert first[0] <= 3 * functions
    assert second[0] <= 3 * first[0]
    assert first[1] <= 4 * size


def test_derivatives_are_made_once() -> None:
    twice = program_size(ra.grad(lambda x: sum(spring(x * k, x)[0] for k in range(2))), X)
    many = program_size(ra.grad(lambda x: sum(spring(x * k, x)[0] for k in range(20))), X)
    assert twice[0] == many[0]


@pytest.mark.parametrize("f", [scanned, called_in_a_loop, iterated], ids=lambda f: f.__name__)
def test_every_derivative_is_valid_ir(f: Any) -> None:
    for g in (ra.fn(f), ra.grad(f), ra.grad(lambda x, v: ra.grad(f)(x, v))):
        verify(g.lower(X, V).program.function)


def long_scan(steps: int) -> Any:
    return lambda x: ra.scan(lambda c, _: (ra.sin(c), c * c), x, length=steps)[0]


def long_vector(x: Any) -> Any:
    acc = ra.accum(len(x))
    for i in ra.range(len(x)):
        for j in ra.range(i):
            acc[j] += ra.sin(x[i] - x[j])
    return ra.norm(acc + ra.tanh(x))


def test_size_does_not_grow_with_the_number_of_steps() -> None:
    short, long = (ra.grad(long_scan(n)) for n in (10, 100_000))
    assert program_size(short, X) == program_size(long, X)
    assert len(short.lower(X).llvm) == pytest.approx(len(long.lower(X).llvm), rel=0.05)
    assert long.lower(X).compile_seconds < 10 * short.lower(X).compile_seconds + 0.1


def test_size_does_not_grow_with_the_length_of_arrays() -> None:
    gradient = ra.grad(long_vector)
    few, many = np.ones(10), np.ones(10_000)
    assert program_size(gradient, few) == program_size(gradient, many)
    assert len(gradient.lower(few).llvm) == pytest.approx(len(gradient.lower(many).llvm), rel=0.05)


def test_the_gradient_of_a_gather_costs_what_it_touches() -> None:
    @ra.fn
    def one_entry(v: ra.Vec, k: ra.Int) -> Any:
        return ra.fori_loop(0, 200, lambda i, c: c + ra.sin(v[(k + i) % 8]), 0.0)

    def seconds(n: int) -> float:
        v, gradient = np.ones(n), ra.grad(one_entry)
        gradient(v, 0)
        rounds = []
        for _ in range(5):
            start = time.perf_counter()
            gradient(v, 0)
            rounds.append(time.perf_counter() - start)
        return min(rounds)

    # a copy of the array for each of the 200 steps would cost 200 times clearing it once
    v = np.zeros(1_000_000)
    start = time.perf_counter()
    for _ in range(10):
        v = v.copy()
    assert seconds(1_000_000) < 5 * (time.perf_counter() - start)


# --------------------------------------------------------------------------------- signatures


def test_an_inactive_argument_is_left_alone() -> None:
    def f(x: ra.Real, k: ra.Int, flag: ra.Bool, name: str) -> Any:
        return ra.where(flag, x**2, x) * ra.to_real(k) * (2.0 if name == "twice" else 1.0)

    assert ra.grad(f)(3.0, 5, True, "twice") == 60.0
    assert ra.grad(f)(3.0, 5, False, "once") == 5.0
    value, tangent = ra.jvp(lambda x, k: x * ra.to_real(k), (3.0, 2), (1.0, 0))
    assert (value, tangent) == (6.0, 2.0)
    _, pull = ra.vjp(lambda x, k: x * ra.to_real(k), 3.0, 2)
    assert pull(1.0) == (2.0, 0)


def test_an_argument_that_is_not_used_has_gradient_zero() -> None:
    gradient = ra.grad(lambda x, v, w: ra.sin(x), (0, 1, 2))(X, V, 2.0)
    assert gradient[0] == np.cos(X)
    assert not gradient[1].any() and gradient[1].shape == V.shape
    assert gradient[2] == 0.0
    assert ra.grad(lambda x: ra.floor(x))(X) == 0.0
    assert ra.grad(lambda x: ra.to_real(ra.to_int(x)))(X) == 0.0
    assert ra.grad(lambda x: 1.0)(X) == 0.0


def test_a_step_that_vanishes_in_a_loop_has_gradient_zero() -> None:
    """A tangent that is zero in every iteration, beside one that is not, in both orders."""

    def f(x: Any) -> Any:
        a, b = ra.fori_loop(0, 3, lambda i, c: (ra.floor(c[0]), ra.sin(c[1]) + c[0]), (x, x))
        return a * x + b

    def by_hand(x: Any) -> Any:
        """With the constants that floor makes: the carry added is x, then 1, then 1."""
        return x + ra.sin(ra.sin(ra.sin(x) + x) + 1.0) + 1.0

    close(ra.fn(f)(1.7), ra.fn(by_hand)(1.7))
    close(ra.grad(f)(1.7), ra.grad(by_hand)(1.7))
    close(ra.grad(ra.grad(f))(1.7), ra.grad(ra.grad(by_hand))(1.7))


def test_a_call_that_is_given_tangents_in_vain() -> None:
    """Its results depend on what has none (v * 0.0); in a loop, and added to what does depend on x."""

    @ra.fn
    def first(x: ra.Real, v: ra.Vec) -> Any:
        return v[0] * 1.0, v

    def f(x: Any, v: Any) -> Any:
        acc = ra.accum(N)
        for i in ra.range(N):
            y, w = first(x, v * 0.0)
            acc[i] += x**2
            acc.add(acc.ref, y + w[1])
        return ra.sum(acc.freeze())

    dx, dv = ra.grad(f, (0, 1))(X, V)
    assert dx == pytest.approx(2 * N * X) and not dv.any()
    assert ra.grad(ra.grad(f))(X, V) == pytest.approx(2 * N)
    assert ra.grad(lambda x, v: ra.jvp(f, (x, v), U)[1])(X, V) == pytest.approx(2 * N * U[0])


def test_argnums() -> None:
    def f(x: Any, y: Any, z: Any) -> Any:
        return x * y * y * z

    assert ra.grad(f, (2, 0))(2.0, 3.0, 5.0) == (18.0, 45.0)
    assert ra.grad(f, -1)(2.0, 3.0, 5.0) == 18.0
    assert ra.grad(f, (1,))(2.0, 3.0, 5.0) == (60.0,)
    assert ra.value_and_grad(f, 1)(2.0, 3.0, 5.0) == (90.0, 60.0)


def test_has_aux() -> None:
    def f(x: Any) -> Any:
        return ra.sin(x), {"twice": 2.0 * x, "many": ra.build(3, lambda i: x), "note": "kept"}

    gradient, aux = ra.grad(f, has_aux=True)(X)
    assert gradient == np.cos(X)
    assert aux["twice"] == 2 * X and aux["many"].tolist() == [X] * 3 and aux["note"] == "kept"
    (value, aux), gradient = ra.value_and_grad(f, has_aux=True)(X)
    assert (value, gradient, aux["twice"]) == (np.sin(X), np.cos(X), 2 * X)


def test_structures_in_and_out() -> None:
    def energy(state: Any, more: Any) -> Any:
        ball, weights = state["ball"], more[0]
        return ball.speed**2 * ra.dot(ball.position, weights) + more[1]["z"]

    ball = Ball(np.array([1.0, 2.0]), 3.0)
    more = [np.array([4.0, 5.0]), {"z": 1.0}]
    g, (h, k) = ra.grad(energy, (0, 1))({"ball": ball}, more)
    assert isinstance(g["ball"], Ball)
    assert g["ball"].position.tolist() == [36.0, 45.0] and g["ball"].speed == 6.0 * 14.0
    assert h.tolist() == [9.0, 18.0] and k == {"z": 1.0}
    value, tangent = ra.jvp(lambda b: Ball(b.position * b.speed, b.speed), (ball,), (ball,))
    assert value.position.tolist() == [3.0, 6.0]
    assert tangent.position.tolist() == [6.0, 12.0] and tangent.speed == 3.0
    _, pull = ra.vjp(lambda b: Ball(b.position * b.speed, b.speed), ball)
    (back,) = pull(Ball(np.array([1.0, 0.0]), 1.0))
    assert back.position.tolist() == [3.0, 0.0] and back.speed == 2.0


def test_the_same_value_returned_twice_and_an_argument_returned() -> None:
    def f(v: Any) -> Any:
        w = ra.sin(v)
        return w, v, w, v

    assert all((a == b).all() for a, b in zip(ra.fn(f)(V), (np.sin(V), V) * 2, strict=True))
    _, pull = ra.vjp(f, V)
    close(pull((V, V, V, V))[0], 2 * V * (np.cos(V) + 1))


# ---------------------------------------------------------------------- what was not taken


UNDEFINED = {
    "sqrt": lambda x: ra.sqrt(x),
    "log": lambda x: ra.log(x),
    "division": lambda x: 1.0 / x,
    "power": lambda x: x**-1.5,
    "fraction": lambda x: x**0.5,
    "asin": lambda x: ra.asin(x + 1.0),
    "acos": lambda x: ra.acos(x + 1.0),
    "log1p": lambda x: ra.log1p(x - 1.0),
    "atan2": lambda x: ra.atan2(x, x),
    "exp": lambda x: ra.exp(1000.0 + x),
    "sinh": lambda x: ra.sinh(1000.0 + x),
    "cosh": lambda x: ra.cosh(1000.0 + x),
    "expm1": lambda x: ra.expm1(1000.0 + x),
    "root of a root": lambda x: ra.sqrt(ra.sqrt(x)),
    "norm": lambda x: ra.norm(ra.array([x, 0.0 * x])) / x,
}
each_undefined = pytest.mark.parametrize("g", UNDEFINED.values(), ids=UNDEFINED)


@each_undefined
def test_an_untaken_branch_leaves_no_trace(g: Any) -> None:
    def f(x: Any) -> Any:
        return ra.cond(x > 0.5, lambda: g(x), lambda: x * x)

    assert ra.fn(f)(0.0) == 0.0
    assert ra.grad(f)(0.0) == 0.0
    assert ra.jvp(f, (0.0,), (1.0,))[1] == 0.0
    assert ra.grad(ra.grad(f))(0.0) == 2.0


@each_undefined
def test_an_untaken_side_of_where_leaves_no_trace(g: Any) -> None:
    """The coefficient of the untaken side is infinite or nan; times a cotangent of zero it is zero."""

    def f(x: Any) -> Any:
        return ra.where(x > 0.5, g(x), x * x)

    assert ra.fn(f)(0.0) == 0.0
    assert ra.grad(f)(0.0) == 0.0
    assert ra.jvp(f, (0.0,), (1.0,))[1] == 0.0
    assert ra.jvp(ra.grad(f), (0.0,), (1.0,))[1] == 2.0
    assert ra.grad(ra.grad(f))(0.0) == 2.0


def test_an_untaken_branch_is_not_run() -> None:
    @ra.fn
    def pick(v: ra.Vec[N, ra.Real], k: ra.Int) -> Any:
        return ra.cond(k < N, lambda: v[k] ** 2, lambda: 0.0 * v[0])

    assert pick(V, 2) == V[2] ** 2
    assert pick(V, 99) == 0.0  # v[99] is not read
    assert not ra.grad(pick)(V, 99).any()

    @ra.fn
    def guarded(v: ra.Vec[N, ra.Real], n: ra.Int) -> Any:
        acc = ra.accum()
        for i in ra.range(n):
            with ra.when(i < N):
                acc += v[i]
        return acc

    assert guarded(V, 1000) == pytest.approx(V.sum())
    assert ra.grad(guarded)(V, 1000).tolist() == [1.0] * N


def test_an_untaken_branch_costs_its_test() -> None:
    @ra.fn
    def rarely(x: ra.Real, often: ra.Int) -> Any:
        def step(i: Any, c: Any) -> Any:
            def work() -> Any:
                return ra.fori_loop(0, 300, lambda j, d: ra.sin(d), c)

            return ra.cond(i % often == 0, work, lambda: c)

        return ra.fori_loop(0, 2000, step, x)

    def seconds(often: int) -> float:
        gradient = ra.grad(rarely)
        rounds = []
        for _ in range(3):
            start = time.perf_counter()
            gradient(X, often)
            rounds.append(time.perf_counter() - start)
        return min(rounds)

    assert seconds(2000) < seconds(1) / 20


def test_the_norm_of_zero_has_gradient_zero() -> None:
    for n in (2, 3, 7):
        assert not ra.grad(ra.norm)(np.zeros(n)).any()
        hessian_times = ra.jvp(ra.grad(ra.norm), (np.zeros(n),), (np.ones(n),))[1]
        assert not hessian_times.any()
    assert ra.grad(lambda x, y: ra.hypot(x, y), (0, 1))(0.0, 0.0) == (0.0, 0.0)
    close(ra.grad(ra.norm)(np.array([3.0, 4.0])), [0.6, 0.8])


# ------------------------------------------------------------------------------------- nothing


def test_arrays_without_entries() -> None:
    def f(v: Any, x: Any) -> Any:
        w = ra.build(len(v), lambda i: v[i] * v[len(v) - 1 - i] * x)
        acc = ra.accum(len(v))
        for i in ra.range(len(v)):
            acc[i] += w[i]
        last, ys = ra.scan(lambda c, a: (c * a, c), x, ra.sin(acc.freeze()))
        last += ra.fori_loop(0, len(v), lambda i, c: c * v[i], x)
        return ra.sum(w) + last + ra.sum(ys) + ra.dot(v, v)

    empty = np.zeros(0)
    assert ra.fn(f)(empty, 2.0) == 4.0
    dv, dx = ra.grad(f, (0, 1))(empty, 2.0)
    assert dv.shape == (0,) and dx == 2.0
    assert ra.jvp(f, (empty, 2.0), (empty, 1.0))[1] == 2.0
    close(inner(ra.grad(f, (1, 0))(V, X), U), ra.jvp(f, (V, X), U[::-1])[1])  # and with entries
    assert ra.fn(lambda v: ra.sin(v))(np.zeros((0, 3))).shape == (0, 3)
    assert ra.fn(lambda v: ra.sin(v))(np.zeros((3, 0))).shape == (3, 0)
    with pytest.raises(ra.OutOfRange):
        ra.fn(lambda v, k: v[k])(empty, 0)


def test_a_function_of_nothing() -> None:
    assert ra.fn(lambda: 2.5)() == 2.5
    assert ra.fn(lambda x: None)(1.0) is None
    assert ra.fn(lambda x: ())(1.0) == ()
