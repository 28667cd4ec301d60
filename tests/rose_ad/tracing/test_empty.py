"""Arrays of length zero: programs in which a slice is empty have values, those of NumPy, and derivatives."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import rose_ad as ra

X = np.array([1.5])  # of which x[1:] is nothing
NONE = np.zeros(0, int)


def matrix(x: Any, *shape: int) -> Any:
    return ra.reshape(x[1:], shape)


# functions that are NumPy's outside a traced one
PLAIN: dict[str, Callable[[Any], Any]] = {
    "reversed": lambda x: x[1:][::-1],
    "stepped": lambda x: x[1:][::2],
    "new axis": lambda x: x[1:, None],
    "negated": lambda x: -x[1:],
    "added": lambda x: x[1:] + 2 * x[1:],
    "broadcast": lambda x: x[1:] + x,
    "sin": lambda x: ra.sin(x[1:]),
    "maximum": lambda x: ra.maximum(x[1:], 0.0),
    "where": lambda x: ra.where(x[1:] > 0, x[1:], 0.0),
    "flip": lambda x: ra.flip(x[1:]),
    "roll": lambda x: ra.roll(x[1:], 1),
    "sort": lambda x: ra.sort(x[1:]),
    "argsort": lambda x: ra.to_real(ra.argsort(x[1:])),
    "concat": lambda x: ra.concat([x[1:], x, x[1:]]),
    "concat of nothing": lambda x: ra.concat([x[1:], x[1:]]),
    "stack": lambda x: ra.stack([x[1:], x[1:]]),
    "sum": lambda x: ra.sum(x[1:]),
    "prod": lambda x: ra.prod(x[1:]),
    "any": lambda x: ra.where(ra.any(x[1:] > 0), x[0], 2 * x[0]),
    "all": lambda x: ra.where(ra.all(x[1:] > 0), x[0], 2 * x[0]),
    "cumsum": lambda x: ra.cumsum(x[1:]),
    "cumprod": lambda x: ra.cumprod(x[1:]),
    "norm": lambda x: ra.norm(x[1:]),
    "dot": lambda x: ra.dot(x[1:], x[1:]),
    "diff": lambda x: ra.diff(x),
    "tile": lambda x: ra.tile(x[1:], 3),
    "repeat": lambda x: ra.repeat(x[1:], 3),
    "pad": lambda x: ra.pad(x[1:], 2),
    "take": lambda x: ra.take(x, NONE),
    "picked": lambda x: x[NONE],
    "picked of nothing": lambda x: x[1:][NONE],
    "outer": lambda x: ra.outer(x[1:], x),
    "outer the other way": lambda x: ra.outer(x, x[1:]),
    "einsum": lambda x: ra.einsum("i,j->ij", x[1:], x),
    "einsum to a number": lambda x: ra.einsum("i,i->", x[1:], x[1:]),
    "0 x 3": lambda x: matrix(x, 0, 3),
    "0 x 3 turned": lambda x: matrix(x, 0, 3).T,
    "0 x 3 column": lambda x: matrix(x, 0, 3)[:, 1],
    "3 x 0 row": lambda x: matrix(x, 3, 0)[1],
    "3 x 0 sums": lambda x: ra.sum(matrix(x, 3, 0), axis=1),
    "3 x 0 products": lambda x: ra.prod(matrix(x, 3, 0), axis=1),
    "0 x 3 means": lambda x: ra.mean(matrix(x, 0, 3), axis=1),
    "0 x 2 maxima": lambda x: ra.max(matrix(x, 0, 2), axis=1),
    "3 x 0 by 0 x 2": lambda x: ra.matmul(matrix(x, 3, 0), matrix(x, 0, 2)),
    "0 x 3 by 3 x 2": lambda x: ra.matmul(matrix(x, 0, 3), np.ones((3, 2)) * x[0]),
    "2 x 0 x 3": lambda x: ra.moveaxis(matrix(x, 2, 0, 3), 0, 2),
    "2 x 0 x 3 sums": lambda x: ra.sum(matrix(x, 2, 0, 3), axis=1),
    "tril": lambda x: ra.tril(matrix(x, 0, 3)),
    "squeeze": lambda x: ra.squeeze(matrix(x, 1, 0)),
    "expand": lambda x: ra.expand_dims(x[1:], 0),
    "meshgrid": lambda x: ra.meshgrid(x[1:], x)[0],
    "linspace": lambda x: ra.linspace(x[0], 1.0, 0),
    "solve": lambda x: ra.solve(matrix(x, 0, 0), x[1:]),
}


def added(x: Any) -> Any:
    total, entries = ra.accum(), ra.accum(3)
    for i in ra.range(x.shape[0] - 1):
        total += x[1:][i] ** 2
        entries[i] += x[1:][0]
    entries[NONE] += x[1:]
    return total + ra.sum(entries.freeze())


TRACED: dict[str, Callable[[Any], Any]] = {
    "build": lambda x: ra.build(x.shape[0] - 1, lambda i: x[1:][i] * 2),
    "scan": lambda x: ra.scan(lambda c, y: (c + y * c, c * y), x[0], x[1:]),
    "scan backwards": lambda x: ra.scan(lambda c, y: (c + y, c), x[0], x[1:], reverse=True),
    "fori": lambda x: ra.fori_loop(0, x.shape[0] - 1, lambda i, c: c * x[1:][i], x[0]),
    "while": lambda x: ra.while_loop(lambda c: ra.sum(c) > 1, lambda c: c * c, x[1:], max_steps=3),
    "accumulated": added,
    "vmap": lambda x: ra.vmap(lambda y: y * y)(x[1:]),
    "cg": lambda x: ra.cg(lambda v: 2 * v, x[1:]),
    "fixed point": lambda x: ra.fixed_point(lambda y: 0.5 * y + x[1:], x[1:]),
    "newton": lambda x: ra.newton(lambda y: y * y - x[1:], x[1:]),
}


@pytest.mark.parametrize("name", PLAIN)
def test_values_are_those_of_numpy(name: str) -> None:
    wanted, found = np.asarray(PLAIN[name](X)), np.asarray(ra.fn(PLAIN[name])(X))
    assert found.shape == wanted.shape
    np.testing.assert_allclose(found, wanted)


@pytest.mark.parametrize("dtype", [np.float32, np.int64])
@pytest.mark.parametrize("name", PLAIN)
def test_types_are_those_of_numpy(name: str, dtype: Any) -> None:
    x = X.astype(dtype)
    wanted, found = np.asarray(PLAIN[name](x)), np.asarray(ra.fn(PLAIN[name])(x))
    assert found.shape == wanted.shape and found.dtype == wanted.dtype


@pytest.mark.parametrize("name", [*PLAIN, *TRACED])
def test_derivatives_and_batches(name: str) -> None:
    f = {**PLAIN, **TRACED}[name]

    def g(x: Any) -> Any:
        return sum(ra.sum(leaf**2) for leaf in ra.flatten(f(x))[0]) + x[0] ** 3

    value = ra.fn(g)
    slope = (value(X + 1e-5) - value(X - 1e-5)) / 2e-5
    gradient = ra.grad(g)(X)
    np.testing.assert_allclose(gradient, [slope], rtol=1e-8)
    second = (ra.grad(g)(X + 1e-5) - ra.grad(g)(X - 1e-5)) / 2e-5
    np.testing.assert_allclose(ra.hessian(g)(X), [second], rtol=1e-8)
    forward, reverse = (ra.flatten(d(f)(X))[0] for d in (ra.jacfwd, ra.jacrev))
    for a, b in zip(forward, reverse, strict=True):
        np.testing.assert_array_equal(a, b)
    batch = np.linspace(1, 2, 5)[:, None]
    np.testing.assert_allclose(ra.vmap(g)(batch), [value(x) for x in batch])
    np.testing.assert_allclose(ra.vmap(ra.grad(g))(batch), [ra.grad(g)(x) for x in batch])


def test_what_an_empty_array_cannot_give_is_refused() -> None:
    for f in (
        lambda x: x[1:][0],
        lambda x: x[1:][ra.to_int(x[0])],
        lambda x: ra.take(x[1:], np.array([0])),
    ):
        with pytest.raises(ra.OutOfRange):
            ra.fn(f)(X)
    for f in (ra.max, ra.min, ra.argmax, ra.argmin):
        with pytest.raises(ra.TypeMismatch, match="no entries"):
            ra.fn(lambda x, f=f: f(x[1:]))(X)


@pytest.mark.parametrize("rows", [[], (), [[], []], [()]], ids=str)
def test_rows_without_entries(rows: Any) -> None:
    """Of Reals, as numpy has them."""
    found = ra.fn(lambda x: (ra.array(rows), ra.sum(ra.array(rows)) + x, ra.concat([rows, rows])))(
        1.0
    )
    wanted = np.array(rows)
    assert found[0].shape == wanted.shape and found[0].dtype == np.float64
    assert found[1] == 1.0 and found[2].shape == np.concatenate([rows, rows]).shape
