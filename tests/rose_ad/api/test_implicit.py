"""Linear solves, roots and fixed points: the solution, and its derivative by the implicit function theorem."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import rose_ad as ra

DRAW = np.random.default_rng(7)


def close(a: Any, b: Any, tolerance: float = 1e-10) -> None:
    for p, q in zip(ra.flatten(a)[0], ra.flatten(b)[0], strict=True):
        np.testing.assert_allclose(p, q, rtol=tolerance, atol=tolerance)


def matrix(n: int) -> Any:
    return DRAW.normal(size=(n, n)) + 3.0 * np.eye(n)


# --------------------------------------------------------------------------------- dense solves


@pytest.mark.parametrize("n", [1, 2, 3, 6])
@pytest.mark.parametrize("columns", [None, 1, 4])
def test_solve_is_that_of_numpy(n: int, columns: int | None) -> None:
    a, b = matrix(n), DRAW.normal(size=n if columns is None else (n, columns))
    f = ra.fn(ra.solve)
    close(f(a, b), np.linalg.solve(a, b))
    da, db = DRAW.normal(size=a.shape), DRAW.normal(size=b.shape)
    x = np.linalg.solve(a, b)
    tangent = np.linalg.solve(a, db - da @ x)
    close(ra.jvp(f, (a, b), (da, db)), (x, tangent))
    ct = DRAW.normal(size=b.shape)
    ga, gb = ra.vjp(f, a, b)[1](ct)
    close(np.sum(ga * da) + np.sum(gb * db), np.sum(ct * tangent))
    close(gb, np.linalg.solve(a.T, ct))


def test_second_derivatives_of_a_solve() -> None:
    a, b, da, db = matrix(3), np.ones(3), matrix(3), np.arange(3.0)

    def f(a: Any, b: Any) -> Any:
        x = ra.solve(a, b)
        return ra.dot(x, x)

    found = ra.hvp(f, (a, b), (da, db))
    h, gradient = 1e-5, ra.grad(f, (0, 1))
    ends = [gradient(a + s * h * da, b + s * h * db) for s in (1, -1)]
    close(found, [(p - q) / (2 * h) for p, q in zip(*ends, strict=True)], 1e-7)


def test_rows_are_exchanged() -> None:
    a = np.array([[0.0, 2.0, 1.0], [1e-20, 1.0, 1.0], [3.0, 0.0, 0.0]])
    b = np.array([1.0, 2.0, 3.0])
    close(ra.fn(ra.solve)(a, b), np.linalg.solve(a, b))
    close(ra.fn(ra.inv)(a), np.linalg.inv(a))
    close(ra.fn(ra.solve)(np.array([[0.0, 1.0], [1.0, 0.0]]), b[:2]), np.array([2.0, 1.0]))


def test_a_singular_matrix_gives_no_finite_answer() -> None:
    for a in (np.zeros((2, 2)), np.ones((2, 2)), np.zeros((1, 1))):
        x = ra.fn(ra.solve)(a, np.arange(1.0, len(a) + 1.0))
        assert not np.isfinite(x).all()


def test_solves_in_single_precision_of_integers_and_outside() -> None:
    a, b = matrix(3).astype(np.float32), np.ones(3, np.float32)
    x = ra.fn(ra.solve)(a, b)
    assert x.dtype == np.float32
    np.testing.assert_allclose(x, np.linalg.solve(a, b), rtol=1e-4)
    y = ra.fn(ra.inv)(a)
    assert y.dtype == np.float32
    np.testing.assert_allclose(y, np.linalg.inv(a), rtol=1e-4, atol=1e-5)
    whole = np.array([[2, 1], [1, 3]])
    close(ra.fn(ra.solve)(whole, np.array([3, 5])), np.linalg.solve(whole, [3, 5]))
    close(ra.fn(ra.inv)(whole), np.linalg.inv(whole))
    close(ra.solve(whole, np.array([3.0, 5.0])), np.linalg.solve(whole, [3, 5]))
    close(ra.inv(whole), np.linalg.inv(whole))


@pytest.mark.parametrize(
    ("a", "b"),
    [((2, 3), (2,)), ((2, 2), (3,)), ((2, 2), (2, 3, 2)), ((2, 2, 2), (3,)), ((2,), (2,))],
)
def test_shapes_that_are_no_system(a: Any, b: Any) -> None:
    with pytest.raises(ra.TypeMismatch, match="no linear system") as error:
        ra.fn(lambda a, b: ra.solve(a, b))(np.ones(a), np.ones(b))
    assert "test_implicit.py" in str(error.value)


def test_derivatives_of_the_inverse_and_the_determinant_rule() -> None:
    a, da = matrix(3), matrix(3)
    close(ra.jvp(ra.inv, (a,), (da,))[1], -np.linalg.inv(a) @ da @ np.linalg.inv(a))


# ----------------------------------------------------------------------------- iterative solves


@pytest.mark.parametrize("n", [1, 4, 30])
def test_conjugate_gradients_converge(n: int) -> None:
    root = DRAW.normal(size=(n, n))
    a, b = root @ root.T + np.eye(n), DRAW.normal(size=n)

    @ra.fn
    def f(a: Any, b: Any) -> Any:
        return ra.cg(lambda v: ra.matmul(a, v), b)

    x = np.linalg.solve(a, b)
    assert np.linalg.norm(a @ f(a, b) - b) <= 1e-9 * np.linalg.norm(b)
    ct = DRAW.normal(size=n)
    ga, gb = ra.vjp(f, a, b)[1](ct)
    close(gb, np.linalg.solve(a, ct), 1e-6)
    close(ga, -np.outer(np.linalg.solve(a, ct), x), 1e-6)


def test_conjugate_gradients_of_structures_few_steps_and_a_start() -> None:
    def product(v: Any) -> Any:
        return {"a": 2.0 * v["a"], "b": 4.0 * v["b"]}

    out = ra.fn(lambda b: ra.cg(product, b))({"a": np.array([2.0, 4.0]), "b": 8.0})
    close(out, {"a": np.array([1.0, 2.0]), "b": 2.0})
    a, b = np.diag([1.0, 10.0, 100.0]), np.ones(3)
    one = ra.fn(lambda b: ra.cg(lambda v: ra.matmul(a, v), b, max_steps=1))(b)
    assert np.linalg.norm(a @ one - b) > 1e-3
    exact = ra.fn(lambda b: ra.cg(lambda v: ra.matmul(a, v), b, 1.0 / np.diag(a)))(b)
    close(exact, 1.0 / np.diag(a))
    assert ra.fn(lambda b: ra.cg(lambda v: ra.matmul(a, v), b))(np.zeros(3)).tolist() == [0.0] * 3


def test_a_solve_without_a_transpose_is_forward_only() -> None:
    def f(x: Any, b: Any) -> Any:
        return ra.custom_linear_solve(lambda v: v * x, b, lambda _, c: c / x)

    assert ra.fn(f)(2.0, 6.0) == 3.0
    assert ra.jvp(f, (2.0, 6.0), (1.0, 2.0))[1] == pytest.approx(1.0 - 1.5)
    with pytest.raises(ra.TypeMismatch, match="no transpose_solve") as error:
        ra.grad(f)(2.0, 6.0)
    assert "symmetric=True" in str(error.value)


def test_solvers_that_return_something_else() -> None:
    for matvec, solver in (
        (lambda v: (v, v), lambda _, c: c),
        (lambda v: v, lambda _, c: c * np.ones(3)),
        (lambda v: ra.to_int(v), lambda _, c: c),
    ):
        with pytest.raises(ra.TypeMismatch, match="structure and types of b") as error:
            ra.fn(lambda b, m=matvec, s=solver: ra.custom_linear_solve(m, b, s))(1.0)
        assert "test_implicit.py" in str(error.value)


# --------------------------------------------------------------------------------- roots


def cube(p: Any) -> Any:
    """The real root of y³ + y = p, by newton."""
    return ra.newton(lambda y: y**3 + y - p, 0.5)


def explicit_cube(p: Any) -> Any:
    """The same by Newton's steps, differentiated one by one."""
    return ra.fori_loop(0, 40, lambda i, y: y - (y**3 + y - p) / (3.0 * y * y + 1.0), 0.5)


