"""What a motion has to keep to: a number, or several, that must lie between a low and a high.

A scene states its constraints as data, along the way and at the end:

    def constraints(self, state, t): return (Constraint("rail", state.place, -1.0, 1.0),)
    def end_constraints(self, final): return (Constraint("upright", final.angle, math.pi, math.pi),)

An equality has its low and its high at one place. Controls have `bounds` instead, which are never left.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, TypeAlias

Numbers: TypeAlias = Any
"""A number or an array (k,): Python's, numpy's or traced; of a motion with an axis for its states before
that."""


@dataclass(frozen=True)
class Constraint:
    """`low <= value <= high`, for each number of `value`; `low` and `high` are numbers, or arrays like `value`.

    No derivative is taken of `low` and `high`: what a control moves belongs into `value`.
    """

    name: str
    value: Numbers
    low: Numbers = -math.inf
    high: Numbers = math.inf
