"""Emitting IR. Everything that makes instructions (tracing, transformations, rewriting) goes through `emit`.

The local rules of the schedule in force are applied at the moment of emission and equal pure instructions
are shared, so SSA order being bottom-up order, one pass reaches the rules' innermost normal form. A pure
instruction is placed in the outermost block that has its operands, passing through loops but never out of a
branch: what a loop does not change is computed before it, what a branch may skip stays inside.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

from ..base.source import UNKNOWN
from .core import Atom, Block, Const, Instr, Steps, Var
from .host import Host
from .in_force import in_force
from .prims import TABLE, result_type
from .types import I64, Array, Ref, Scalar, Type, array_type, element, scalar_of, value_type

Kind = Literal["function", "loop", "branch"]
_VALUES = frozenset({"index", "pack", "reshape"})


class Builder:
    """Emits into one block. `loc` (shared by all builders of one function) is the location that new
    instructions get."""

    __slots__ = ("_known", "block", "kind", "parent", "root", "root_loc", "rules")

    def __init__(self, parent: Builder | None = None, kind: Kind = "function") -> None:
        self.block = Block()
        self.parent, self.kind = parent, kind
        self.root: Builder = self if parent is None else parent.root
        self._known: dict[tuple[Any, ...], Var] = {}
        self.rules: Mapping[str, tuple[Callable[..., Atom | None], ...]] = (
            in_force().table if parent is None else parent.rules
        )
        if parent is None:
            self.root_loc = UNKNOWN

    @property
    def loc(self) -> int:
        return self.root.root_loc

    @loc.setter
    def loc(self, location: int) -> None:
        self.root.root_loc = location

    # ------------------------------------------------------------------------------------ values

    def prim(self, name: str, *args: Atom) -> Atom:
        """A scalar primitive, simplified, shared and hoisted."""
        for rule in self.rules[name]:
            simpler = rule(self, *args)
            if simpler is not None:
                return simpler
        t = result_type(TABLE[name], [a.type for a in args])
        return self._pure(name, args, None, t)

    def index(self, a: Atom, i: Atom) -> Atom:
        """`a[i]`: an entry or row of an array, or a reference to part of a reference."""
        for rule in self.rules["index"]:
            simpler = rule(self, a, i)
            if simpler is not None:
                return simpler
        return self._pure("index", (a, i), None, element(a.type))

    def check(self, i: Atom, n: int) -> Atom:
        """`i`, known to be in [0, n) from here on; the run fails at this location where it is not."""
        for rule in self.rules["check"]:
            simpler = rule(self, i, n)
            if simpler is not None:
                return simpler
        key = ("check", n, i)
        scope: Builder | None = self
        while scope is not None:
            if key in scope._known:
                return scope._known[key]
            scope = scope.parent
        var = self._known[key] = self._append("check", (i,), n, (), (I64,))[0]
        return var

    def pack(self, elements: Sequence[Atom]) -> Atom:
        """An array of these elements."""
        assert elements
        for rule in self.rules["pack"]:
            simpler = rule(self, *elements)
            if simpler is not None:
                return simpler
        first = elements[0].type
        assert not isinstance(first, Ref)
        return self._pure("pack", tuple(elements), None, Array(len(elements), first))

    def reshape(self, a: Atom, shape: tuple[int, ...]) -> Atom:
        """An array, or a reference to one, seen with another shape of as many entries."""
        for rule in self.rules["reshape"]:
            simpler = rule(self, a, shape)
            if simpler is not None:
                return simpler
        new = array_type(shape, scalar_of(value_type(a.type)))
        return self._pure("reshape", (a,), shape, Ref(new) if isinstance(a.type, Ref) else new)

    def _pure(self, op: str, args: tuple[Atom, ...], attr: Any, type: Type) -> Var:
        home = self
        while home.parent is not None and home.kind == "loop" and not home._defines(args):
            home = home.parent
        key = (op, attr, *args)
        scope: Builder | None = home
        while scope is not None:
            known = scope._known.get(key)
            if known is not None:
                return known
            scope = scope.parent
        var = home._known[key] = Var(type, home.block)
        var.instr = Instr(op, args, attr, (), (var,), self.root.root_loc)
        home.block.instrs.append(var.instr)
        return var

    def _defines(self, args: tuple[Atom, ...]) -> bool:
        for a in args:
            if type(a) is Var and a.block is self.block:
                return True
        return False

    def _append(
        self,
        op: str,
        args: tuple[Atom, ...],
        attr: Any,
        blocks: tuple[Block, ...],
        types: Sequence[Type],
    ) -> tuple[Var, ...]:
        outs = tuple(Var(t, self.block) for t in types)
        instr = Instr(op, args, attr, blocks, outs, self.loc)
        for v in outs:
            v.instr = instr
        self.block.instrs.append(instr)
        return outs

    # ----------------------------------------------------------------------------------- effects

    def accum(self, type: Type, initial: Atom | None = None) -> Var:
        """A new reference, zero or holding a copy of `initial`."""
        assert not isinstance(type, Ref)
        return self._append("accum", () if initial is None else (initial,), type, (), (Ref(type),))[
            0
        ]

    def addto(self, ref: Atom, value: Atom) -> None:
        """`ref += value`, elementwise for arrays."""
        for rule in self.rules["addto"]:
            if rule(self, ref, value) is not None:
                return
        self._append("addto", (ref, value), None, (), ())

    def freeze(self, ref: Atom) -> Var:
        """The value of a reference, which is not used afterwards."""
        assert isinstance(ref.type, Ref)
        return self._append("freeze", (ref,), None, (), (ref.type.of,))[0]

    def zeros(self, type: Type) -> Atom:
        """The zero of any value type."""
        if isinstance(type, Scalar):
            return Const(0, type)
        return self.freeze(self.accum(type))

    # ----------------------------------------------------------------------------------- control

    def loop(self, low: int, high: int) -> Builder:
        """A builder for the body of a build or scan whose index lies in [low, high]."""
        inner = Builder(self, "loop")
        inner.block.param(I64).range = (low, high)
        return inner

    def test(self) -> Builder:
        """A builder for the test of a while loop in this block."""
        return Builder(self, "loop")

    def branch(self) -> Builder:
        """A builder for one side of a cond in this block."""
        return Builder(self, "branch")

    def build(self, n: int, body: Block, bounds: tuple[Atom, ...] = ()) -> tuple[Atom, ...]:
        """`n` independent runs of `body`, whose rows become arrays; see the module `ir`.

        A row that a rule knows the array of makes no new array.
        """
        same = [self._known_array(r, body, n) for r in body.results]
        body.results = tuple(r for r, a in zip(body.results, same, strict=True) if a is None)
        types = [Array(n, r.type) for r in body.results]
        if not types and all(i.op in TABLE or i.op in _VALUES for i in body.instrs):
            return tuple(a for a in same if a is not None)  # nothing is left for it to do
        made = iter(self._append("build", bounds, n, (body,), types))
        return tuple(next(made) if a is None else a for a in same)

    def _known_array(self, row: Atom, body: Block, n: int) -> Atom | None:
        """The array that a build makes of a row of its body, if a rule knows one."""
        for rule in self.rules["row"]:
            known = rule(self, row, body, n)
            if known is not None:
                return known
        return None

    def filter(self, n: int, body: Block, bounds: tuple[Atom, ...] = ()) -> tuple[Var, ...]:
        """`n` runs of `body`, with a list of those whose first result holds; see the module `ir`."""
        rows = [Array(n, r.type) for r in body.results[1:]]
        outs = self._append("filter", bounds, n, (body,), [Array(n, I64), I64, *rows])
        outs[1].range = (0, n)
        return outs

    def scan(
        self, steps: Steps, carries: Sequence[Atom], body: Block, count: Sequence[Atom] = ()
    ) -> tuple[Var, ...]:
        """Runs of `body` in order, each given the carries of the one before; `count` of them if counted."""
        k = len(carries)
        types = [c.type for c in carries] + [Array(steps.n, r.type) for r in body.results[k:]]
        return self._append("scan", (*count, *carries), steps, (body,), types)

    def rewind(
        self, steps: Steps, args: Sequence[Atom], step: Block, back: Block
    ) -> tuple[Var, ...]:
        """The steps of a scan backwards; `args` are the count if counted, the carries and the cotangents."""
        return self._append(
            "rewind", tuple(args), steps, (step, back), [r.type for r in back.results]
        )

    def loop_while(
        self, n: int, carries: Sequence[Atom], body: Block, test: Block
    ) -> tuple[Var, ...]:
        """Runs of `body` while `test` holds, at most `n`; the last result is how many there were."""
        k = len(carries)
        types = [c.type for c in carries] + [Array(n, r.type) for r in body.results[k:]]
        outs = self._append("while", tuple(carries), n, (body, test), [*types, I64])
        outs[-1].range = (0, n)
        return outs

    def cond(self, predicate: Atom, then: Block, otherwise: Block) -> tuple[Var, ...]:
        """The results of the one side that runs."""
        types = [r.type for r in then.results]
        return self._append("cond", (predicate,), None, (then, otherwise), types)

    def call(self, function: Any, args: Sequence[Atom]) -> tuple[Var, ...]:
        """The results of a function."""
        return self._append("call", tuple(args), function, (), [r.type for r in function.results])

    def host(self, f: Host, args: Sequence[Atom]) -> tuple[Var, ...]:
        """The results of a Python function."""
        return self._append("host", tuple(args), f, (), f.results)
