"""Functions whose derivative remembers their arguments only, and computes the rest again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..ad.dependence import flow
from ..ad.linearity import is_linear
from ..ad.linearize import linearize_again
from ..base.tree import Structure
from ..ir.core import DerivativeRule, Function, Linearized
from ..ir.types import Type
from .custom import ruled
from .function import Fn, Specialised
from .python_function import as_fn


def checkpoint(f: Any) -> Fn:
    """f, whose derivative remembers its arguments only and computes the rest again: less memory, and one
    more run of f in the reverse pass. As `jax.checkpoint`."""
    return _Checkpointed(as_fn(f))


class _Checkpointed(Fn):
    def __init__(self, base: Fn) -> None:
        super().__init__(base.__name__)
        self.base = base

    def argument_types(self, structure: Structure, types: Sequence[Type]) -> Sequence[Type]:
        return self.base.argument_types(structure, types)

    def make(self, structure: Structure, types: Sequence[Type]) -> Specialised:
        base = self.base.specialise(structure, types)
        return ruled(base, [], lambda _: _Again(base.ir))


class _Again(DerivativeRule):
    """Remembers the arguments, and linearises again where the derivative is wanted."""

    def __init__(self, of: Function) -> None:
        self.of = of

    def flow(self, function: Function, mask: tuple[bool, ...]) -> tuple[bool, ...]:
        return flow(self.of, mask)[0]

    def is_linear(self, function: Function, mask: tuple[bool, ...]) -> bool:
        return is_linear(self.of, mask)

    def linearize(self, function: Function, mask: tuple[bool, ...]) -> Linearized:
        return linearize_again(self.of, mask)
