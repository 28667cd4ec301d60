"""The types that operands of different types have in common, as the Array API standard has them: numbers of
Python take their width from what they meet. So programs of single precision stay so."""

from __future__ import annotations

import itertools
import operator
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import rose_ad as ra

ORDER = ("bool", "int64", "float32", "float64")
ARRAYS = {
    "bool": np.array([True, False]),
    "int64": np.array([2, 3]),
    "float32": np.array([0.5, 1.5], np.float32),
    "float64": np.array([0.25, 1.25]),
}
NUMBERS = {name: a[1] for name, a in ARRAYS.items()}
PYTHON: dict[str, Any] = {"bool": True, "int64": 3, "float64": 0.75}
ARITHMETIC: dict[str, Callable[..., Any]] = {
    "add": operator.add, "sub": operator.sub, "mul": operator.mul, "div": operator.truediv,
    "floordiv": operator.floordiv, "mod": operator.mod,
}  # fmt: skip
JOINING: dict[str, Callable[..., Any]] = {
    "maximum": ra.maximum, "minimum": ra.minimum, "where": lambda x, y: ra.where(x > 0, x, y),
}  # fmt: skip
COMPARING = {"lt": operator.lt, "ge": operator.ge, "eq": operator.eq, "ne": operator.ne}


def common(a: str, b: str, weak: bool) -> str:
    """The type of two, of which the second may be that of a number of Python."""
    if weak and b == "float64" and a == "float32":
        return a
    return max(a, b, key=ORDER.index)


def expected(name: str, a: str, b: str, weak: bool) -> str:
    both = common(a, b, weak)
    if name in COMPARING:
        return "bool"
    if name in ARITHMETIC and both == "bool":
        both = "int64"  # there is no arithmetic of conditions
    return "float64" if name == "div" and both == "int64" else both


OPERATIONS = {**ARITHMETIC, **JOINING, **COMPARING}


@pytest.mark.parametrize("name", OPERATIONS)
@pytest.mark.parametrize("a", ORDER)
def test_the_table(name: str, a: str) -> None:
    f = OPERATIONS[name]
    for x, b in itertools.product((ARRAYS[a], NUMBERS[a]), ORDER):
        for y in (ARRAYS[b], NUMBERS[b]):
            found = np.asarray(ra.fn(f)(x, y))
            assert found.dtype == expected(name, a, b, False), (a, b, np.ndim(x), np.ndim(y))
            known = np.asarray(ra.fn(lambda x, y=y: f(x, y))(x))  # a constant of the program
            assert known.dtype == found.dtype
            np.testing.assert_array_equal(known, found)
        if b not in PYTHON:
            continue
        y = PYTHON[b]
        for g, args in ((lambda x, y=y: f(x, y), (x,)), (lambda x, y=y: f(y, x), (x,))):
            assert np.asarray(ra.fn(g)(*args)).dtype == expected(name, a, b, True), (a, y)


@pytest.mark.parametrize("a, b", list(itertools.product(ORDER, ORDER)))
def test_what_is_joined(a: str, b: str) -> None:
    x, y = ARRAYS[a], ARRAYS[b]
    for f in (
        lambda x, y: ra.concat([x, y]),
        lambda x, y: ra.stack([x, y]),
        lambda x, y: ra.array([x[0], y[1]]),
    ):
        assert ra.fn(f)(x, y).dtype == common(a, b, False)
    assert ra.fn(lambda x: ra.array([x[0], 0.5]))(x).dtype == common(a, "float64", True)


# ------------------------------------------------------------------------ programs of single precision

X = np.array([0.5, 1.5, 0.25], np.float32)


def carried(x: Any) -> Any:
    return ra.fori_loop(0, 3, lambda i, c: c * 0.5 + x * (i * 0.25), 0.0 * x)


def started(x: Any) -> Any:
    return ra.fori_loop(0, 3, lambda i, c: c + x[i] * (i / 2), 0.0)


def summed(x: Any) -> Any:
    acc = ra.accum()
    for i in ra.range(3):
        with ra.when(x[i] > 0.3):
            acc += x[i] * (0.5 * i)
    return acc


def rows(x: Any) -> Any:
    acc = ra.accum(2)
    for i in ra.range(3):
        acc[i % 2] += x[i] * ra.sqrt(0.5 + i)
    return acc