@pytest.mark.parametrize("p", [-3.0, 0.1, 2.0, 10.0])
def test_a_root_and_its_derivatives(p: float) -> None:
    y = ra.fn(cube)(p)
    assert y**3 + y == pytest.approx(p, abs=1e-11)
    slope = 1.0 / (3 * y * y + 1)
    assert ra.grad(cube)(p) == ra.jvp(cube, (p,), (1.0,))[1] == pytest.approx(slope)
    second = -6 * y * slope**3
    assert ra.grad(ra.grad(cube))(p) == pytest.approx(second, abs=1e-10)
    for d in (ra.grad, lambda f: ra.grad(ra.grad(f))):
        assert d(cube)(p) == pytest.approx(d(explicit_cube)(p), abs=1e-9)


def test_the_start_does_not_matter_to_the_derivative() -> None:
    f = ra.fn(lambda start, p: ra.newton(lambda y: y * y - p, start))
    assert f(1.0, 4.0) == pytest.approx(2.0) and f(-1.0, 4.0) == pytest.approx(-2.0)
    assert ra.grad(f, (0, 1))(1.0, 4.0) == pytest.approx((0.0, 0.25))
    assert ra.fn(lambda: ra.newton(lambda y: y * y - 4.0, 1.0))() == pytest.approx(2.0)


