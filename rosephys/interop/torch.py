"""A scene's loss and motion as functions of torch tensors, and as a layer; see rose_ad.interop.torch.

layer = rosephys.interop.torch.Layer(problem)
optimizer = torch.optim.Adam(layer.parameters(), lr=0.01)
layer().backward()
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import numpy as np

import rose_ad as ra

from ..solve.problem import Problem
from . import missing
from .functions import checked, loss_of, rollout_of

if find_spec("torch") is None:
    raise missing("torch", "torch")

import torch


def loss(problem: Problem, *, many: bool = False) -> Callable[..., Any]:
    """The loss of live fields by name, as tensors on the CPU: {"goal": ..., "push": ...}; the problem's own
    where there are none.

    With `many` it is a function of n choices, (n, ...) of each field that is given, to losses (n,): one call,
    side by side in SIMD lanes. Raises SceneError for a name that is no live field.
    """
    return checked(problem, ra.interop.torch.function(loss_of(problem, many)))


def rollout(problem: Problem, *, many: bool = False) -> Callable[..., Any]:
    """The same for all states: a state of the scene whose tensors have a leading axis of length steps + 1."""
    return checked(problem, ra.interop.torch.function(rollout_of(problem, many)))


class Layer(torch.nn.Module):  # type: ignore[misc]
    """The loss of a scene, whose controls are the parameters of the layer, float64."""

    def __init__(self, problem: Problem) -> None:
        super().__init__()
        self._loss = loss(problem)
        for name in problem.controls:
            value = torch.from_numpy(np.array(problem.values[name]))
            self.register_parameter(name, torch.nn.Parameter(value))

    def forward(self, values: dict[str, Any] | None = None) -> Any:
        """The loss, with other values of live fields where there are any, which are differentiated too."""
        return self._loss({**dict(self.named_parameters()), **(values or {})})
