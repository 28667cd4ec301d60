"""What LLVM is told of accumulators: while a loop adds to one, nothing that it reads or makes lies there.

An array is never written again once it is made, so as long as an accumulator is open, its memory is no part of
an array. From the code alone that cannot be seen where both lie in the scratch arena. So each accumulator is an
alias scope; the adds of a loop are said to be in the scope, all else in the loop to be outside. It is said only
of accumulators with a place that nothing else ever uses, and only in loops while these are open.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from ..ir.core import Atom, Block, Var
from ..ir.ops import VIEWS
from ..ir.queries import instructions
from .module import Module


class Apart:
    """The accumulators of a function being written; `note` is appended to what the loop being written loads and
    stores elsewhere."""

    def __init__(self, module: Module) -> None:
        self.module = module
        self.placed: set[Var] = set()  # accumulators with a place of their own
        self.given: dict[Var, Atom] = {}  # by parameters of functions written where they are called
        self.note = ""
        self._scopes: dict[Var, str] = {}  # of accumulators that the loop being written adds to

    def root(self, ref: Atom) -> Atom:
        """The accumulator that a reference is, or is part of."""
        while isinstance(ref, Var):
            if ref in self.given:
                ref = self.given[ref]
            elif ref.instr is not None and ref.instr.op in VIEWS:
                ref = ref.instr.args[0]
            else:
                break
        return ref

    @contextmanager
    def loop(self, body: Block) -> Iterator[None]:
        """Write a loop with that body."""
        outside = self._scopes, self.note
        roots = (self.root(i.args[0]) for i in instructions(body) if i.op == "addto")
        new = [
            r
            for r in dict.fromkeys(roots)
            if isinstance(r, Var) and r in self.placed and r not in self._scopes
        ]
        if new:
            domain = self.module.alias_domain()
            made = {r: self.module.metadata(f"distinct !{{@SELF, {domain}}}") for r in new}
            self._scopes = self._scopes | made
            self.note = self._besides(None)
        yield
        self._scopes, self.note = outside

    def adding(self, ref: Atom) -> str:
        """What is appended to the load and the store that add to a reference."""
        root = self.root(ref)
        scope = self._scopes.get(root) if isinstance(root, Var) else None
        if scope is None:
            return ""
        return f", !alias.scope {self.module.metadata(f'!{{{scope}}}')}{self._besides(scope)}"

    def _besides(self, scope: str | None) -> str:
        others = ", ".join(s for s in self._scopes.values() if s != scope)
        return f", !noalias {self.module.metadata(f'!{{{others}}}')}" if others else ""
