"""Python called back from compiled code: what it is given, what it must return, how it fails."""

from __future__ import annotations

import ctypes
import ctypes.util
import math
import threading
from typing import Any

import numpy as np
import pytest

import rose_ad as ra
from rose_ad.ir.interp import interpret
from rose_ad.tracing.values import type_of

V = np.array([0.3, -0.8, 1.1])


def test_it_is_given_numbers_and_arrays_and_returns_what_was_declared() -> None:
    seen: list[Any] = []

    def look(x: Any, v: Any, k: Any, flag: Any) -> Any:
        seen.append((x, v, k, flag))
        return 2.0 * x, v[::-1], k + 1, not flag, v[:2] > 0

    f = ra.opaque(look, (ra.Real, (3,), ra.Int, ra.Bool, ra.Vec[2, ra.Bool]))
    g = ra.fn(lambda x, v, k, flag: f(x, v, k, flag))
    a, b, c, d, e = g(1.5, V, 4, True)
    assert (a, c, d) == (3.0, 5, False) and b.tolist() == V[::-1].tolist()
    assert e.tolist() == [True, False]
    x, v, k, flag = seen[0]
    assert (type(x), type(k), type(flag)) == (float, int, bool) and v.tolist() == V.tolist()
    leaves, structure = ra.flatten(((1.5, V, 4, True), {}))
    special = g.specialise(structure, [type_of(leaf) for leaf in leaves])
    for ours, oracle in zip((a, b, c, d, e), interpret(special.ir, leaves), strict=True):
        np.testing.assert_array_equal(ours, oracle)


def test_single_precision_and_integers_for_reals() -> None:
    half = ra.opaque(lambda x: np.float32(x) / 2, ra.Real32)
    out = ra.fn(lambda x: half(x))(np.float32(3.0))
    assert out == 1.5 and out.dtype == np.float32
    assert ra.fn(lambda x: ra.opaque(lambda x: 2, ra.Real)(x))(1.0) == 2.0


def test_functions_of_c() -> None:
    library = ctypes.CDLL(ctypes.util.find_library("m"))
    cbrt = library.cbrt
    cbrt.restype, cbrt.argtypes = ctypes.c_double, [ctypes.c_double]
    f = ra.opaque(cbrt, ra.Real, vjp=ra.fn(lambda x, ct: ct / (3.0 * x ** (2.0 / 3.0))))
    assert ra.fn(lambda x: f(x))(27.0) == pytest.approx(3.0)
    assert ra.grad(f)(27.0) == pytest.approx(1 / 27)
    assert ra.grad(ra.grad(f))(27.0) == pytest.approx(-2 / 9 * 27.0 ** (-5 / 3))
    total = ra.grad(lambda v: ra.sum(ra.build(3, lambda i: f(v[i]))))
    assert total(np.array([1.0, 8.0, 27.0])) == pytest.approx([1 / 3, 1 / 12, 1 / 27])


def test_a_derivative_in_python_has_one_order() -> None:
    f = ra.opaque(math.sin, ra.Real, vjp=lambda x, ct: math.cos(x) * ct)
    assert ra.grad(f)(0.5) == pytest.approx(math.cos(0.5))
    assert ra.vjp(f, 0.5)[1](3.0)[0] == pytest.approx(3 * math.cos(0.5))
    with pytest.raises(ra.TypeMismatch, match="opaque and has no derivative"):
        ra.grad(ra.grad(f))(0.5)


def test_several_arguments_and_results() -> None:
    f = ra.opaque(
        lambda x, v: (x * v, float(x * x)),
        ((3,), ra.Real),
        vjp=ra.fn(lambda x, v, ct: (ra.dot(v, ct[0]) + 2.0 * x * ct[1], x * ct[0])),
    )

    def ours(x: Any, v: Any) -> Any:
        a, b = f(x, v)
        return ra.dot(a, a) * b

    def plain(x: Any, v: Any) -> Any:
        return ra.dot(x * v, x * v) * x * x

    u = (0.4, V[::-1])
    for g, h in (
        (ra.grad(ours, (0, 1))(0.7, V), ra.grad(plain, (0, 1))(0.7, V)),
        (ra.jvp(ours, (0.7, V), u), ra.jvp(plain, (0.7, V), u)),
        (ra.hvp(ours, (0.7, V), u), ra.hvp(plain, (0.7, V), u)),
    ):
        for p, q in zip(g, h, strict=True):
            np.testing.assert_allclose(p, q, rtol=1e-12)


def test_without_a_derivative() -> None:
    f = ra.opaque(math.sin, ra.Real)
    for transform in (lambda: ra.grad(f)(1.0), lambda: ra.jvp(f, (1.0,), (1.0,))):
        with pytest.raises(ra.TypeMismatch, match="has no derivative"):
            transform()
    assert ra.grad(lambda x: x * f(ra.stop_gradient(x)))(1.0) == pytest.approx(math.sin(1.0))
    assert ra.grad(lambda x, k: x * f(k))(1.0, 2.0) == pytest.approx(math.sin(2.0))


def test_in_loops_and_branches() -> None:
    calls: list[float] = []

    def sine(x: float) -> float:
        calls.append(x)
        return math.sin(x)

    f = ra.opaque(sine, ra.Real)
    assert ra.fn(lambda x: ra.fori_loop(0, 3, lambda i, c: f(c), x))(1.0) == pytest.approx(
        math.sin(math.sin(math.sin(1.0)))
    )
    assert len(calls) == 3
    guarded = ra.fn(lambda x: ra.cond(x > 0.0, lambda: f(x), lambda: 0.0))
    calls.clear()
    assert guarded(-1.0) == 0.0 and not calls
    assert guarded(1.0) == math.sin(1.0) and calls == [1.0]
    steps = ra.fn(lambda x: ra.while_loop(lambda c: f(c) > 0.0, lambda c: c + 1.0, x))
    assert steps(0.5) == 3.5


