"""Policies: from what is sensed (n,) to what is done (m,), by weights that are one array, a control of a scene.

Linear    a = W s + b
Pd        aᵢ = kᵢ (goalᵢ - qᵢ) - dᵢ q'ᵢ, of senses (q, q'), a proportional and derivative controller
Network   layers of tanh, and a last one that is linear (Cybenko, Math. Control Signals Systems 2, 1989); its
          first weights are those of Glorot and Bengio, AISTATS 2010

A policy is called with weights and senses, traced ones or arrays: `policy(self.weights, senses)` in a step.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

import rose_ad as ra

from ..errors import SceneError

Floats: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True)
class Linear:
    """`senses` numbers to `actions`, by a matrix and a constant; at first all are 0."""

    senses: int
    actions: int = 1

    @property
    def size(self) -> int:
        """How many weights there are."""
        return self.actions * (self.senses + 1)

    def first(self, seed: int = 0) -> Floats:
        """Weights to begin with, (size,)."""
        return np.zeros(self.size)

    def parts(self, weights: Any) -> dict[str, Any]:
        """The weights by what they are: `weights` (actions, senses) and `bias` (actions,)."""
        cut = self.actions * self.senses
        return {
            "weights": ra.reshape(weights[:cut], (self.actions, self.senses)),
            "bias": weights[cut:],
        }

    def __call__(self, weights: Any, senses: Any) -> Any:
        parts = self.parts(weights)
        return ra.matmul(parts["weights"], senses) + parts["bias"]


@dataclass(frozen=True)
class Pd:
    """A spring and a damper on each of `joints` angles or places, towards `goal` (joints,)."""

    joints: int
    goal: tuple[float, ...] | float = 0.0
    stiffness: float = 1.0
    damping: float = 0.1

    @property
    def size(self) -> int:
        """How many weights there are."""
        return 2 * self.joints

    def first(self, seed: int = 0) -> Floats:
        """Weights to begin with, (size,): `stiffness` and `damping`."""
        return np.repeat([self.stiffness, self.damping], self.joints)

    def parts(self, weights: Any) -> dict[str, Any]:
        """The weights by what they are, (joints,) each."""
        return {"stiffness": weights[: self.joints], "damping": weights[self.joints :]}

    def __call__(self, weights: Any, senses: Any) -> Any:
        parts = self.parts(weights)
        off = np.broadcast_to(self.goal, (self.joints,)) - senses[: self.joints]
        return parts["stiffness"] * off - parts["damping"] * senses[self.joints :]


@dataclass(frozen=True)
class Network:
    """Layers of these `sizes`, the senses first and the actions last, with tanh between them."""

    sizes: tuple[int, ...]

    def __post_init__(self) -> None:
        """Raises SceneError for fewer than two sizes, or one below 1."""
        if len(self.sizes) < 2 or not all(isinstance(n, int) and n > 0 for n in self.sizes):
            raise SceneError(f"a network has sizes such as (4, 16, 1), not {self.sizes}")

    @property
    def size(self) -> int:
        """How many weights there are."""
        return sum((a + 1) * b for a, b in self._layers)

    @property
    def _layers(self) -> list[tuple[int, int]]:
        return list(zip(self.sizes[:-1], self.sizes[1:], strict=True))

    def first(self, seed: int = 0) -> Floats:
        """Weights to begin with, (size,), drawn from `seed`; constants are 0."""
        random = np.random.default_rng(seed)
        rows = []
        for a, b in self._layers:
            reach = np.sqrt(6.0 / (a + b))
            rows += [random.uniform(-reach, reach, a * b), np.zeros(b)]
        return np.concatenate(rows)

    def parts(self, weights: Any) -> dict[str, Any]:
        """The weights by what they are: `weights0` (b, a), `bias0` (b,), and so on."""
        found: dict[str, Any] = {}
        at = 0
        for k, (a, b) in enumerate(self._layers):
            found[f"weights{k}"] = ra.reshape(weights[at : at + a * b], (b, a))
            found[f"bias{k}"] = weights[at + a * b : at + (a + 1) * b]
            at += (a + 1) * b
        return found

    def __call__(self, weights: Any, senses: Any) -> Any:
        parts, signal = self.parts(weights), senses
        for k in range(len(self._layers)):
            signal = ra.matmul(parts[f"weights{k}"], signal) + parts[f"bias{k}"]
            if k < len(self._layers) - 1:
                signal = ra.tanh(signal)
        return signal


Policy: TypeAlias = "Linear | Pd | Network"
KINDS: Mapping[str, type[Linear] | type[Pd] | type[Network]] = {
    "linear": Linear,
    "pd": Pd,
    "network": Network,
}
