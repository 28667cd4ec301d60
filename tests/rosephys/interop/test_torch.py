"""A scene's loss and motion under torch's autograd, and a layer that is trained."""

from __future__ import annotations

import numpy as np
import pytest

from rosephys import Problem, SceneError
from tests.support.scenes import Lob

torch = pytest.importorskip("torch")

from rosephys.interop.torch import Layer, loss, rollout  # noqa: E402


def test_loss_and_gradient_are_the_problems() -> None:
    problem = Problem(Lob())
    velocity = torch.tensor([1.3, 0.2], dtype=torch.float64, requires_grad=True)
    value = loss(problem)({"velocity": velocity})
    value.backward()
    expected, slopes = problem.value_and_gradient({"velocity": velocity.detach().numpy()})
    assert value.item() == pytest.approx(expected, rel=1e-14)
    assert np.allclose(velocity.grad, slopes["velocity"], rtol=1e-13)
    assert loss(problem)().item() == problem.loss({})


def test_many_are_each_what_one_is() -> None:
    problem = Problem(Lob())
    batch = torch.tensor(np.random.default_rng(0).normal(size=(9, 2)), requires_grad=True)
    found = loss(problem, many=True)({"velocity": batch})
    alone = [loss(problem)({"velocity": v}).item() for v in batch]
    assert np.allclose(found.detach(), alone, rtol=1e-14)
    found.sum().backward()
    slopes = [problem.value_and_gradient({"velocity": v})[1] for v in batch.detach().numpy()]
    assert np.allclose(batch.grad, [s["velocity"] for s in slopes], rtol=1e-13)


def test_a_rollout_is_the_motion() -> None:
    problem = Problem(Lob())
    lift = torch.tensor(0.1, dtype=torch.float64, requires_grad=True)
    rollout(problem)({"lift": lift}).at[:, 1].sum().backward()
    assert lift.grad.item() == 11.0


def test_a_layer_is_trained() -> None:
    problem = Problem(Lob())
    layer = Layer(problem)
    assert {n: tuple(p.shape) for n, p in layer.named_parameters()} == {
        "lift": (),
        "velocity": (2,),
    }
    optimizer = torch.optim.SGD(layer.parameters(), lr=0.1)
    for _ in range(60):
        optimizer.zero_grad()
        layer().backward()
        optimizer.step()
    assert layer().item() < 1e-6
    goal = torch.tensor([0.1, 0.2], dtype=torch.float64, requires_grad=True)
    layer({"goal": goal}).backward()
    assert goal.grad.abs().sum() > 0.1


def test_a_name_that_is_no_field() -> None:
    with pytest.raises(SceneError, match="lob has no live field 'gaol'; did you mean goal"):
        loss(Problem(Lob()))({"gaol": torch.zeros(2)})
