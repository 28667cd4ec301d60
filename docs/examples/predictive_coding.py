"""Predictive coding that is exactly backpropagation: zero-divergence inference learning (Z-IL).

Y. Song, T. Lukasiewicz, Z. Xu, R. Bogacz, "Can the brain do backpropagation? Exact implementation of
backpropagation in predictive coding networks", NeurIPS 2020; T. Salvatori, Y. Song, T. Lukasiewicz, R. Bogacz,
Z. Xu, "Predictive coding can do exact backpropagation on convolutional and recurrent neural networks", 2021.

Each layer l has values x_l, predicted from the layer before as W_l tanh(x_{l-1}), and the energy of its error

    E_l = |x_l - W_l tanh(x_{l-1})|² / 2.

The values start where every error is zero, the output is clamped to the target, and then values and weights
descend their own energies, with steps of 1 for the values. A layer needs only its neighbours. If the weights
of the layer t layers below the output change at inference step t and at no other, they change by exactly the
step that backpropagation takes on the loss |target - output|² / 2.
"""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

import rose_ad as ra

SIZES = (3, 6, 5, 1)  # of the inputs the last is always 1
RATE = 0.2


@ra.fn
def predicted(weights: Any, below: Any) -> Any:
    """A layer's values as the layer below predicts them."""
    return ra.matmul(weights, ra.tanh(below))


@ra.fn
def local_energy(weights: Any, below: Any, values: Any) -> Any:
    """E_l: half the square of a layer's error."""
    error = values - predicted(weights, below)
    return 0.5 * ra.sum(error * error)


@ra.fn
def loss(weights: Any, start: Any, target: Any) -> Any:
    """What backpropagation descends: half the square of the error of the output."""
    values = start
    for w in weights:
        values = predicted(w, values)
    error = target - values
    return 0.5 * ra.sum(error * error)


local_gradients = ra.grad(local_energy, argnums=(0, 1, 2))
backpropagated = ra.grad(loss)


def learn(weights: list[Any], start: Any, target: Any) -> tuple[list[Any], list[float]]:
    """One step of Z-IL: the weights' changes, and the total energy at each step of the inference."""
    values = [start]
    for w in weights:
        values.append(predicted(w, values[-1]))
    values[-1] = target
    weights, changes, energies = list(weights), [], []
    for t in range(len(weights)):
        pairs = list(zip(weights, values, values[1:], strict=False))
        energies.append(sum(float(local_energy(*pair)) for pair in pairs))
        by_weights, by_below, by_values = zip(*(local_gradients(*p) for p in pairs), strict=True)
        layer = len(weights) - 1 - t
        changes.insert(0, -RATE * by_weights[layer])
        weights[layer] = weights[layer] + changes[0]
        for k in range(1, len(values) - 1):  # input and output are held
            values[k] = values[k] - by_values[k - 1] - by_below[k]
    return changes, energies


def initial_weights(rng: np.random.Generator) -> list[Any]:
    return [rng.normal(0, 1 / np.sqrt(n), (m, n)) for n, m in itertools.pairwise(SIZES)]


def main() -> tuple[float, list[float]]:
    """Learn the parity of two signs; the largest difference from backpropagation, and the mean losses."""
    weights = initial_weights(np.random.default_rng(1))
    signs = [(a, b) for a in (-1.0, 1.0) for b in (-1.0, 1.0)]
    examples = [(np.array([a, b, 1.0]), np.array([a * b])) for a, b in signs]
    worst, losses = 0.0, []
    for epoch in range(100):
        losses.append(float(np.mean([loss(weights, x, y) for x, y in examples])))
        for x, y in examples:
            changes, energies = learn(weights, x, y)
            for change, gradient in zip(changes, backpropagated(weights, x, y), strict=True):
                worst = max(worst, float(np.abs(change + RATE * gradient).max()))
            weights = [w + change for w, change in zip(weights, changes, strict=True)]
        if epoch % 20 == 0:
            shown = ", ".join(f"{e:.4f}" for e in energies)
            print(f"epoch {epoch:3d}   loss {losses[-1]:.6f}   energies in one inference {shown}")
    print(f"loss at last {losses[-1]:.6f}")
    print(f"largest difference from the step of backpropagation {worst:.1e}")
    return worst, losses


if __name__ == "__main__":
    main()
