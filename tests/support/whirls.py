"""Taylor and Green's whirls, which decay in closed form."""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


def whirls(n: int, speed: float = 0.5) -> tuple[Array, Array]:
    """A velocity without divergence, in cells a step: Taylor and Green's."""
    x = 2 * np.pi * np.arange(n) / n
    return (
        speed * np.cos(x)[:, None] * np.sin(x),
        -speed * np.sin(x)[:, None] * np.cos(x),
    )