# -------------------------------------------------------------------------------------- failing


class Broken(Exception):
    """Raised by an opaque function."""


def fragile(x: float) -> float:
    if x < 0.0:
        raise Broken(f"negative: {x}")
    return math.sqrt(x)


@pytest.mark.parametrize(
    "f",
    [
        lambda r, x: r(x),
        lambda r, x: ra.fori_loop(0, 5, lambda i, c: r(c), x),
        lambda r, x: ra.sum(ra.build(4, lambda i: r(x * (i + 1.0)))),
        lambda r, x: ra.cond(x < 5.0, lambda: r(x), lambda: 0.0),
        lambda r, x: ra.fn(lambda y: r(y))(x),
    ],
    ids=["plain", "loop", "build", "branch", "call"],
)
def test_an_exception_ends_the_call_and_the_next_one_works(f: Any) -> None:
    r = ra.opaque(fragile, ra.Real)
    g = ra.fn(lambda x: f(r, x))
    for _ in range(2):
        with pytest.raises(Broken, match=r"negative: -(4|8|12|16)\.0"):  # entries in any order
            g(-4.0)
        assert math.isfinite(g(4.0))


def test_the_first_exception_is_the_one_that_is_raised() -> None:
    def each(k: int) -> float:
        raise Broken(str(k))

    f = ra.opaque(each, ra.Real)
    with pytest.raises(Broken, match=r"^0$"):
        ra.fn(lambda n: ra.fori_loop(0, 3, lambda i, c: c + f(i), 0.0) * n)(1.0)


def test_an_exception_is_not_kept_for_later() -> None:
    """Neither behind that of another function nor behind an index out of range."""
    f, g = ra.opaque(fragile, ra.Real), ra.opaque(lambda x: fragile(x), ra.Real)
    both = ra.fn(lambda x, y: f(x) + g(y))
    picked = ra.fn(lambda v, k, x: v[k] + f(x))
    with pytest.raises(Broken):
        both(-1.0, -2.0)
    with pytest.raises(Broken, match="negative: -4"):
        both(1.0, -4.0)
    with pytest.raises(Broken, match="negative: -5"):
        both(-5.0, 1.0)
    with pytest.raises((ra.OutOfRange, Broken)):
        picked(V, 9, -6.0)
    with pytest.raises(Broken, match="negative: -7"):
        picked(V, 0, -7.0)
    assert picked(V, 0, 4.0) == V[0] + 2.0


def test_an_exception_in_a_derivative() -> None:
    def back(x: float, ct: float) -> float:
        raise Broken("in the derivative")

    f = ra.opaque(math.sin, ra.Real, vjp=back)
    assert ra.fn(lambda x: f(x))(1.0) == math.sin(1.0)
    with pytest.raises(Broken, match="in the derivative"):
        ra.grad(f)(1.0)


@pytest.mark.parametrize(
    ("returned", "declared", "words"),
    [
        (np.zeros(2), (3,), "shape"),
        (np.zeros(3), ra.Real, "shape"),
        (1.5, ra.Int, "float64"),
        (1j, ra.Real, "complex"),
        ("text", ra.Real, "structure"),
        (None, ra.Real, "structure"),
        ((1.0, 2.0), ra.Real, "structure"),
        (1.0, (ra.Real, ra.Real), "structure"),
    ],
)
def test_a_result_that_was_not_declared(returned: Any, declared: Any, words: str) -> None:
    def wrong(x: float) -> Any:
        return returned

    f = ra.opaque(wrong, declared)
    with pytest.raises(ra.TypeMismatch, match=words) as error:
        ra.fn(lambda x: ra.flatten(f(x))[0][0])(1.0)
    assert "wrong" in str(error.value) and "test_opaque.py" in str(error.value)


@pytest.mark.parametrize("declared", ["Real", None, 3.5, [1.0]])
def test_a_declaration_that_says_nothing(declared: Any) -> None:
    with pytest.raises(ra.TypeMismatch):
        ra.opaque(math.sin, declared)


def test_arguments_are_not_to_be_changed() -> None:
    def change(v: Any) -> float:
        v[0] = 99.0
        return 0.0

    v = V.copy()
    f = ra.opaque(change, ra.Real)
    try:
        ra.fn(lambda v: f(v))(v)
    except ValueError:
        pass  # it may be refused; the caller's array is safe either way
    assert v.tolist() == V.tolist()


def test_threads_have_exceptions_of_their_own() -> None:
    f = ra.opaque(fragile, ra.Real)
    g = ra.fn(lambda x: ra.fori_loop(0, 20, lambda i, c: f(x) + c * 0.0, x))
    g(1.0)
    wrong: list[Any] = []

    def work(x: float) -> None:
        for _ in range(20):
            try:
                out = g(x)
                if x < 0.0 or out != math.sqrt(x):
                    wrong.append((x, out))
            except Broken as error:
                if x >= 0.0 or str(error) != f"negative: {x}":
                    wrong.append((x, error))

    threads = [threading.Thread(target=work, args=(x,)) for x in (4.0, -1.0, 9.0, -2.0)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not wrong
