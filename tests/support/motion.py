"""A motion by a method of integration."""

from __future__ import annotations

from typing import Any

import rose_ad as ra
from rosephys.physics.mechanics.integrators import METHODS


def rolled(method: str, acceleration: Any, x: Any, v: Any, time: Any, steps: int) -> Any:
    """Positions and velocities at a time, after that many steps."""

    def step(_: Any, state: Any) -> Any:
        return METHODS[method](acceleration, *state, time / steps)

    return ra.fori_loop(0, steps, step, (x, v))
