"""Functions of symmetric matrices, and their derivatives."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import scipy.linalg

import rose_ad as ra
from rosephys.physics.particles import symmetric

Array = np.ndarray[Any, Any]


def turned(d: int, values: Any, seed: int = 0) -> Array:
    """A symmetric matrix with these eigenvalues."""
    q = np.linalg.qr(np.random.default_rng(seed).standard_normal((d, d)))[0]
    return np.asarray((q * np.asarray(values)) @ q.T)


EIGENVALUES = [
    (2, (0.4, 2.5)),
    (2, (1.3, 1.3)),
    (2, (1.3, 1.3 + 1e-9)),
    (3, (0.4, 2.5, 1.1)),
    (3, (1.3, 1.3, 1.3)),
    (3, (2.0, 0.7, 0.7)),
    (3, (0.7, 0.7 * (1 + 1e-12), 0.7 * (1 - 1e-5))),
]


@pytest.mark.parametrize(
    ("function", "known"),
    [
        (ra.fn(symmetric.log), scipy.linalg.logm),
        (ra.fn(symmetric.exp), scipy.linalg.expm),
        (ra.fn(symmetric.inverse_root), lambda s: np.linalg.inv(scipy.linalg.sqrtm(s))),
    ],
)
@pytest.mark.parametrize(("d", "values"), EIGENVALUES)
def test_functions_and_their_derivatives(
    function: Any, known: Callable[[Array], Array], d: int, values: tuple[float, ...]
) -> None:
    """f([[S, dS], [0, S]]) = [[f(S), f'(S)[dS]], [0, f(S)]], whatever the eigenvalues (Higham)."""
    s, draw = turned(d, values), np.random.default_rng(1)
    ds, w = (a + a.T for a in draw.standard_normal((2, d, d)))
    expected = known(np.block([[s, ds], [np.zeros((d, d)), s]]))
    value, slope = ra.jvp(function, (s,), (ds,))
    np.testing.assert_allclose(value, expected[:d, :d], rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(slope, expected[:d, d:], rtol=1e-12, atol=1e-12)
    (back,) = ra.vjp(function, s)[1](w)
    assert np.vdot(slope, w) == pytest.approx(np.vdot(ds, back), rel=1e-12)


@pytest.mark.parametrize("d", [2, 3])
def test_eigenvalues_of_many_matrices(d: int) -> None:
    draw = np.random.default_rng(2)
    n = 2000
    stretches = np.exp(draw.standard_normal((n, d)) * draw.choice([1e-9, 1e-2, 1.0, 4.0], (n, 1)))
    q = np.linalg.qr(draw.standard_normal((n, d, d)))[0]
    s = np.einsum("nij,nj,nkj->nik", q, stretches, q)

    def both(p: Any) -> Any:
        values, u = symmetric.eigen(ra.array(s)[p])
        return ra.array(values), u

    values, u = ra.fn(lambda: ra.build(n, both))()
    size = stretches.max(1)
    again = np.einsum("nij,nj,nkj->nik", u, values, u)
    assert (abs(again - s).max((1, 2)) / size).max() < 1e-14
    assert abs(np.einsum("nij,nik->njk", u, u) - np.eye(d)).max() < 1e-14
    assert (abs(np.sort(values) - np.sort(stretches)).max(1) / size).max() < 1e-14
