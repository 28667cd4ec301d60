"""Student's t against SciPy, from one degree of freedom to many."""

from __future__ import annotations

import pytest

from rosephys.solve.student import student_quantile


@pytest.mark.parametrize("freedom", [1, 2, 3, 7, 30, 300, 9_999, 10_001, 10**6])
@pytest.mark.parametrize("probability", [0.01, 0.3, 0.6, 0.975, 0.9995])
def test_a_quantile_is_that_of_scipy(freedom: int, probability: float) -> None:
    known = pytest.importorskip("scipy.stats").t.ppf(probability, freedom)
    assert student_quantile(probability, freedom) == pytest.approx(known, rel=1e-7)
