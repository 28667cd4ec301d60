"""`a[...]` and `acc[...] += v` against numpy, and the derivatives of both."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import rose_ad as ra

A = np.random.default_rng(0).normal(size=(4, 5, 6))
I = np.array([[0, 2], [3, -1]])
J = np.array([1, 0])

KEYS = [
    np.s_[1], np.s_[-1, 2], np.s_[...], np.s_[..., 0], np.s_[None], np.s_[:, None, 1], np.s_[::-1],
    np.s_[1:, ..., ::-2], np.s_[5:2], np.s_[I], np.s_[:, J], np.s_[I, J], np.s_[I, :, J], np.s_[0, J],
    np.s_[J, 0], np.s_[J, None, 0], np.s_[..., J], np.s_[[0, 1]], np.s_[0, :, J], np.s_[1, ..., None],
    np.s_[:, I, 1:3], np.s_[I, J, 2], np.s_[1:3, None, J],
]  # fmt: skip


@pytest.mark.parametrize("key", KEYS, ids=str)
def test_keys_mean_what_they_do_in_numpy(key: Any) -> None:
    expected = A[key]
    found = ra.fn(lambda a: a[key])(A)
    np.testing.assert_array_equal(found, expected)
    weights = np.random.default_rng(1).normal(size=np.shape(expected))
    gradient = ra.grad(lambda a: ra.sum(a[key] * weights))(A)
    by_hand = np.zeros_like(A)
    np.add.at(by_hand, key, weights)
    np.testing.assert_allclose(gradient, by_hand)


@pytest.mark.parametrize(
    "pick",
    [lambda a, i: a[i], lambda a, i: a[:, i], lambda a, i: a[i, i], lambda a, i: a[i, 1:3, i],
     lambda a, i: a[i][:, 0], lambda a, i: a[i[0]], lambda a, i: a[i + 1, ..., None]],
)  # fmt: skip
def test_computed_indices(pick: Any) -> None:
    np.testing.assert_array_equal(ra.fn(pick)(A, J), pick(A, J))


def test_computed_indices_are_checked() -> None:
    f = ra.fn(lambda a, i: a[i])
    with pytest.raises(IndexError, match="length 4"):
        f(A, np.array([0, 4]))
    with pytest.raises(IndexError, match="index 7 is outside an axis of length 4"):
        ra.fn(lambda a: a[[0, 7]])(A)


@pytest.mark.parametrize(
    "key,what",
    [((0, 0, 0, 0), "4 indices for an array of 3 axes"), ((..., 0, ...), "more than one"),
     (A > 0, "mask"), (np.array([0.5]), "must be an Int"), ((None, 0, 0, 0, 0), "4 indices")],
    ids=str,
)  # fmt: skip
def test_wrong_keys(key: Any, what: str) -> None:
    with pytest.raises(ra.TypeMismatch, match=what):
        ra.fn(lambda a: a[key])(A)


def scattered(v: Any, i: Any) -> Any:
    acc = ra.accum((6,))
    acc[i] += v
    acc[I] += 1.0
    acc[-1] -= 2.0
    return acc


def test_adding_at_arrays_of_indices() -> None:
    v, i = np.array([1.0, 2.0, 4.0]), np.array([1, 1, 4])
    expected = np.zeros(6)
    np.add.at(expected, i, v)
    np.add.at(expected, I, 1.0)
    expected[-1] -= 2.0
    np.testing.assert_array_equal(ra.fn(scattered)(v, i), expected)
    weights = np.arange(6.0)
    gradient = ra.grad(lambda v, i: ra.sum(ra.fn(scattered)(v, i) * weights))(v, i)
    np.testing.assert_array_equal(gradient, weights[i])
    with pytest.raises(IndexError):
        ra.fn(scattered)(v, i + 3)


def test_adding_rows() -> None:
    def rows(v: Any, i: Any) -> Any:
        acc = ra.accum((6, 2))
        acc[i] += v
        acc[i, J[0]] -= v[:, 0]
        return acc

    v, i = np.arange(6.0).reshape(3, 2), np.array([5, 0, 5])
    expected = np.zeros((6, 2))
    np.add.at(expected, i, v)
    np.add.at(expected, (i, 1), -v[:, 0])
    np.testing.assert_array_equal(ra.fn(rows)(v, i), expected)


ADDED: dict[str, Any] = {
    "slice": np.s_[1:3],
    "slice with a step": np.s_[::2],
    "backwards": np.s_[::-1],
    "empty": np.s_[2:2],
    "all": np.s_[:],
    "ellipsis": np.s_[..., 1],
    "column": np.s_[:, 1],
    "number and slice": np.s_[2, 1:],
    "rectangle": np.s_[1:3, ::2],
    "last axis": np.s_[:, 1:3, -1],
    "array and slice": np.s_[np.array([0, 2, 0]), 1:3],
    "slice and array": np.s_[:, np.array([[0, 1], [2, 2]])],
    "array, number, slice": np.s_[np.array([0, 2]), 1, :],
    "arrays apart": np.s_[np.array([0, 2]), :, np.array([1, 1])],
    "array of rows": np.s_[np.array([3, 0, 3])],
    "new axis": np.s_[None, 1:3],
}


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("key", ADDED.values(), ids=ADDED)
def test_adding_to_slices(key: Any, sign: int) -> None:
    shape = (4, 3, 2)
    target = np.zeros(shape)[key].shape
    values: list[Any] = [2.0, np.random.default_rng(0).normal(size=target)]
    if target:
        values.append(np.arange(float(target[-1])))  # which is broadcast

    @ra.fn
    def added(v: Any) -> Any:
        acc = ra.accum(shape)
        acc += 1.0
        if sign == 1:
            acc[key] += v
        else:
            acc[key] -= v
        return acc

    for v in values:
        wanted = np.ones(shape)
        np.add.at(wanted, key, sign * np.asarray(v))
        np.testing.assert_array_equal(added(v), wanted)
        weights = np.random.default_rng(1).normal(size=shape)
        slope = ra.grad(lambda u, w=weights: ra.sum(w * added(u)))(v)
        taken = np.broadcast_to(sign * weights[key], target)
        kept = (
            taken
            if np.shape(v) == target
            else taken.sum(axis=tuple(range(taken.ndim - np.ndim(v))))
        )
        np.testing.assert_allclose(slope, kept, rtol=1e-12, atol=1e-12)


def test_slices_of_an_accumulator_are_only_added_to() -> None:
    def read(v: Any) -> Any:
        acc = ra.accum(3)
        return acc[1:].shape

    def assigned(v: Any) -> Any:
        acc = ra.accum(3)
        acc[1:] = v
        return acc

    for f in (read, assigned):
        with pytest.raises(ra.TraceError, match="accumulator"):
            ra.fn(f)(1.0)
    with pytest.raises(ra.TypeMismatch, match="does not broadcast"):
        ra.fn(lambda v: ra.accum(3)[1:].__iadd__(v))(np.ones(3))
