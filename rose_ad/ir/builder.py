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
from .core import Atom, Attribute, Block, Const, Function, Instr, Span, Steps, Var
from .host import Host
from .in_force import in_force
from .ops import VALUES
from .prims import TABLE, made_types
from .types import I64, Ref, Scalar, Type

Kind = Literal["function", "loop", "branch"]


class Builder:
    """Emits into one block. `loc` (shared by all builders of one function) is the location that new
    instructions get."""

    __slots__ = (
        "_known", "block", "kind", "parent", "root", "root_first", "root_loc", "root_numbers", "rules"
    )  # fmt: skip

    def __init__(
        self, parent: Builder | None = None, kind: Kind = "function", block: Block | None = None
    ) -> None:
        self.block = Block() if block is None else block  # to the end of which it emits
        self.parent, self.kind = parent, kind
        self.root: Builder = self if parent is None else parent.root
        self._known: dict[
            int, Var
        ] = {}  # what is shared, by the number of what makes it: compared once, not in each block
        self.rules: Mapping[str, tuple[Callable[..., Atom | None], ...]] = (
            in_force().table if parent is None else parent.rules
        )
        if parent is None:
            self.root_loc, self.root_first = UNKNOWN, False
            self.root_numbers: dict[tuple[Any, ...], int] = {}

    @property
    def loc(self) -> int:
        return self.root.root_loc

    @loc.setter
    def loc(self, location: int) -> None:
        self.root.root_loc = location

    @property
    def never_runs(self) -> bool:
        """Whether the block is in a loop that has no iterations."""
        low, high = (self.block.params[0].range if self.block.params else None) or (0, 0)
        if self.kind == "loop" and high < low:
            return True
        return self.parent is not None and self.parent.never_runs

    @property
    def first(self) -> bool:
        """Whether what is emitted is the first derivative of a function that is none itself."""
        return self.root.root_first

    # ------------------------------------------------------------------------------------ values

    def prim(self, name: str, *args: Atom) -> Atom:
        """A scalar primitive, simplified, shared and hoisted."""
        for rule in self.rules[name]:
            simpler = rule(self, *args)
            if simpler is not None:
                return simpler
        return self._value(name, args)

    def index(self, a: Atom, i: Atom) -> Atom:
        """`a[i]`: an entry or row of an array, or a reference to part of a reference."""
        for rule in self.rules["index"]:
            simpler = rule(self, a, i)
            if simpler is not None:
                return simpler
        return self._value("index", (a, i))

    def check(self, i: Atom, n: int) -> Atom:
        """`i`, known to be in [0, n) from here on; the run fails at this location where it is not."""
        for rule in self.rules["check"]:
            simpler = rule(self, i, n)
            if simpler is not None:
                return simpler
        number, known = self._look_up("check", n, i)
        if known is not None:
            return known
        (var,) = self._append("check", (i,), n)
        self._known[number] = var
        return var

    def pack(self, elements: Sequence[Atom]) -> Atom:
        """An array of these elements."""
        assert elements
        for rule in self.rules["pack"]:
            simpler = rule(self, *elements)
            if simpler is not None:
                return simpler
        return self._value("pack", tuple(elements))

    def reshape(self, a: Atom, shape: tuple[int, ...]) -> Atom:
        """An array, or a reference to one, seen with another shape of as many entries."""
        for rule in self.rules["reshape"]:
            simpler = rule(self, a, shape)
            if simpler is not None:
                return simpler
        return self._value("reshape", (a,), shape)

    def join(self, pieces: Sequence[Atom]) -> Atom:
        """An array of the entries of these scalars and arrays of one axis, end to end."""
        for rule in self.rules["join"]:
            simpler = rule(self, *pieces)
            if simpler is not None:
                return simpler
        return self._value("join", tuple(pieces))

    def slice(self, a: Atom, span: Span) -> Atom:
        """Entries of an array of one axis, or of a reference to one, end to end."""
        for rule in self.rules["slice"]:
            simpler = rule(self, a, span)
            if simpler is not None:
                return simpler
        return self._value("slice", (a,), span)

    def _value(self, op: str, args: tuple[Atom, ...], attr: Attribute = None) -> Var:
        """A primitive or value: an equal one that is in sight, or a new one, as far out as it may stand."""
        home = self
        while home.parent is not None and home.kind == "loop" and not home._defines(args):
            home = home.parent
        number, known = home._look_up(op, attr, *args)
        if known is not None:
            return known
        instr = Instr(op, args, attr, (), (), self.root.root_loc)
        (var,) = _with_results(instr, home.block)
        home._known[number] = var
        return var

    def _look_up(self, *key: Any) -> tuple[int, Var | None]:
        """The number of what makes a value, and the value if it was made before in a block that is in sight."""
        numbers = self.root.root_numbers
        fresh = len(numbers)
        number = numbers.setdefault(key, fresh)
        scope: Builder | None = None if number == fresh else self
        while scope is not None:
            known = scope._known.get(number)
            if known is not None:
                return number, known
            scope = scope.parent
        return number, None

    def _defines(self, args: tuple[Atom, ...]) -> bool:
        for a in args:
            if type(a) is Var and a.block is self.block:
                return True
        return False

    def _append(
        self,
        op: str,
        args: Sequence[Atom],
        attr: Attribute = None,
        blocks: tuple[Block, ...] = (),
    ) -> tuple[Var, ...]:
        return _with_results(Instr(op, tuple(args), attr, blocks, (), self.loc), self.block)

    # ----------------------------------------------------------------------------------- effects

    def accum(self, type: Type, initial: Atom | None = None) -> Var:
        """A new reference, zero or holding a copy of `initial`."""
        assert not isinstance(type, Ref)
        return self._append("accum", () if initial is None else (initial,), type)[0]

    def addto(self, ref: Atom, value: Atom) -> None:
        """`ref += value`, elementwise for arrays."""
        for rule in self.rules["addto"]:
            if rule(self, ref, value) is not None:
                return
        self._append("addto", (ref, value))

    def freeze(self, ref: Atom) -> Var:
        """The value of a reference, which is not used afterwards."""
        assert isinstance(ref.type, Ref)
        return self._append("freeze", (ref,))[0]

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
        """`n` independent runs of `body`, whose rows become arrays; see `ops`.

        A row that a rule knows the array of makes no new array.
        """
        same = [self._known_array(r, body, n) for r in body.results]
        body.results = tuple(r for r, a in zip(body.results, same, strict=True) if a is None)
        if not body.results and all(i.op in TABLE or i.op in VALUES for i in body.instrs):
            return tuple(a for a in same if a is not None)  # nothing is left for it to do
        made = iter(self._append("build", bounds, n, (body,)))
        return tuple(next(made) if a is None else a for a in same)

    def _known_array(self, row: Atom, body: Block, n: int) -> Atom | None:
        """The array that a build makes of a row of its body, if a rule knows one."""
        for rule in self.rules["row"]:
            known = rule(self, row, body, n)
            if known is not None:
                return known
        return None

    def filter(self, n: int, body: Block, bounds: tuple[Atom, ...] = ()) -> tuple[Var, ...]:
        """`n` runs of `body`, with a list of those whose first result holds; see `ops`."""
        outs = self._append("filter", bounds, n, (body,))
        outs[1].range = (0, n)
        return outs

    def scan(
        self, steps: Steps, carries: Sequence[Atom], body: Block, count: Sequence[Atom] = ()
    ) -> tuple[Var, ...]:
        """Runs of `body` in order, each given the carries of the one before; `count` of them if counted."""
        return self._append("scan", (*count, *carries), steps, (body,))

    def rewind(
        self, steps: Steps, args: Sequence[Atom], step: Block, back: Block
    ) -> tuple[Var, ...]:
        """The steps of a scan backwards; `args` are the count if counted, the carries and the cotangents."""
        return self._append("rewind", args, steps, (step, back))

    def loop_while(
        self, n: int, carries: Sequence[Atom], body: Block, test: Block
    ) -> tuple[Var, ...]:
        """Runs of `body` while `test` holds, at most `n`; the last result is how many there were."""
        outs = self._append("while", carries, n, (body, test))
        outs[-1].range = (0, n)
        return outs

    def cond(self, predicate: Atom, then: Block, otherwise: Block) -> tuple[Var, ...]:
        """The results of the one side that runs."""
        return self._append("cond", (predicate,), None, (then, otherwise))

    def call(self, function: Function, args: Sequence[Atom]) -> tuple[Var, ...]:
        """The results of a function."""
        return self._append("call", args, function)

    def host(self, f: Host, args: Sequence[Atom]) -> tuple[Var, ...]:
        """The results of a Python function."""
        return self._append("host", args, f)


def _with_results(instr: Instr, block: Block) -> tuple[Var, ...]:
    """Put an instruction at the end of a block, and make its results."""
    outs = instr.outs = tuple([Var(t, block) for t in made_types(instr)])
    for v in outs:
        v.instr = instr
    block.instrs.append(instr)
    return outs
