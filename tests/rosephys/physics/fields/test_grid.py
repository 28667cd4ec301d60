"""What is beside a cell, and the Laplacian."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import rose_ad as ra
from rosephys.physics.fields.grid import beside, laplacian

DRAW = np.random.default_rng(8)


@pytest.mark.parametrize(
    ("edges", "mode"), [("periodic", "wrap"), ("wall", "edge"), ("zero", "constant")]
)
@pytest.mark.parametrize("shape", [(1, 1), (1, 4), (5, 2), (18, 21)])
def test_what_is_beside_a_cell(edges: Any, mode: Any, shape: tuple[int, int]) -> None:
    q = DRAW.normal(size=shape)
    n, m = shape
    f = ra.fn(lambda q: ra.build(n, lambda i: ra.build(m, lambda j: beside(q, i, j, edges))))
    wide = np.pad(q, 1, mode=mode)
    expected = wide[:-2, 1:-1], wide[2:, 1:-1], wide[1:-1, :-2], wide[1:-1, 2:]
    for found, wanted in zip(f(q), expected, strict=True):
        np.testing.assert_array_equal(found, wanted)


def test_a_laplacian_of_a_parabola() -> None:
    at = np.arange(9.0)
    q = at[:, None] ** 2 + 3 * at**2
    f = ra.fn(lambda q: ra.build(9, lambda i: ra.build(9, lambda j: laplacian(q, i, j, "wall"))))
    np.testing.assert_allclose(f(q)[1:-1, 1:-1], 8.0)
