"""Functional updates against numpy's assignments, with their derivatives, for keys of every kind."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import rose_ad as ra

R = np.random.default_rng(0)
X = R.normal(size=(5, 4))
KEYS: dict[str, Any] = {
    "row": 2,
    "last row": -1,
    "entry": (1, 2),
    "slice": slice(1, 3),
    "every second": slice(None, None, 2),
    "backwards": slice(4, 0, -2),
    "column": (slice(None), 1),
    "block": (slice(1, 4), slice(0, 3, 2)),
    "ellipsis": (..., 0),
    "all": slice(None),
    "new axis": (None, 2),
    "nothing": slice(2, 2),
    "rows, one twice": np.array([3, 0, 3, -2]),
    "entries": (np.array([0, 4, 2]), np.array([0, 1, 1])),
    "entries, one twice": (np.array([3, 0, 3]), np.array([1, 2, 1])),
    "columns": (slice(None), [3, 0, 3]),
    "a row twice, in part": ([1, 1], slice(1, 3)),
    "a row's entries": (2, [0, 0, 1]),
    "a grid": ([[0], [1]], [[1, 2]]),
}
UFUNCS: dict[str, Any] = {
    "add": np.add,
    "subtract": np.subtract,
    "multiply": np.multiply,
    "divide": np.divide,
    "min": np.minimum,
    "max": np.maximum,
}


def updated(x: Any, key: Any, name: str, v: Any) -> Any:
    out = x.copy()
    if name == "set":
        out[key] = v
    else:
        UFUNCS[name].at(out, key, v)
    return out


def ours(key: Any, name: str) -> Callable[..., Any]:
    return lambda x, v: getattr(x.at[key], name)(v)


@pytest.mark.parametrize("name", ["set", *UFUNCS])
@pytest.mark.parametrize("key", KEYS.values(), ids=KEYS.keys())
def test_updates_are_numpys_assignments(key: Any, name: str) -> None:
    f = ra.fn(ours(key, name))
    shape = X[key].shape
    for v in (2.5, R.uniform(1, 2, size=shape), R.uniform(1, 2, size=shape[-1:])):
        np.testing.assert_allclose(f(X, v), updated(X, key, name, v), rtol=1e-14)
    v = R.uniform(1, 2, size=shape)
    xs, vs = np.stack([X, 2 * X]), np.stack([v, v + 1])
    by_one = [updated(a, key, name, b) for a, b in zip(xs, vs, strict=True)]
    np.testing.assert_allclose(ra.vmap(f)(xs, vs), by_one, rtol=1e-14)
    weights = R.normal(size=X.shape)
    ra.check_grads(ra.fn(lambda x, v: ra.sum(ra.sin(f(x, v)) * weights)), (X, v))


@pytest.mark.parametrize("name", ["set", *UFUNCS])
@pytest.mark.parametrize("key", [3, np.array([3, 0, 3, 1]), np.array([[1, 2], [2, 4]])], ids=str)
def test_indices_that_the_run_knows(key: Any, name: str) -> None:
    v = R.uniform(1, 2, size=X[key].shape)
    f = ra.fn(lambda x, v, k: getattr(x.at[k], name)(v))
    wanted = updated(X, key, name, v)
    np.testing.assert_allclose(f(X, v, key), wanted, rtol=1e-14)
    weights = R.normal(size=X.shape)
    by_run = ra.grad(lambda x, v, k: ra.sum(ra.sin(f(x, v, k)) * weights), (0, 1))
    known = ra.grad(lambda x, v: ra.sum(ra.sin(ours(key, name)(x, v)) * weights), (0, 1))
    for a, b in zip(by_run(X, v, key), known(X, v), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-13)
    along = ra.vmap(f, (None, None, 0))(X, v, np.stack([key, key]))
    np.testing.assert_allclose(along, np.stack([wanted, wanted]), rtol=1e-14)


@settings(deadline=None, max_examples=60)
@given(
    n=st.integers(1, 40),
    targets=st.lists(st.integers(0, 39), max_size=60),
    name=st.sampled_from(["set", *UFUNCS]),
)
def test_any_entries_in_any_order(n: int, targets: list[int], name: str) -> None:
    key = np.array([k % n for k in targets], np.int64)
    x, v = R.normal(size=n), R.uniform(1, 2, size=len(key))
    f = ra.fn(lambda x, v, k: getattr(x.at[k], name)(v))
    np.testing.assert_allclose(f(x, v, key), updated(x, key, name, v), rtol=1e-13)


def test_what_is_set_is_set_exactly() -> None:
    x = np.array([np.nan, np.inf, -0.0, 1e300])
    for v in (-0.0, np.nan, np.inf, 1e-320):
        for key in (1, slice(0, 2), np.array([0, 3])):
            found = ra.fn(ours(key, "set"))(x, v)
            np.testing.assert_array_equal(
                found.view(np.int64), updated(x, key, "set", v).view(np.int64)
            )


@pytest.mark.parametrize("dtype", [np.float32, np.int64, np.bool_])
def test_the_array_keeps_its_type(dtype: Any) -> None:
    x = np.ones(4, dtype)
    for key in (1, slice(1, 3), np.array([2, 2])):
        found = ra.fn(ours(key, "set"))(x, np.zeros((), dtype)[()])
        assert found.dtype == dtype and np.array_equal(found, updated(x, key, "set", 0))


def test_apply_and_get() -> None:
    f = ra.fn(lambda x: (x.at[1:3].apply(ra.exp), x.at[:, 1].get()))
    wanted = X.copy()
    wanted[1:3] = np.exp(wanted[1:3])
    np.testing.assert_allclose(f(X)[0], wanted, rtol=1e-14)
    np.testing.assert_array_equal(f(X)[1], X[:, 1])


def test_an_update_in_a_loop_is_a_recurrence() -> None:
    """Fibonacci's numbers, and their derivatives in the first two."""

    def f(x: Any) -> Any:
        return ra.fori_loop(2, 20, lambda i, x: x.at[i].set(x[i - 1] + x[i - 2]), x)

    start = np.zeros(20)
    start[:2] = 1.0
    assert ra.fn(f)(start)[19] == 6765.0
    assert ra.grad(lambda x: f(x)[19])(start)[:2].tolist() == [2584.0, 4181.0]


