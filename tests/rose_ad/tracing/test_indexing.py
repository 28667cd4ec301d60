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
    np.s_[:, I, 1:3], np.s_[I, J, 2], np.s_[1:3, None, J], np.s_[J, ..., None], np.s_[J, :, None],
    np.s_[J, None, :, None], np.s_[1, :, None], np.s_[1:3, ..., None], np.s_[..., None],
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


MASK = np.array([True, False, True, False])
MASKS = [
    np.s_[MASK], np.s_[MASK[:, None] & MASK[:1]], np.s_[A > 0], np.s_[A[0] > 0], np.s_[A[:, :, 0] > 0],
    np.s_[:, A[0, :, 0] > 0], np.s_[..., A[0, 0] > 0], np.s_[:, A[0] > 0], np.s_[A[:, :, 0] > 0, 1:3],
    np.s_[None, MASK, 1], np.s_[MASK, :, J], np.s_[MASK, J], np.s_[~MASK, 0, J], np.s_[MASK & ~MASK],
    np.s_[[True, False, True, False]], np.s_[MASK, ..., None],
]  # fmt: skip


@pytest.mark.parametrize("key", MASKS, ids=range(len(MASKS)))
def test_masks_that_are_known_mean_what_they_do_in_numpy(key: Any) -> None:
    try:
        expected = A[key]
    except IndexError:
        with pytest.raises(IndexError, match="a mask of shape"):
            ra.fn(lambda a: a[key])(A)
        return
    test_keys_mean_what_they_do_in_numpy(key)
    changed = A.copy()
    changed[key] = 2.0
    np.testing.assert_array_equal(ra.fn(lambda a: a.at[key].set(2.0))(A), changed)

    @ra.fn
    def added(a: Any) -> Any:
        acc = ra.accum(A.shape)
        acc[key] += a[key]
        return acc

    np.testing.assert_array_equal(added(A), np.where(changed == 2.0, A, 0.0))
    assert expected.shape == ra.fn(lambda a: a[key])(A).shape


def test_masks_that_are_not_known_are_refused() -> None:
    for f in (lambda a: a[a > 0], lambda a: a.at[a > 0].set(0.0)):
        with pytest.raises(ra.TypeMismatch, match="not known while tracing"):
            ra.fn(f)(A)


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
     (np.True_, "mask"), (np.array([0.5]), "must be an Int"), ((None, 0, 0, 0, 0), "4 indices")],
    ids=str,
)  # fmt: skip
def test_wrong_keys(key: Any, what: str) -> None:
    with pytest.raises(ra.TypeMismatch, match=what):
        ra.fn(lambda a: a[key])(A)


@pytest.mark.parametrize("traced", [False, True], ids=["known", "traced"])
@pytest.mark.parametrize("key", KEYS, ids=str)
def test_entries_at_keys_are_set_and_added_to(key: Any, traced: bool) -> None:
    """Of an array, and of an accumulator; also where arrays of indices are known only to the run."""
    given = key if isinstance(key, tuple) else (key,)
    # an index that is known only to the run is not counted from the end
    keys = tuple(abs(k) if isinstance(k, np.ndarray) and traced else k for k in given)
    key = keys
    arrays = [k for k in keys if isinstance(k, np.ndarray) and traced]

    def at(arrays: Any) -> Any:
        left = iter(arrays)
        return tuple(next(left) if isinstance(k, np.ndarray) and traced else k for k in keys)

    v = np.random.default_rng(2).normal(size=np.shape(A[key]))
    changed, added = A.copy(), A.copy()
    if len(np.unique(np.arange(A.size).reshape(A.shape)[key])) == v.size:
        changed[key] = v
        np.testing.assert_array_equal(
            ra.fn(lambda i: ra.array(A).at[at(i)].set(v))(arrays), changed
        )
    np.add.at(added, key, v)
    np.testing.assert_allclose(ra.fn(lambda i: ra.array(A).at[at(i)].add(v))(arrays), added)

    @ra.fn
    def accumulated(i: Any) -> Any:
        acc = ra.accum(A.shape)
        acc[at(i)] += v
        return acc

    np.testing.assert_allclose(accumulated(arrays), added - A, atol=1e-15)


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
