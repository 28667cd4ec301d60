"""`einsum` in all of its spellings against numpy's, with gradients; what does not fit is refused."""

from __future__ import annotations

from types import EllipsisType
from typing import Any

import numpy as np
import pytest

import rose_ad as ra

R = np.random.default_rng(0)
S, V, A, B = (R.normal(size=shape) for shape in ((), 4, (3, 4), (2, 3, 4)))
Given = tuple[str | list[int | EllipsisType] | np.ndarray[Any, Any], ...]

CALLS: list[Given] = [
    ("ij,kj->ik", A, A), ("ij,kj", A, A), ("ba", A), (" i j , j -> i ", A, V), ("ij->", A), ("ij", A),
    ("ii->i", A[:, :3]), ("ii", A[:, :3]), ("iJ,J", A, V), ("i,j->ji", V, V), ("ij,jk,kl->il", A, A.T, A),
    ("...j,j->...", A, V), ("...ij,...kj->...ik", B, B), ("...ij,...kj", B, A), ("ij...->...j", A),
    ("i...->...", B), ("...", A), ("...,...", A, V), ("...,...", A, S), ("b...,c...->bc...", A, A),
    ("...ij->ji...", B), ("...i->...", V), ("i->...i", V), (",->", S, S), (",i", S, V), ("", S),
    ("ij,ij->ij", A, A[:1]), ("ij,ij", A[:, :1], A), ("i...,...->...", A, B[:, :1]), ("i,i->i", V[:1], V[:0]),
    (A, [0, 1], A, [2, 1], [0, 2]), (A, [0, 1], A, [2, 1]), (A, [1, 0]), (A, [30, 2]), (V, [0], []),
    (B, [..., 0], V, [0], [...]),
]  # fmt: skip


def shown(given: Given) -> str:
    return " ".join(str(x if not isinstance(x, np.ndarray) else x.shape) for x in given)


def parted(given: Given) -> tuple[list[np.ndarray[Any, Any]], Any]:
    """The arrays, and what calls an einsum with others in their places."""
    places = [k for k, x in enumerate(given) if isinstance(x, np.ndarray)]

    def call(einsum: Any, arrays: Any) -> Any:
        full: list[Any] = list(given)
        for k, x in zip(places, arrays, strict=True):
            full[k] = x
        return einsum(*full)

    return [np.asarray(given[k]) for k in places], call


@pytest.mark.parametrize("given", CALLS, ids=shown)
def test_same_as_numpys(given: Given) -> None:
    arrays, call = parted(given)
    wanted = call(np.einsum, arrays)
    for einsum in (ra.einsum, np.einsum):
        found = ra.fn(lambda arrays, einsum=einsum: call(einsum, arrays))(arrays)
        assert np.shape(found) == np.shape(wanted)
        np.testing.assert_allclose(found, wanted, rtol=1e-13)
    weights = R.normal(size=np.shape(wanted))
    gradient = ra.grad(lambda arrays: ra.sum(call(ra.einsum, arrays) * weights))(arrays)
    for k, a in enumerate(arrays):  # which it is linear in
        along = R.normal(size=a.shape)
        slope = np.sum(call(np.einsum, [*arrays[:k], along, *arrays[k + 1 :]]) * weights)
        np.testing.assert_allclose(np.sum(gradient[k] * along), slope, rtol=1e-12)


def test_an_order_of_products_may_be_asked_for() -> None:
    f = ra.fn(lambda a: np.einsum("ij,kj->ik", a, a, optimize=True))
    np.testing.assert_allclose(f(A), A @ A.T)
    np.testing.assert_allclose(ra.einsum("ij,kj->ik", A, A, optimize="greedy"), A @ A.T)


REFUSED: list[tuple[Given, str]] = [
    (("ij->ijj", A), "which axes the result has"), (("ij->ik", A), "which axes the result has"),
    (("ij,j", A), "does not fit 1 operands"), (("ijk", A), "'ijk' for an array of 2 axes"),
    (("...i...", B), "for an array of 3 axes"), (("", A), "for an array of 2 axes"),
    (("ii", A), "axis i is 3 and 4"), (("ii", A[:1]), "axis i is 1 and 4"),
    (("ij,jk", A, A), "axis j is 4 and 3"), (("i>j", A), "for an array"), (("i.j", B), "which axes"),
    ((A, [0, 1], [2]), "which axes"), ((A, [0, 52]), "whole numbers"), ((A, [0, -1]), "whole numbers"),
    (("ij->i->", A), "which axes"),
]  # fmt: skip


@pytest.mark.parametrize("given,what", REFUSED, ids=[shown(given) for given, _ in REFUSED])
def test_what_does_not_fit(given: Given, what: str) -> None:
    arrays, call = parted(given)
    with pytest.raises(ra.TypeMismatch, match=what):
        ra.fn(lambda arrays: call(ra.einsum, arrays))(arrays)
    with pytest.raises((ValueError, TypeError)):
        call(np.einsum, arrays)
