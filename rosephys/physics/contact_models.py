"""The models of contact between rigid bodies, each `step(world, state, dt)`, and when to take which.

    impulses   rigid, with restitution, impacts at their instant, and joints; the derivative jumps where
    contacts
               are gained or lost. The default.
    penalty    compliant, without restitution; the motion has a derivative nearly everywhere, of a softer world,
               at the price of many short steps.

Each says in its file which derivative it gives, and with what error.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from . import impulses, penalty
from .bodies import Bodies, World

Model = Callable[[World, Bodies, Any], Bodies]

MODELS: dict[str, Model] = {"impulses": impulses.step, "penalty": penalty.step}
