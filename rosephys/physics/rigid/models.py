"""The models of contact between rigid bodies, each `step(world, state, dt)`, and when to take which.

    impulses   rigid, with restitution, impacts at their instant, and joints; the derivative jumps where
               contacts are gained or lost. The default.
    implicit   compliant, as stiff as one likes at any step, with joints; all contacts are one solution, through
               which it is differentiated, at the price of a dense system of three unknowns a body.
    penalty    compliant, without restitution; the motion has a derivative nearly everywhere, of a softer world,
               at the price of many short steps.

Each says in its file which derivative it gives; docs/contact.md has their errors.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from ..quantities import Scalar
from . import implicit, impulses, penalty
from .bodies import Bodies, World

Model: TypeAlias = Callable[[World, Bodies, Scalar], Bodies]

MODELS: dict[str, Model] = {
    "impulses": impulses.step,
    "implicit": implicit.step,
    "penalty": penalty.step,
}