def test_a_root_of_a_structure() -> None:
    def f(p: Any, v: Any) -> Any:
        def residual(s: Any) -> Any:
            return {"y": s["y"] ** 3 + s["y"] - p, "w": s["w"] * 2.0 + s["y"] * v}

        out = ra.newton(residual, {"y": 0.5, "w": np.zeros(2)})
        return out["y"] + ra.dot(out["w"], v)

    def plain(p: Any, v: Any) -> Any:
        y = explicit_cube(p)
        return y - 0.5 * y * ra.dot(v, v)

    v = np.array([0.5, -2.0])
    close(ra.fn(f)(2.0, v), ra.fn(plain)(2.0, v))
    close(ra.grad(f, (0, 1))(2.0, v), ra.grad(plain, (0, 1))(2.0, v))


def test_a_root_in_a_loop_and_a_branch() -> None:
    def by(solver: Any) -> Any:
        return lambda p: ra.fori_loop(
            0, 3, lambda i, c: ra.cond(c > 0.0, lambda: solver(c) + p, lambda: c), p
        )

    close(ra.grad(by(cube))(2.0), ra.grad(by(explicit_cube))(2.0))
    total = ra.grad(lambda v: ra.sum(ra.build(3, lambda i: cube(v[i]))))
    v = np.array([0.5, 1.0, 2.0])
    close(total(v), np.array([ra.grad(cube)(p) for p in v]))


def test_a_fixed_point() -> None:
    """Kepler's equation, E = M + e sin E."""

    def kepler(m: Any, e: Any) -> Any:
        return ra.fixed_point(lambda x: m + e * ra.sin(x), m)

    m, e = 1.2, 0.4
    x = ra.fn(kepler)(m, e)
    assert x == pytest.approx(m + e * math.sin(x), abs=1e-11)
    slope = 1.0 / (1.0 - e * math.cos(x))
    close(ra.grad(kepler, (0, 1))(m, e), (slope, math.sin(x) * slope))
    close(ra.jvp(kepler, (m, e), (1.0, 0.0))[1], slope)
    second = ra.hessian(kepler, (0, 1))(m, e)
    close(second[0][0], -e * math.sin(x) * slope**3, 1e-9)
    close(second[0][1], second[1][0], 1e-9)


