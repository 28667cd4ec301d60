"""A network of two tanh layers that drives muscles, as the robots of DiffTaichi have it (Hu et al., ICLR 2020).

    h = tanh(W1 senses + b1)    signals = tanh(W2 h + b2)

It sees a clock of sine waves, each a tenth of a turn ahead of the one before, and whatever else its scene gives
it. A scene has its weights as four controls, named by WEIGHTS.
"""

from __future__ import annotations

from typing import Annotated, Protocol

import numpy as np

import rose_ad as ra

from ..checked import checked
from ..quantities import Array, Axes, Count, Index, NumberOf, NumpyArray, Scalar

HIDDEN = 32
CLOCKS = 10
WEIGHTS = ("hidden_weights", "hidden_bias", "muscle_weights", "muscle_bias")


class Weighted(Protocol):
    """A scene with the weights (32, n), (k, 32) and biases (32,), (k,) of a network of n senses, k outputs."""

    hidden_weights: Annotated[Array, Axes(HIDDEN, "senses")]
    hidden_bias: Annotated[Array, Axes(HIDDEN)]
    muscle_weights: Annotated[Array, Axes("outputs", HIDDEN)]
    muscle_bias: Annotated[Array, Axes("outputs")]


@checked
def draw_weights(
    senses: Count, outputs: Count, gains: tuple[float, float]
) -> dict[str, NumpyArray]:
    """Weights of either layer drawn from a normal distribution of deviation gain · sqrt(2 / (32 + its other
    side)), always the same ones, and no bias."""
    draw = np.random.RandomState(0).standard_normal
    scale = [g * np.sqrt(2 / (HIDDEN + n)) for g, n in zip(gains, (senses, outputs), strict=True)]
    hidden = scale[0] * draw((HIDDEN, senses))
    return unbiased(hidden, scale[1] * draw((outputs, HIDDEN)))


@checked
def unbiased(
    hidden: Annotated[NumpyArray, Axes(HIDDEN, "senses")],
    muscle: Annotated[NumpyArray, Axes("outputs", HIDDEN)],
) -> dict[str, NumpyArray]:
    """Weights (32, senses) and (outputs, 32) as a scene's four controls, with biases of zero."""
    biases = np.zeros(len(hidden)), np.zeros(len(muscle))
    return dict(zip(WEIGHTS, (hidden, biases[0], muscle, biases[1]), strict=True))


@checked
def clock(phase: Scalar) -> Array:
    """The waves (10,) at a phase in radians: each is a sum of two, which saves eight sines."""
    ahead = 2 * np.pi / CLOCKS * np.arange(CLOCKS)
    return ra.sin(phase) * np.cos(ahead) + ra.cos(phase) * np.sin(ahead)


@checked
def signals(
    scene: Weighted,
    senses: Annotated[Array, Axes("senses")],
    muscles: Annotated[Array, Axes("k"), NumberOf("outputs")],
) -> Array:
    """What the scene's network tells its outputs `muscles` (k,), each between -1 and 1, given senses (n,)."""
    senses = ra.array(senses)
    hidden = ra.tanh(scene.hidden_weights @ senses + scene.hidden_bias)
    muscles, weights = ra.array(muscles), ra.array(scene.muscle_weights)
    bias = ra.array(scene.muscle_bias)

    def told(k: Index) -> Scalar:
        s, total = muscles[k], ra.accum()
        for i in ra.range(HIDDEN):  # one loop, where ra.dot would make all products first
            total += weights[s, i] * hidden[i]
        return total.freeze() + bias[s]

    return ra.tanh(ra.build(len(muscles), told))
