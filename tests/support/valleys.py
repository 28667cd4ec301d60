"""Losses for optimisers of arrays: Rosenbrock's curved valley, from where it is entered, and bounds."""

from __future__ import annotations

from typing import Any

import numpy as np

START = np.linspace(-1, 0.7, 10)


def rosenbrock(x: Any) -> tuple[float, Any]:
    rise = x[1:] - x[:-1] ** 2
    gradient = np.zeros_like(x)
    gradient[1:] += 200 * rise
    gradient[:-1] -= 400 * x[:-1] * rise + 2 * (1 - x[:-1])
    return float(np.sum(100 * rise**2 + (1 - x[:-1]) ** 2)), gradient


def bounded(low: float, high: float, size: int) -> tuple[Any, Any]:
    return np.full(size, low), np.full(size, high)
