"""A scene's loss and motion under JAX's own transformations."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from rosephys import Problem, SceneError, find_scene
from tests.support.scenes import Lob

jax = pytest.importorskip("jax")

from rosephys.interop.jax import loss, rollout  # noqa: E402


@pytest.fixture(autouse=True)
def x64() -> Any:
    with jax.enable_x64(True):
        yield


def test_loss_and_gradient_are_the_problems() -> None:
    problem = Problem(find_scene("bounce", {"steps": 60}))
    values = {"velocity": jax.numpy.array([1.3, 0.2]), "dt": jax.numpy.array(0.011)}
    f = loss(problem)
    found = jax.jit(jax.value_and_grad(f))(values)
    plain = {n: np.asarray(v) for n, v in values.items()}
    expected, slopes = problem.value_and_gradient(plain)
    assert float(found[0]) == pytest.approx(expected, rel=1e-14)
    assert np.allclose(found[1]["velocity"], slopes["velocity"], rtol=1e-13)
    h = 1e-6
    sides = [problem.loss({**plain, "dt": plain["dt"] + s}) for s in (h, -h)]
    assert float(found[1]["dt"]) == pytest.approx((sides[0] - sides[1]) / (2 * h), rel=1e-6)
    assert float(f()) == problem.loss({})


def test_many_are_each_what_one_is() -> None:
    problem = Problem(Lob())
    batch = {"velocity": jax.numpy.array(np.random.default_rng(0).normal(size=(9, 2)))}
    found = loss(problem, many=True)(batch)
    assert np.allclose(found, jax.vmap(loss(problem))(batch), rtol=1e-14)
    slope = jax.grad(lambda b: loss(problem, many=True)(b).sum())(batch)["velocity"]
    assert np.allclose(slope, jax.vmap(jax.grad(loss(problem)))(batch)["velocity"], rtol=1e-13)


def test_a_rollout_is_the_motion() -> None:
    problem = Problem(Lob())
    f = rollout(problem)
    assert np.array_equal(f({}).at, problem.trajectory({}).at)
    slope = jax.grad(lambda lift: f({"lift": lift}).at[:, 1].sum())(jax.numpy.array(0.1))
    assert float(slope) == 11.0
    assert rollout(problem, many=True)({"lift": jax.numpy.array([0.1, 0.2])}).at.shape == (2, 11, 2)


def test_single_precision_goes_in_and_comes_out() -> None:
    problem = Problem(find_scene("billiards", {"steps": 40}))
    with jax.enable_x64(False):
        at = jax.numpy.array([0.3, 0.1])
        value, slope = jax.value_and_grad(loss(problem))({"cue_velocity": at})
        assert value.dtype == slope["cue_velocity"].dtype == jax.numpy.float32
    expected, slopes = problem.value_and_gradient({"cue_velocity": np.asarray(at, float)})
    assert float(value) == pytest.approx(expected, rel=1e-6)
    assert np.allclose(slope["cue_velocity"], slopes["cue_velocity"], rtol=1e-5)


def test_a_name_that_is_no_field() -> None:
    with pytest.raises(SceneError, match="lob has no live field 'gaol'; did you mean goal"):
        loss(Problem(Lob()))({"gaol": jax.numpy.zeros(2)})
