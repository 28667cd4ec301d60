"""Where a model holds: what a number of it may be at most, and which field to change where it is more.

A model states its limits as data, beside its equations; a scene collects those of its models:

    def limits(self, state): return (wave_limit(self.courant, self.damping),)

They are tested before a scene runs and along its motion (solve/guard.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

Number: TypeAlias = Any
"""A number: Python's, numpy's or traced; after a run an array, one for each step."""


@dataclass(frozen=True)
class Limit:
    """`value` may be `bound` at most, by the law that `name` names.

    `name` may have a place {} for each of `numbers`: "the CFL limit of waves at {} m/s". `value` is the `field`
    itself, unless `quantity` says what it is. `advice` is what to do, if that is not to make the field smaller.
    No derivative is taken of any of it.
    """

    name: str
    value: Number
    bound: Number
    field: str = "dt"
    quantity: str = ""
    advice: str = ""
    numbers: Sequence[Number] = ()

    @property
    def words(self) -> str:
        """What is over which limit, and what to do."""
        named = self.name.format(*(f"{float(number):.4g}" for number in self.numbers))
        what = self.quantity or self.field
        advice = self.advice or f"a smaller {self.field} is needed"
        return f"{what} {float(self.value):.3g} is over {named}, {float(self.bound):.3g}: {advice}"