PROGRAMS: dict[str, Callable[[Any], Any]] = {
    "carried": carried, "started": started, "summed": summed, "rows": rows,
    "by an index": lambda x: ra.build(3, lambda i: x[i] * (i * 0.1)),
    "over": lambda x: ra.build(3, lambda i: x[i] * (i / 3)),
    "round": lambda x: ra.round(x * 3),
    "linspace": lambda x: ra.linspace(0.0, x[0], 4),
    "cond": lambda x: ra.cond(x[0] > 0, lambda: x[0], lambda: 0.5),
    "where": lambda x: ra.where(x > 0.3, x, 0.0),
    "array": lambda x: ra.array([x[0], 0.0, 1.0]),
    "while": lambda x: ra.while_loop(lambda c: c < 9.0, lambda c: c * 1.5 + 0.1, x[0], max_steps=9),
    "scan": lambda x: ra.scan(lambda c, y: (c + y * 0.5, c), 0.0, x)[1],
    "mean": lambda x: ra.mean(x) + ra.var(x) * 0.5, "pad": lambda x: ra.pad(x, 1, 0.5),
    "clip": lambda x: ra.clip(x, 0.0, 1.0), "power": lambda x: x**0.5 + 2.0**x,
    "switch": lambda x: ra.switch(ra.to_int(x[1]), [lambda: x[0], lambda: 0.25, lambda: x[2]]),
    "update": lambda x: x.at[1].set(0.5),
}  # fmt: skip


@pytest.mark.parametrize("name", PROGRAMS)
def test_single_precision_stays(name: str) -> None:
    f = PROGRAMS[name]
    value, wide = np.asarray(ra.fn(f)(X)), ra.fn(f)(X.astype(np.float64))
    assert value.dtype == np.float32 and np.asarray(wide).dtype == np.float64
    np.testing.assert_allclose(value, wide, rtol=1e-5)
    gradient = ra.grad(lambda x: ra.sum(f(x)))(X)
    assert gradient.dtype == np.float32
    assert np.asarray(ra.vmap(f)(np.stack([X, X]))).dtype == np.float32


def test_double_precision_is_asked_for() -> None:
    for f in (
        lambda x: x[0] * np.float64(0.5),
        lambda x: ra.to_real(x[0]),
        lambda x: ra.build(3, lambda i: x[i] * ra.to_real(i))[0],
        lambda x: ra.accum(ra.Real).freeze() + x[0],
        lambda x: x[0] * ra.array([0.5, 1.0])[0],
    ):
        assert type(ra.fn(f)(X)) is float


def scaled(x: Any, a: Any) -> Any:
    return x * a


@ra.fn
def declared(x: Any, a: ra.Real) -> Any:
    return x * a


def test_an_argument_may_be_a_number_of_python() -> None:
    """As in NumPy: f(x, 0.5) is of the width of x, f(x, np.float64(0.5)) is not, in whatever order."""
    f, inside = ra.fn(scaled), ra.fn(lambda x: ra.fn(scaled)(x, 0.5))
    nested = ra.fn(lambda x, d: scaled(x, d["a"]) + ra.fn(scaled)(x, 2 * d["a"]))
    strong = np.float64(0.5)
    for _ in range(3):
        for x in (X, X[0]):
            assert np.asarray(f(x, 0.5)).dtype == np.float32
            assert np.asarray(f(x, strong)).dtype == np.float64
            assert np.asarray(f(a=0.5, x=x)).dtype == np.float32
            assert np.asarray(nested(x, {"a": 0.5})).dtype == np.float32
            assert np.asarray(nested(x, {"a": strong})).dtype == np.float64
        assert inside(X).dtype == np.float32
        assert declared(X, 0.5).dtype == declared(X, strong).dtype == np.float64
    value, moved = ra.jvp(f, (X, 0.5), (X, strong))
    assert value.dtype == moved.dtype == np.float32
    rows, slope = ra.vmap(ra.grad(scaled, (0, 1)), (0, None))(X, 0.5)
    assert rows.dtype == np.float32
    np.testing.assert_allclose(slope, X)


LEAVES = st.sampled_from(["x", "i", "2", "0.5", "7.25", "1"])
TREES = st.recursive(
    LEAVES,
    lambda t: st.one_of(
        st.tuples(st.sampled_from(["+", "-", "*"]), t, t),
        st.tuples(st.sampled_from(["abs", "neg", "half", "big"]), t),
    ),
    max_leaves=12,
)


def evaluated(t: Any, x: Any, i: Any, m: Any) -> Any:
    if isinstance(t, str):
        return {"x": x, "i": i}.get(t) if t in "xi" else float(t) if "." in t else int(t)
    a, *b = (evaluated(part, x, i, m) for part in t[1:])
    match t[0]:
        case "+":
            return a + b[0]
        case "-":
            return a - b[0]
        case "*":
            return a * b[0]
        case "abs":
            return abs(a)
        case "neg":
            return -a
        case "half":
            return a / 2
    return m.maximum(x, 0.5 * a)


@settings(deadline=None, max_examples=150)
@given(TREES)
def test_an_index_is_as_a_number_of_python(t: Any) -> None:
    """Any expression of a vector, an index and numbers of Python has the type that it has in NumPy."""
    wanted = sum(X * 0 + evaluated(t, X, i, np) for i in range(3))
    found = ra.fn(
        lambda x: ra.fori_loop(0, 3, lambda i, c: c + (x * 0 + evaluated(t, x, i, ra)), 0 * x)
    )(X)
    assert found.dtype == wanted.dtype == np.float32
    np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-4)
