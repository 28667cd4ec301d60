"""L-BFGS within bounds: problems whose solutions are known, and how it ends."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rosephys import Problem, Scene, control, descend, parameter
from rosephys.solve.lbfgs import lbfgs
from tests.support.valleys import START, bounded, rosenbrock

minimize = pytest.importorskip("scipy.optimize", reason="the extra `test` has it").minimize


def searching() -> bool:
    return any(t.name == "L-BFGS-B" for t in threading.enumerate())


def ends_searching() -> bool:
    """Whether the search has ended, or does so in a moment."""
    for _ in range(500):
        if not searching():
            return True
        time.sleep(0.01)
    return False


@pytest.mark.parametrize("high", [np.inf, 0.8])
def test_its_points_are_scipys_iterates(high: float) -> None:
    expected = [START]
    scale = 1 / np.linalg.norm(rosenbrock(START)[1])  # for a first step of length 1
    minimize(
        lambda x: tuple(scale * part for part in rosenbrock(x)),
        START,
        jac=True,
        method="L-BFGS-B",
        bounds=[(-np.inf, high)] * 10,
        callback=lambda x: expected.append(x.copy()),
    )
    points = list(lbfgs(rosenbrock, START, *bounded(-np.inf, high, 10)))
    assert len(points) >= len(expected) > 20
    for point, x in zip(points, expected, strict=False):
        np.testing.assert_array_equal(point.x, x)
        loss, gradient = rosenbrock(x)
        assert point.loss == loss and (point.gradient == gradient).all()


def test_it_finds_the_end_of_a_curved_valley() -> None:
    points = list(lbfgs(rosenbrock, START, *bounded(-np.inf, np.inf, 10)))
    np.testing.assert_allclose(points[-1].x, 1.0, atol=1e-10)
    assert len(points) < 150
    assert all(b.loss < a.loss for a, b in pairwise(points))


def test_a_bounded_minimum_has_no_slope_that_is_free() -> None:
    points = list(lbfgs(rosenbrock, START, *bounded(-2.0, 0.8, 10)))
    last = points[-1]
    assert len(points) < 100 and all(p.x.max() <= 0.8 for p in points)
    held = last.x == 0.8
    assert held.any() and (last.gradient[held] < 0).all()
    np.testing.assert_allclose(last.gradient[~held], 0.0, atol=1e-5)


def test_a_quadratic_within_a_box_has_its_closed_form() -> None:
    target, weights = np.array([3.0, -0.2, -7.0, 0.5]), np.array([1.0, 100.0, 5.0, 2000.0])

    def loss(x: Any) -> tuple[float, Any]:
        return float(0.5 * weights @ (x - target) ** 2), weights * (x - target)

    first, second, *_, last = lbfgs(loss, np.zeros(4), *bounded(-1.0, 1.0, 4))
    np.testing.assert_allclose(last.x, np.clip(target, -1, 1), atol=1e-9)
    assert np.linalg.norm(second.x - first.x) <= 1 + 1e-12  # though the slope is 1000 long


@pytest.mark.parametrize("high", [5.0, np.inf])
@pytest.mark.parametrize("beyond", [np.inf, np.nan])
def test_it_steps_back_from_where_the_loss_is_not_finite(beyond: float, high: float) -> None:
    outside = 0

    def loss(x: Any) -> tuple[float, Any]:
        nonlocal outside
        if x[0] > 1.5:
            outside += 1
            return beyond, np.full(2, np.nan)
        miss = x - np.array([1.4, 3.0])
        return float(1000 * miss[0] ** 2 + miss[1] ** 2), miss * (2000, 2)

    points = list(lbfgs(loss, np.array([1.0, 0.0]), *bounded(-5.0, high, 2)))
    np.testing.assert_allclose(points[-1].x, (1.4, 3.0), atol=1e-8)
    assert outside > 0 and all(np.isfinite(p.loss) for p in points)


def test_nothing_is_computed_ahead_of_the_next_point() -> None:
    calls: list[str] = []

    def loss(x: Any) -> tuple[float, Any]:
        calls.append(threading.current_thread().name)
        return rosenbrock(x)

    points = lbfgs(loss, START, *bounded(-2.0, 2.0, 10))
    next(points)
    assert len(calls) == 1
    next(points)
    seen = len(calls)
    time.sleep(0.05)
    assert len(calls) == seen
    assert set(calls) == {threading.current_thread().name}
    assert searching()
    points.close()
    assert ends_searching() and len(calls) == seen


@pytest.mark.parametrize("error", [ValueError("on purpose"), KeyboardInterrupt()])
def test_what_the_loss_raises_reaches_the_caller(error: BaseException) -> None:
    calls = 0

    def loss(x: Any) -> tuple[float, Any]:
        nonlocal calls
        calls += 1
        if calls == 5:
            raise error
        return rosenbrock(x)

    points = lbfgs(loss, START, *bounded(-2.0, 2.0, 10))
    with pytest.raises(type(error)) as caught:
        list(points)
    assert caught.value is error
    assert ends_searching()


def test_a_process_may_end_in_the_middle_of_it() -> None:
    code = (
        "import numpy as np; from rosephys.solve.lbfgs import lbfgs;"
        "points = lbfgs(lambda x: (x @ x, 2 * x), np.ones(3), np.full(3, -9.0), np.full(3, 9.0));"
        "next(points), next(points); print('done')"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0 and done.stdout == "done\n" and done.stderr == ""


class Valley(Scene):
    """Two controls of different shapes in a curved valley."""

    steps: int = parameter(1, "number of time steps")
    first: float = control(-1.2, "the first coordinate", bounds=(-2.0, 0.5))
    rest: Any = control((1.0, 0.3), "the others", rate=0.5)

    def initial(self) -> Any:
        return (self.first, self.rest)

    def step(self, state: Any, t: Any) -> Any:
        return state

    def loss(self, final: Any) -> Any:
        x, (y, z) = final
        return 100 * (y - x * x) ** 2 + (1 - x) ** 2 + 100 * (z - y * y) ** 2 + (1 - y) ** 2


def test_descend_parts_the_controls_and_ends_where_nothing_helps() -> None:
    iterates = list(descend(Problem(Valley()), iterations=500, rate=0.3, optimizer="lbfgs"))
    assert len(iterates) < 100
    assert [it.iteration for it in iterates] == list(range(len(iterates)))
    last = iterates[-1]
    assert last.values["first"] == pytest.approx(0.5, abs=1e-12)
    assert last.gradient["first"] < 0 and last.values["dt"] == 0.01
    np.testing.assert_allclose(last.gradient["rest"], 0.0, atol=1e-5)
    assert ends_searching()


def test_descend_stops_where_it_is_told() -> None:
    iterates = list(descend(Problem(Valley()), iterations=3, rate=0.3, optimizer="lbfgs"))
    assert [it.iteration for it in iterates] == [0, 1, 2, 3]
    assert ends_searching()
    (start,) = descend(Problem(Valley()), iterations=0, rate=0.3, optimizer="lbfgs")
    assert start.loss == iterates[0].loss


def test_without_scipy_descend_takes_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    how = {"iterations": 200, "rate": 0.3, "optimizer": "lbfgs"}
    by_scipy = min(it.loss for it in descend(Problem(Valley()), **how))
    monkeypatch.setattr("rosephys.solve.optimize.find_spec", lambda name: None)
    monkeypatch.delattr("rosephys.solve.optimize.lbfgs")
    found = min(it.loss for it in descend(Problem(Valley()), **how))
    assert found == pytest.approx(by_scipy, rel=1e-6)


def test_the_first_step_is_no_longer_than_the_rate() -> None:
    start, after = descend(Problem(Valley()), iterations=1, rate=0.01, optimizer="lbfgs")
    moved = np.append(after.values["rest"] / 0.5, after.values["first"])
    moved -= np.append(start.values["rest"] / 0.5, start.values["first"])
    assert 0 < np.linalg.norm(moved) <= 0.01 + 1e-12
