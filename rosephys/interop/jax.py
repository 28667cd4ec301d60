"""A scene's loss and motion as functions of JAX arrays, under jit, grad and vmap; see rose_ad.interop.jax.

    loss = rosephys.interop.jax.loss(problem)
    slopes = jax.grad(loss)({"cue_velocity": jax.numpy.array([0.3, 0.0])})

JAX computes in single precision unless `jax_enable_x64` is set; what the functions compute is in double.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import rose_ad as ra

from ..solve.problem import Problem
from . import missing
from .functions import checked, loss_of, rollout_of

if find_spec("jax") is None:
    raise missing("JAX", "jax")


def loss(problem: Problem, *, many: bool = False) -> Callable[..., Any]:
    """The loss of live fields by name, as arrays: {"goal": ..., "push": ...}; the problem's own where there are
    none.

    With `many` it is a function of n choices, (n, ...) of each field that is given, to losses (n,): one call,
    side by side in SIMD lanes, where `jax.vmap` of the other makes one after the other. Raises SceneError for a
    name that is no live field.
    """
    return checked(problem, ra.interop.jax.function(loss_of(problem, many)))


def rollout(problem: Problem, *, many: bool = False) -> Callable[..., Any]:
    """The same for all states: a state of the scene whose arrays have a leading axis of length steps + 1."""
    return checked(problem, ra.interop.jax.function(rollout_of(problem, many)))
