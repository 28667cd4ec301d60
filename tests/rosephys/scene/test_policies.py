"""Policies: what they compute, against numpy; how many weights they have; what cannot be."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import rose_ad as ra
from rosephys import Linear, Network, Pd, SceneError

POLICIES = [Linear(3, 2), Pd(2, (0.5, -0.1), 3.0, 0.2), Network((4, 5, 3, 2)), Network((2, 1))]


def by_numpy(policy: Any, weights: np.ndarray, senses: np.ndarray) -> np.ndarray:
    parts = {n: np.asarray(p) for n, p in policy.parts(weights).items()}
    if isinstance(policy, Linear):
        return parts["weights"] @ senses + parts["bias"]
    if isinstance(policy, Pd):
        q, rate = np.split(senses, 2)
        return parts["stiffness"] * (np.array(policy.goal) - q) - parts["damping"] * rate
    layers = len(policy.sizes) - 1
    for k in range(layers):
        senses = parts[f"weights{k}"] @ senses + parts[f"bias{k}"]
        senses = np.tanh(senses) if k < layers - 1 else senses
    return senses


def sensed(policy: Any) -> int:
    return {Linear: lambda: policy.senses, Pd: lambda: 2 * policy.joints}.get(
        type(policy), lambda: policy.sizes[0]
    )()


@pytest.mark.parametrize("policy", POLICIES, ids=str)
def test_it_does_what_its_formula_says_and_has_its_gradient(policy: Any) -> None:
    random = np.random.default_rng(0)
    weights, senses = random.standard_normal(policy.size), random.standard_normal(sensed(policy))
    call = ra.fn(lambda w, s: policy(w, s))
    np.testing.assert_allclose(call(weights, senses), by_numpy(policy, weights, senses), rtol=1e-12)
    ra.check_grads(ra.fn(lambda w, s: ra.sum(policy(w, s) ** 2)), (weights, senses))


@pytest.mark.parametrize("policy", POLICIES, ids=str)
def test_first_weights_are_the_same_with_a_seed(policy: Any) -> None:
    first = policy.first(1)
    assert first.shape == (policy.size,) and np.isfinite(first).all()
    np.testing.assert_array_equal(first, policy.first(1))


def test_a_network_has_the_weights_of_its_layers() -> None:
    assert Network((4, 8, 1)).size == 5 * 8 + 9 and Linear(4).size == 5 and Pd(3).size == 6
    assert np.any(Network((4, 8, 1)).first(0) != Network((4, 8, 1)).first(1))


@pytest.mark.parametrize("sizes", [(), (3,), (3, 0, 1), (3, 2.5, 1)])
def test_sizes_that_cannot_be_are_told(sizes: Any) -> None:
    with pytest.raises(SceneError, match=r"sizes such as \(4, 16, 1\)"):
        Network(sizes)
