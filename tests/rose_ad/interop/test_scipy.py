"""scipy minimises, fits and solves with what was compiled here."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import rose_ad as ra
from tests.support.functions import M, Spring, V, stretch


def test_a_vector_stands_for_a_structure() -> None:
    example = {"a": Spring(3.0, np.array([1.0, 2.0])), "m": (M, 0.5)}
    o = ra.interop.scipy.objective(lambda s: ra.sum(s["m"][0]) + s["a"].ends[1], example)
    assert o.x0.tolist() == [3.0, 1.0, 2.0, *M.ravel(), 0.5]
    back = o.unravel(o.x0)
    assert isinstance(back["a"], Spring) and np.array_equal(back["m"][0], M)
    assert np.array_equal(o.ravel(back), o.x0)
    assert o.fun(o.x0) == M.sum() + 2.0
    assert o.jac(o.x0).tolist() == [0.0, 0.0, 1.0, *[1.0] * 6, 0.0]
    with pytest.raises(ra.TypeMismatch, match=r"write 2\.0 for 2"):
        ra.interop.scipy.objective(stretch, Spring(2, V))  # type: ignore[arg-type]


def test_derivatives_of_an_objective() -> None:
    o = ra.interop.scipy.objective(stretch, Spring(3.0, np.array([0.1, 2.0])), 0.25)
    h = 1e-5
    hess = o.hess(o.x0)
    for k, e in enumerate(np.eye(3)):
        plus, minus = o.x0 + h * e, o.x0 - h * e
        assert o.jac(o.x0)[k] == pytest.approx((o.fun(plus) - o.fun(minus)) / (2 * h), abs=1e-8)
        row = (o.jac(plus) - o.jac(minus)) / (2 * h)
        assert hess[k] == pytest.approx(row, abs=1e-8)
        assert o.hessp(o.x0, e) == pytest.approx(hess[:, k], abs=1e-14)
    assert hess == pytest.approx(hess.T, abs=1e-14)


def test_value_and_gradient_are_one_evaluation(monkeypatch: pytest.MonkeyPatch) -> None:
    o = ra.interop.scipy.objective(lambda v: ra.dot(v, v), V)
    calls: list[Any] = []
    whole = o._value_and_grad
    monkeypatch.setattr(o, "_value_and_grad", lambda *a: calls.append(1) or whole(*a))
    x = o.x0.copy()
    assert o.fun(x) == V @ V and np.array_equal(o.jac(x), 2 * V) and len(calls) == 1
    o.jac(x)[0] = 99.0  # what it gave is the caller's
    assert np.array_equal(o.jac(x), 2 * V) and len(calls) == 1
    x[0] = 3.0  # scipy writes into x
    assert np.array_equal(o.jac(x), 2 * x) and len(calls) == 2


@pytest.mark.parametrize(
    ("method", "needs"),
    [("BFGS", "jac"), ("trust-ncg", "hessp"), ("trust-exact", "hess"), ("Newton-CG", "hessp")],
)
def test_scipy_minimises(method: str, needs: str) -> None:
    optimize = pytest.importorskip("scipy.optimize")
    o = ra.interop.scipy.objective(stretch, Spring(3.0, np.array([0.3, 2.0])))
    further = {} if needs == "jac" else {needs: getattr(o, needs)}
    for found in (
        optimize.minimize(o.fun, o.x0, jac=o.jac, method=method, **further),
        optimize.minimize(o, o.x0, jac=True, method=method, **further),
    ):
        assert found.x == pytest.approx([2.0, 0.0, 1.0], abs=1e-4)


@pytest.mark.parametrize("times", [np.linspace(0.0, 1.0, 9), np.array([0.5])])
def test_scipy_fits(times: np.ndarray) -> None:
    def misfit(p: Any, t: Any, data: Any) -> Any:
        return {"data": p["a"] * ra.exp(-p["rate"] * t) - data, "prior": 1e-3 * p["rate"]}

    data = 2.0 * np.exp(-1.5 * times)
    r = ra.interop.scipy.residuals(
        misfit, {"a": 1.0, "rate": 1.0, "unused": np.zeros(2)}, times, data
    )
    jac, h = r.jac(r.x0), 1e-6
    assert jac.shape == (len(times) + 1, 4)
    for k, e in enumerate(np.eye(4)):
        difference = (r.fun(r.x0 + h * e) - r.fun(r.x0 - h * e)) / (2 * h)
        assert jac[:, k] == pytest.approx(difference, abs=1e-8)
    if len(times) > 4:
        optimize = pytest.importorskip("scipy.optimize")
        found = r.unravel(optimize.least_squares(r.fun, r.x0, jac=r.jac).x)
        assert found["a"] == pytest.approx(2.0, rel=1e-3)
        assert found["rate"] == pytest.approx(1.5, rel=1e-3)
