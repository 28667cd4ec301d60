"""Central differences of a loss: of each number of a control, of a large one along random directions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

BY_ENTRY = 4096  # numbers in a control that are differenced one by one
PROBES = 8  # directions in which a larger one is


def probes(control: np.ndarray[Any, Any]) -> np.ndarray[Any, Any] | None:
    """Random directions (PROBES, ...), each of length 1, in a control that is too large to be checked by entry;
    None for others."""
    if control.size <= BY_ENTRY:
        return None
    drawn = np.random.default_rng(0).standard_normal((PROBES, *control.shape))
    lengths = np.sqrt(np.sum(drawn**2, axis=tuple(range(1, drawn.ndim)), keepdims=True))
    return np.asarray(drawn / lengths)


def probed(gradient: Mapping[str, np.ndarray[Any, Any]]) -> dict[str, np.ndarray[Any, Any]]:
    """A gradient as `difference` gives it: along the probes where a control has any."""
    out = {}
    for name, slope in gradient.items():
        along = probes(slope)
        out[name] = slope if along is None else np.tensordot(along, slope, slope.ndim)
    return out


def difference(
    loss: Callable[[Mapping[str, Any]], float], name: str, values: Mapping[str, Any], step: float
) -> np.ndarray[Any, Any]:
    """The slopes of a loss in a control by central differences: of each number, or along the probes."""
    at = np.asarray(values[name], float)

    def slope(along: Any) -> float:
        sides = [loss({**values, name: at + h * along}) for h in (step, -step)]
        return (sides[0] - sides[1]) / (2 * step)

    directions = probes(at)
    if directions is not None:
        return np.array([slope(along) for along in directions])
    out = np.zeros_like(at)
    for k in np.ndindex(at.shape):
        along = np.zeros_like(at)
        along[k] = 1.0
        out[k] = slope(along)
    return out
