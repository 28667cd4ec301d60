"""numpy's functions and the methods of its arrays do to traced values what they do to arrays."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import rose_ad as ra
from rose_ad.tracing.as_numpy import FUNCTIONS, METHODS

A = np.random.default_rng(0).normal(size=(3, 3))

# functions of numpy, on a matrix that is traced; by what is written
CALLS: dict[str, Callable[[Any], Any]] = {
    "sum": lambda x: np.sum(x),
    "sum of an axis": lambda x: np.sum(x, 0) + np.sum(x, axis=1, keepdims=True),
    "prod": lambda x: np.prod(x, axis=1),
    "mean": lambda x: np.mean(x, axis=(0, 1)),
    "var": lambda x: np.var(x, ddof=1) + np.var(x, axis=0),
    "std": lambda x: np.std(x, axis=1, ddof=1),
    "min": lambda x: np.min(x, axis=0),
    "max": lambda x: np.max(x, axis=1, keepdims=True),
    "amax": lambda x: np.amax(x) + np.amin(x, axis=0) + np.around(x, 1),
    "any": lambda x: np.any(x > 1) | np.all(x > -9, axis=0),
    "argmin": lambda x: np.argmin(x, axis=0) + np.argmax(x),
    "sort": lambda x: np.sort(x, axis=0) + np.argsort(x),
    "cumsum": lambda x: np.cumsum(x),
    "cumprod": lambda x: np.cumprod(x, axis=1),
    "trace": lambda x: np.trace(x),
    "reshape": lambda x: np.reshape(x, (9,)) + np.reshape(x, -1),
    "ravel": lambda x: np.ravel(x),
    "transpose": lambda x: np.transpose(x) + np.transpose(x, (1, 0)),
    "moveaxis": lambda x: np.moveaxis(x, 0, 1) + np.swapaxes(x, 0, -1),
    "squeeze": lambda x: np.squeeze(np.expand_dims(x, 0)),
    "concatenate": lambda x: np.concatenate([x, 2 * x], axis=1),
    "concatenate with a constant": lambda x: np.concatenate([np.ones((1, 3)), x]),
    "stack": lambda x: np.stack([x, x], axis=2),
    "hstack": lambda x: np.hstack([x, x]),
    "hstack of vectors": lambda x: np.hstack([x[0], x[1], 1.0]),
    "vstack": lambda x: np.vstack([x[0], x]),
    "roll": lambda x: np.roll(x, 1, axis=0) + np.roll(x, 2),
    "pad": lambda x: np.pad(x, 1) + np.pad(x, ((1, 1), (0, 2)), constant_values=2.0),
    "flip": lambda x: np.flip(x) + np.flip(x, 0),
    "tile": lambda x: np.tile(x, (1, 2)),
    "repeat": lambda x: np.repeat(x, 2, axis=0),
    "take": lambda x: np.take(x, [0, 4]) + np.take(x, [1, 2], axis=1)[0],
    "diff": lambda x: np.diff(x, axis=0)[0, :] + np.diff(x, 2)[0, 0],
    "diagonal": lambda x: np.diagonal(x),
    "tril": lambda x: np.tril(x) - np.triu(x, 1),
    "broadcast_to": lambda x: np.broadcast_to(x, (2, 3, 3)),
    "linspace": lambda x: np.linspace(x[0, 0], 2.0, 5),
    "like": lambda x: np.zeros_like(x) + np.ones_like(x) + np.full_like(x, 3.0) + np.copy(x),
    "round": lambda x: np.round(x) + np.round(x, 2),
    "clip": lambda x: np.clip(x, -0.5, 0.5) + np.clip(x, None, 0.1),
    "where": lambda x: np.where(x > 0, x, 0.0),
    "dot": lambda x: np.dot(x, x[0]) + np.dot(A, x),
    "einsum": lambda x: np.einsum("ij,jk->ik", x, A),
    "outer": lambda x: np.outer(x[0], x[1]),
    "cross": lambda x: np.cross(x[0], x[1]),
    "norm": lambda x: np.linalg.norm(x) + np.linalg.norm(x[0]) + np.linalg.norm(x, "fro"),
    "shape": lambda x: np.sum(x) / np.shape(x)[0] / np.ndim(x) / np.size(x),
    "x.sum": lambda x: x.sum() + x.sum(0) + x.sum(axis=1, keepdims=True),
    "x.mean": lambda x: x.mean(axis=0) + x.prod(axis=1) + x.var(ddof=1) + x.std(0),
    "x.min": lambda x: x.min() + x.max(axis=0) + x.argmin(0) + x.argmax(),
    "x.any": lambda x: (x > 1).any() | (x > 1).all(axis=0),
    "x.cumsum": lambda x: x.cumsum() + x.cumprod() + x.argsort(axis=0).ravel(),
    "x.reshape": lambda x: x.reshape(9) + x.reshape((9,)) + x.reshape(1, -1)[0] + x.flatten(),
    "x.transpose": lambda x: x.transpose() + x.transpose(1, 0) + x.transpose((1, 0)) + x.swapaxes(0, 1),
    "x.squeeze": lambda x: x.reshape(1, 3, 3).squeeze(0),
    "x.repeat": lambda x: x.repeat(2) + x.repeat(2, axis=1).ravel(),
    "x.take": lambda x: x.take([1, 2]) + x.diagonal()[:2] + x.trace(),
    "x.clip": lambda x: x.clip(0.0, 0.5) + x.round() + x.copy(),
    "x.dot": lambda x: x.dot(x) + x.dot(x[0]),
    "x.astype": lambda x: x.astype(np.float32).astype(float) + (10 * x).astype(int) + x.astype(bool),
    "vecdot": lambda x: np.vecdot(x, x) + np.matvec(x, x[0]) + np.vecmat(x[0], x),
    "x.mT": lambda x: x.mT + x.reshape(1, 3, 3).mT[0],
    "x.size": lambda x: x.sum() / x.size / x.ndim / x.shape[0],
}  # fmt: skip


@pytest.mark.parametrize("name", CALLS)
def test_as_on_arrays(name: str) -> None:
    f = CALLS[name]
    wanted = np.asarray(f(A))
    found = np.asarray(ra.fn(f)(A))
    assert found.shape == wanted.shape and found.dtype == wanted.dtype
    np.testing.assert_allclose(found, wanted, rtol=1e-6 if "astype" in name else 1e-14)


def test_each_function_and_method_is_tried() -> None:
    written = " ".join(
        name for f in CALLS.values() for name in (*f.__code__.co_names, *map(str, f.__code__.co_consts))
    ).split()  # fmt: skip
    assert {f.__name__ for f in FUNCTIONS} <= {*written, "amin", "amax", "around"}
    assert set(METHODS) <= set(written)


# what Python's own functions make of a number
NUMBERS: dict[str, Callable[[Any], Any]] = {
    "divmod": lambda x: divmod(x, 2.0) + divmod(-7.0, x),
    "round": lambda x: (round(x), round(x, 1), round(x, -1)),
    "floor": lambda x: (math.floor(x), math.ceil(x), math.trunc(x)),
}


@pytest.mark.parametrize("f", NUMBERS.values(), ids=NUMBERS)
@pytest.mark.parametrize("x", [2.56, -2.56, 0.5, 3.0, -7, 4])
def test_as_of_numbers(f: Callable[[Any], Any], x: Any) -> None:
    found, wanted = ra.fn(f)(x), f(x)
    assert found == pytest.approx(wanted, rel=1e-15)
    assert all(type(a) is type(b) for a, b in zip(found, wanted, strict=True))


@pytest.mark.parametrize(
    ("f", "what"),
    [
        (lambda x: np.unwrap(x), "np.unwrap does not know traced values"),
        (lambda x: np.linalg.eig(x), "np.linalg.eig does not know traced values"),
        (lambda x: np.sum(x, dtype=np.float32), "np.sum of traced values"),
        (lambda x: np.sum(x, where=A > 0), "np.sum of traced values"),
        (lambda x: np.linalg.norm(x, 3), "no matrix norm 3"),
        (lambda x: np.pad(x, 1, mode="edge"), "mode 'edge'"),
        (lambda x: x.astype(complex), "complex128"),
    ],
)
def test_what_has_no_meaning_is_refused(f: Callable[[Any], Any], what: str) -> None:
    with pytest.raises(ra.TypeMismatch, match=what):
        ra.fn(f)(A)


def test_derivatives_pass_through() -> None:
    f = ra.fn(lambda x: np.sum(np.where(x > 0, x, 0.0) ** 2) + x.mean() + np.linalg.norm(x))
    ra.check_grads(f, (A,))


def test_accumulators_have_the_methods_of_their_values() -> None:
    @ra.fn
    def f(x: Any) -> Any:
        total = ra.accum((3, 3))
        for i in ra.range(3):
            total[i] += x[i]
        return total.sum(axis=0), np.sum(total), total.reshape(9)

    rows, all_, flat = f(A)
    np.testing.assert_allclose(rows, A.sum(0))
    assert all_ == pytest.approx(A.sum())
    np.testing.assert_allclose(flat, A.ravel())