def test_a_rule_of_its_own_for_the_tangent() -> None:
    def f(p: Any) -> Any:
        return ra.custom_root(
            lambda y: y * y * y - p,
            1.0,
            lambda g, y: ra.fori_loop(0, 60, lambda i, y: y - g(y) / (3.0 * y * y), y),
            lambda g, b: b / g(1.0),
        )

    close(ra.fn(f)(8.0), 2.0)
    close(ra.grad(f)(8.0), 1 / 12)
    close(ra.grad(ra.grad(f))(8.0), -2 / 9 * 8.0 ** (-5 / 3))


def test_misuses_are_told() -> None:
    with pytest.raises(ra.TypeMismatch, match="structure of x0") as error:
        ra.fn(lambda p: ra.newton(lambda y: (y, y), p))(1.0)
    assert "test_implicit.py" in str(error.value)
    for f in (
        lambda: ra.newton(lambda y: y, 1.0),
        lambda: ra.cg(lambda v: v, np.ones(2)),
        lambda: ra.custom_linear_solve(lambda v: v, 1.0, lambda m, b: b),
    ):
        with pytest.raises(ra.TraceError, match="being traced"):
            f()


# ------------------------------------------------------------------------------------- any size

SIZES = (1e-200, 1e-12, 1e-3, 1.0, 1e12, 1e200)


def relative(a: Any, b: Any) -> None:
    np.testing.assert_allclose(a, b, rtol=1e-10)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("order", [1, 2])
def test_derivatives_are_linear_in_their_cotangents(size: float, order: int) -> None:
    """However small or large these are, of every solver."""
    solvers = {
        "fixed_point": lambda a: ra.fixed_point(lambda x: 0.9 * ra.cos(x) * a, 0.5),
        "newton": lambda a: ra.newton(lambda x: x - 0.9 * ra.cos(x) * a, 0.5),
        "cg": lambda a: ra.cg(lambda v: (2.0 + a * a) * v, ra.sin(a), 7.0),
        "solve": lambda a: ra.solve(a * np.eye(2) + 1.0, np.ones(2))[0],
    }
    for f in solvers.values():
        scaled = lambda a, f=f: size * f(a)  # noqa: E731
        for _ in range(order):
            f, scaled = ra.grad(f), ra.grad(scaled)
        relative(scaled(1.0) / size, f(1.0))


@pytest.mark.parametrize("size", SIZES)
def test_solutions_of_any_size(size: float) -> None:
    """Neither the unit of the residual nor that of the unknown matters."""
    root = math.sqrt(2.0)
    relative(ra.fn(lambda c: ra.newton(lambda x: c * (x * x - 2.0), 1.0))(size), root)
    relative(ra.fn(lambda c: ra.newton(lambda x: (x / c) ** 2 - 2.0, c))(size), root * size)
    relative(ra.grad(lambda p: ra.newton(lambda x: size * (x * x - p), 1.0))(2.0), 0.5 / root)
    fixed = ra.fn(lambda c: ra.fixed_point(lambda x: 0.5 * x + c, 0.0))
    relative(fixed(size), 2 * size)
    a = np.array([[2.0, 1.0], [1.0, 3.0]])
    for start in (None, np.zeros(2), np.array([3.0, -1.0]), np.array([1.0, 1e9])):
        x = ra.fn(lambda b: ra.cg(lambda v: ra.matmul(a, v), b, start))(np.ones(2) * size)  # noqa: B023
        relative(x, np.linalg.solve(a, np.ones(2)) * size)


def test_roots_at_zero_and_at_the_start() -> None:
    square = ra.fn(lambda p, start: ra.newton(lambda x: x * x - p, start))
    assert square(0.0, 0.0) == 0.0 and abs(square(0.0, 1.0)) < 1e-12
    assert square(4.0, 2.0) == 2.0
    shifted = ra.fn(lambda start: ra.newton(lambda x: ra.exp(x) - 1.0, start))
    assert shifted(0.0) == 0.0 and abs(shifted(1.0)) < 1e-15
    assert ra.fn(lambda x: ra.fixed_point(lambda y: 0.5 * y, x))(0.0) == 0.0
    single = ra.fn(lambda p: ra.newton(lambda x: x * x - p, np.float32(1.0)))
    assert single(np.float32(2.0)) == pytest.approx(math.sqrt(2.0), rel=1e-6)
