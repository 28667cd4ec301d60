"""The nearest motion in which no contact approaches too fast: its conditions, and its derivative."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import rose_ad as ra
from rosephys.physics.contact.projection import Contacts, held

Rows = np.ndarray[Any, Any]


@ra.fn
def solved(pairs, rows, count, still):
    return held(Contacts(pairs, rows, count, still))


def clump(seed: int, n: int, spare: int = 3) -> tuple[Rows, Rows, int, Rows]:
    """Contacts between the nearest of random points that move at random, a few of which may close a little."""
    rng = np.random.default_rng(seed)
    x, v = rng.normal(size=(n, 2)), rng.normal(size=(n, 2))
    i, j = np.triu_indices(n, 1)
    apart = x[i] - x[j]
    near = np.argsort(np.hypot(*apart.T))[: 2 * n - 3]
    normal = apart[near] / np.hypot(*apart[near].T)[:, None]
    may = np.maximum(rng.normal(size=len(near)), 0.0)
    closing = -np.sum(normal * (v[i] - v[j])[near], axis=1)
    rows = np.column_stack([normal, closing - may, 0.0 * may])
    pairs = n * i[near] + j[near]
    filler = np.zeros(spare, int), np.full((spare, 4), 7.0)
    return np.append(pairs, filler[0]), np.concatenate([rows, filler[1]]), len(near), 0.0 * x


def braced() -> tuple[Rows, Rows, int, Rows]:
    """A triangle of ten, all of which touch: 18 contacts, of which 17 would do; all press upon the first."""
    places = [(i, j - i / 2) for i in range(4) for j in range(i + 1)]
    x = np.array(places) * (np.sqrt(0.75), 1.0)
    i, j = np.triu_indices(10, 1)
    apart = x[i] - x[j]
    near = np.hypot(*apart.T) < 1.01
    closing = np.sum(apart * (x[i] - x[j]), axis=1)[near]
    rows = np.column_stack([apart[near], closing, 0 * closing])
    return (10 * i + j)[near], rows, int(near.sum()), np.zeros((10, 2))


def matrix(pairs: Rows, rows: Rows, count: int, still: Rows) -> Rows:
    """N, the normals as rows (count, 2 n)."""
    n = len(still)
    found = np.zeros((count, n, 2))
    for k in range(count):
        i, j = divmod(int(pairs[k]), n)
        found[k, i], found[k, j] = rows[k, :2], -rows[k, :2]
    return found.reshape(count, -1)


@pytest.mark.parametrize("case", [*(clump(s, n) for s in range(6) for n in (6, 14)), braced()])
def test_no_contact_pulls_and_only_those_that_hold_push(case: Any) -> None:
    """The conditions of the quadratic program, which only its solution meets."""
    impulses = solved(*case)
    count = case[2]
    np.testing.assert_array_equal(impulses[count:], 0.0)
    impulses, wide = impulses[:count], matrix(*case)
    left = wide @ (wide.T @ impulses) - case[1][:count, 2]
    assert impulses.min() >= 0.0 and impulses.max() > 0.0
    assert left.min() > -1e-12
    assert np.abs(impulses * left).max() < 1e-12


@pytest.mark.parametrize("seed", range(6))
def test_its_derivative_agrees_with_differences(seed: int) -> None:
    pairs, rows, count, still = clump(seed, 7)
    rng = np.random.default_rng(100 + seed)
    weight, along = rng.normal(size=len(pairs)), rng.normal(size=rows.shape)

    @ra.fn
    def total(rows):
        return ra.sum(weight * solved(pairs, rows, count, still))

    slope = np.sum(ra.grad(total)(rows) * along)
    ends = [total(rows + h * along) for h in (-1e-6, 1e-6)]
    assert slope == pytest.approx((ends[1] - ends[0]) / 2e-6, rel=1e-6, abs=1e-7)
    assert ra.jvp(total, (rows,), (along,))[1] == pytest.approx(slope, rel=1e-10, abs=1e-12)


def test_where_contacts_brace_each_other_the_motion_has_a_derivative_that_is_finite() -> None:
    pairs, rows, count, still = braced()

    @ra.fn
    def total(rows):
        return ra.sum(solved(pairs, rows, count, still))

    assert np.isfinite(ra.grad(total)(rows)).all()
