"""Rules: how a function is differentiated that says so itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..base.source import RoseError
from .core import Function
from .types import is_float

if TYPE_CHECKING:
    from ..ad.linearize import Linearized


class Rule:
    """The derivative of a function, in place of that of its block."""

    #: why the function may be transposed but not run, if so
    refusal: RoseError | None = None

    def flow(self, function: Function, mask: tuple[bool, ...]) -> tuple[bool, ...]:
        """Which results depend on the parameters in `mask`: by default all that can."""
        return tuple(any(mask) and is_float(r.type) for r in function.results)

    def linearize(self, function: Function, mask: tuple[bool, ...]) -> Linearized:
        """The linearisation in the parameters of `mask`."""
        raise NotImplementedError

    def transpose(self, function: Function, mask: tuple[bool, ...]) -> Function | None:
        """The transpose in the parameters of `mask`; None where that of its block is right."""
        return None

    def is_linear(self, function: Function, mask: tuple[bool, ...]) -> bool:
        """Whether the function is affine in the parameters of `mask`: by default, if its derivative remembers
        nothing of them."""
        from ..ad.linearity import remembers_nothing

        return remembers_nothing(function, mask)
