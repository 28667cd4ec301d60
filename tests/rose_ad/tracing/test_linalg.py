"""Products of matrices against numpy, and their derivatives."""

from __future__ import annotations

import numpy as np

import rose_ad as ra
from tests.support.checks import agree, checked_gradient


def test_products_run_along_memory() -> None:
    r = np.random.default_rng(2)
    for a, b in (((5,), (5, 6)), ((3, 5), (5, 6)), ((2, 3, 5), (5, 6)), ((3, 5), (5,))):
        x, y = r.normal(size=a), r.normal(size=b)
        agree(ra.fn(ra.matmul)(x, y), np.matmul(x, y))
        checked_gradient(lambda p, q: ra.sum(ra.sin(ra.matmul(p, q))), x, y)