@pytest.mark.parametrize(
    "f, error, says",
    [
        (lambda x, i: x.at[i].set(1.0), ra.OutOfRange, "outside its array of length 5"),
        (lambda x, i: x.at[9].set(1.0), ra.OutOfRange, "index 9"),
        (lambda x, i: x.at[:2].set(np.ones(3)), ra.TypeMismatch, "shape"),
        (lambda x, i: ra.array([1, 2]).at[0].set(0.5), ra.TypeMismatch, "entry of an array of I64"),
        (lambda x, i: ra.array([1, 2]).at[0].add(0.5), ra.TypeMismatch, "accumulator of Ints"),
        (lambda x, i: (x > 0).at[0].add(True), ra.TypeMismatch, "conditions"),
        (lambda x, i: ra.dynamic_slice(x, (i,), (2, 2)), ra.TypeMismatch, "1 starts and 2 sizes"),
        (lambda x, i: ra.dynamic_slice(x, (i, 0), (6, 2)), ra.TypeMismatch, "a block of sizes"),
    ],
)
def test_what_cannot_be_updated(f: Any, error: Any, says: str) -> None:
    with pytest.raises(error, match=says):
        ra.fn(f)(X, 7)


@pytest.mark.parametrize("start", [(0, 0), (2, 1), (9, -3), (3, 3)])
def test_dynamic_slices(start: tuple[int, int]) -> None:
    i, j = (min(max(s, 0), n - k) for s, n, k in zip(start, X.shape, (2, 3), strict=True))
    wanted = X[i : i + 2, j : j + 3]
    block = R.normal(size=(2, 3))
    put = X.copy()
    put[i : i + 2, j : j + 3] = block

    def take(x: Any, at: Any) -> Any:
        return ra.dynamic_slice(x, at, (2, 3))

    np.testing.assert_array_equal(take(X, start), wanted)
    np.testing.assert_array_equal(ra.fn(take)(X, start), wanted)
    np.testing.assert_array_equal(ra.dynamic_update_slice(X, block, start), put)
    np.testing.assert_array_equal(ra.fn(ra.dynamic_update_slice)(X, block, np.array(start)), put)
    weights = R.normal(size=X.shape)
    into = ra.grad(lambda x, b, at: ra.sum(weights * ra.dynamic_update_slice(x, b, at)), (0, 1))
    outside, inside = into(X, block, start)
    np.testing.assert_array_equal(inside, weights[i : i + 2, j : j + 3])
    np.testing.assert_array_equal(outside, np.where(put == X, weights, 0.0))
    cut = ra.grad(lambda x, at: ra.sum(block * take(x, at)))(X, start)
    np.testing.assert_array_equal(cut[i : i + 2, j : j + 3], block)
    assert np.count_nonzero(cut) == block.size


MADE: dict[str, Any] = {
    "zeros": lambda: ra.zeros(3),
    "ones": lambda: ra.ones(3),
    "empty": lambda: ra.empty(3) * 0.0,
    "full": lambda: ra.full(3, 2.0),
    "arange": lambda: ra.arange(3) * 1.0,
    "linspace": lambda: ra.linspace(0.0, 1.0, 3),
    "eye": lambda: ra.eye(3)[0],
    "array": lambda: ra.array([1.0, 2.0, 3.0]),
    "zeros_like": lambda: ra.zeros_like(np.ones(3)),
    "ones_like": lambda: ra.ones_like(np.ones(3)),
    "full_like": lambda: ra.full_like(np.ones(3), 2.0),
}


@pytest.mark.parametrize("name", MADE)
def test_what_is_made_in_a_traced_function_can_be_updated_and_indexed(name: str) -> None:
    make = MADE[name]
    wanted = np.array(make())
    wanted[1] = 7.0
    f = ra.fn(lambda x, k: (make().at[k].set(x), make()[k]))
    found, entry = f(7.0, 1)
    assert found.tolist() == wanted.tolist() and entry == make()[1]
    assert ra.grad(lambda x, k: ra.sum(f(x, k)[0] ** 2))(7.0, 1) == 14.0
