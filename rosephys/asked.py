"""What is asked for beside a scene: how many, how fast, of what; ArgumentError for what cannot be."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from .errors import ArgumentError
from .given import told


def whole(what: str, given: Any, least: int = 0) -> int:
    """A whole number, from the least on."""
    good = isinstance(given, (int, np.integer)) and not isinstance(given, bool)
    if not good or given < least:
        raise ArgumentError(f"{what}: wanted a whole number from {least} on, not {told(given)}")
    return int(given)


def above_zero(what: str, given: Any, most: float = math.inf) -> float:
    """A number above 0; it may be infinite where the most is."""
    number = isinstance(given, (int, float, np.number)) and not isinstance(given, bool)
    if not number or not 0 < float(given) <= most:
        raise ArgumentError(f"{what}: wanted a number above 0, not {told(given)}")
    return float(given)


def named(what: str, given: Any) -> Mapping[str, Any]:
    """Values by name."""
    if not isinstance(given, Mapping):
        raise ArgumentError(f"{what}: wanted a dict by names of fields, not {told(given)}")
    return given
