"""The IR: first-order functions over scalars, static arrays and accumulators, in structured SSA form.

    values      prim(op, scalars) · index · check · pack · reshape · call(fn, args) · host(f, args)
    control     build(n; i. block) · scan(n, carries; i, c. block) · cond(p; then, else)
                while(carries; i, c. block, test) · rewind(carries, cts; i, c. block, i, c, ct. block)
    effect      accum(type) · addto(ref, value) · freeze(ref)

Constants are atoms, not instructions. Blocks see the variables of the blocks around them; functions are
closed. Every structured instruction has any number of results, so there are no tuples. What each takes:

    index   (array or ref, i)       i is in range: proved, or the result of a check
    check   (i,)                    attr n; i itself where 0 <= i < n, else the run is marked as failed here
    pack    (x0, x1, ...)           an array of these elements
    reshape (array or ref,)         attr shape: the same entries, in the same order
    build   () or (lo, hi)          attr n; block (i) -> rows. With bounds lo, hi it has no results: it is
                                    run for its effects. Where n is a Lanes, it is to be run in SIMD lanes
    filter  () or (lo, hi)          attr n; block (i) -> (keep, rows). A build that also lists iterations: those
                                    for which `keep` holds, in order, and maybe more. Results: the list, of n
                                    indices of which only the first so many are made; how many; the rows
    scan    (carry, ...)            attr Steps; block (i, carries) -> (carries, ys). Where it is counted, the
                                    first argument is the number of steps, at most n; rows of ys beyond are
                                    not made
    while   (carry, ...)            attr n, a bound on the steps; blocks (i, carries) -> (carries, ys) and the
                                    test (carries) -> Bool. Results: carries, ys, the number of steps
    rewind  (carry, ..., ct, ...)   attr Steps, that of a scan; blocks (i, carries) -> carries and
                                    (i, carries, cts) -> cts. Through the steps of that scan backwards: the
                                    second block runs with the carries that the step started with, found again
                                    by the first from those kept in `slots` places. Results: cts
    cond    (p,)                    blocks () -> results; only one of them runs
    call    (args)                  attr Function
    host    (args)                  attr Host, a Python function that the run calls back
    accum   () or (initial,)        a reference, zero or holding a copy of `initial`
    addto   (ref, value)            the only effect; adds commute, so their order has no meaning
    freeze  (ref,)                  its value; the reference is not used after
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import numpy as np

from ..rewrite.strategy import in_force
from .types import F32, F64, Array, Bool, Scalar, Type, scalar_of

if TYPE_CHECKING:
    from .rule import Rule

UNBOUNDED = 2**62  # steps of a while loop that has no bound; nothing is stacked for each of them


class Steps(NamedTuple):
    """How a scan runs: through 0 .. n - 1, or the other way; `counted`, through the first of them only.

    `slots` is how many of its carries a reverse pass may keep, 0 for all of them (see `rewind`); `budget` is
    the bytes that it may remember, 0 for any number.
    """

    n: int
    reverse: bool = False
    counted: bool = False
    slots: int = 0
    budget: int = 0


class Lanes(int):
    """The length of a build whose iterations are to be run side by side, in the lanes of SIMD registers.

    It is a number like any other, so what copies or derives a build keeps the mark unseen. Only lowering
    looks at it; what the build means is the same.
    """

    __slots__ = ()


class Var:
    """A value defined once: a block's parameter or an instruction's result."""

    __slots__ = ("block", "instr", "range", "type")

    def __init__(self, type: Type, block: Block) -> None:
        self.type, self.block = type, block
        self.instr: Instr | None = None  # what defines it; None for a parameter
        self.range: tuple[int, int] | None = None  # of a loop's index: its least and greatest value

    def __repr__(self) -> str:
        return f"%{id(self) & 0xFFFF:x}:{self.type!r}"


def rounded(x: float) -> float:
    """The nearest single-precision number, an infinity beyond the largest."""
    with np.errstate(over="ignore"):
        return float(np.float32(x))


class Const:
    """A literal: a Python number for scalar types, a read-only numpy array for array types."""

    __slots__ = ("_key", "type", "value")

    def __init__(self, value: Any, type: Type) -> None:
        self.type = type
        self.value: Any
        if isinstance(type, Scalar):
            if type is Bool:
                self.value = bool(value)
            elif type is F64 or type is F32:
                self.value = rounded(value) if type is F32 else float(value)
            else:
                self.value = int(value)
            # by bits, so that 0.0 is not -0.0 and nan is itself
            bits = struct.pack("d", self.value) if isinstance(self.value, float) else self.value
            self._key: tuple[Any, ...] = (type.name, bits)
        else:
            with np.errstate(over="ignore"):
                self.value = np.array(value, scalar_of(type).dtype, order="C")  # not the caller's
            self.value.flags.writeable = False
            self._key = (type, self.value.tobytes())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Const) and self._key == other._key

    def __hash__(self) -> int:
        return hash(self._key)

    def __repr__(self) -> str:
        return f"{self.value!r}:{self.type!r}"


class Unset(Const):
    """An array of any entries, of which none is read: nothing is written where one is to lie. The interpreter
    takes zeros."""

    __slots__ = ()

    def __init__(self, type: Array) -> None:
        self.type = type
        self.value = np.broadcast_to(np.zeros((), scalar_of(type).dtype), type.shape)
        self._key = (type, "unset")


Atom: TypeAlias = "Var | Const"


class Instr:
    """One instruction; see the module's table for what each `op` takes."""

    __slots__ = ("args", "attr", "blocks", "loc", "op", "outs")

    def __init__(
        self,
        op: str,
        args: tuple[Atom, ...],
        attr: Any,
        blocks: tuple[Block, ...],
        outs: tuple[Var, ...],
        loc: int,
    ) -> None:
        self.op, self.args, self.attr = op, args, attr
        self.blocks, self.outs, self.loc = blocks, outs, loc


class Block:
    """Parameters, instructions in order, and results."""

    __slots__ = ("instrs", "params", "results")

    def __init__(self) -> None:
        self.params: list[Var] = []
        self.instrs: list[Instr] = []
        self.results: tuple[Atom, ...] = ()

    def param(self, type: Type) -> Var:
        """A new parameter of that type."""
        v = Var(type, self)
        self.params.append(v)
        return v


class Function:
    """A closed function. `derived` keeps what transformations made of it, so that each is made once; `rule`,
    if there is one, says how it is differentiated, in place of its block; `schedule` is that by which it was
    made, and by which its derivatives are."""

    __slots__ = ("block", "derived", "loc", "name", "rule", "schedule")

    def __init__(self, name: str, block: Block, loc: int, rule: Rule | None = None) -> None:
        self.name, self.block, self.loc, self.rule = name, block, loc, rule
        self.schedule = in_force()
        self.derived: dict[Any, Any] = {}

    @property
    def params(self) -> list[Var]:
        return self.block.params

    @property
    def results(self) -> tuple[Atom, ...]:
        return self.block.results

    def __repr__(self) -> str:
        return f"<{self.name}>"

    def __str__(self) -> str:
        from .text import show_program

        return show_program(self)

    def __reduce__(self) -> Any:
        from .pickling import reduced

        return reduced(self)


def carried(instr: Instr) -> tuple[Atom, ...]:
    """The initial carries of a scan, while or rewind."""
    return instr.args[1:] if counts(instr) else instr.args


def counts(instr: Instr) -> tuple[Atom, ...]:
    """The number of steps of a counted scan or rewind, nothing for others."""
    counted = instr.op in {"scan", "rewind"} and instr.attr.counted
    return instr.args[:1] if counted else ()


def instructions(block: Block) -> Iterator[Instr]:
    """Every instruction of the block and of the blocks inside it, outermost first."""
    for instr in block.instrs:
        yield instr
        for inner in instr.blocks:
            yield from instructions(inner)


def uses(instr: Instr) -> Iterator[Var]:
    """The variables an instruction reads, those its blocks read included, whether its own or not."""
    for a in instr.args:
        if isinstance(a, Var):
            yield a
    for block in instr.blocks:
        yield from block_uses(block)


def block_uses(block: Block) -> Iterator[Var]:
    """The variables that are read inside a block."""
    for instr in block.instrs:
        yield from uses(instr)
    for a in block.results:
        if isinstance(a, Var):
            yield a


def users_of(variables: set[Var], block: Block) -> dict[Var, list[Instr]]:
    """The instructions of a block, in order, that use each of these variables, in blocks inside them too."""
    out: dict[Var, list[Instr]] = {v: [] for v in variables}
    if out:
        for instr in block.instrs:
            _note_user(instr, instr, out)
    return out


def _note_user(instr: Instr, user: Instr, out: dict[Var, list[Instr]]) -> None:
    _note_atoms(instr.args, user, out)
    for block in instr.blocks:
        for inner in block.instrs:
            _note_user(inner, user, out)
        _note_atoms(block.results, user, out)


def _note_atoms(atoms: tuple[Atom, ...], user: Instr, out: dict[Var, list[Instr]]) -> None:
    for a in atoms:
        if type(a) is Var and a in out:
            users = out[a]
            if not users or users[-1] is not user:
                users.append(user)


def free_variables(block: Block) -> dict[Var, None]:
    """The variables a block reads that are defined outside it, in order of first use."""
    own: set[Var] = set()
    free: dict[Var, None] = {}

    def visit(b: Block) -> None:
        own.update(b.params)
        for instr in b.instrs:
            for a in instr.args:
                if isinstance(a, Var) and a not in own:
                    free.setdefault(a)
            for inner in instr.blocks:
                visit(inner)
            own.update(instr.outs)
        for a in b.results:
            if isinstance(a, Var) and a not in own:
                free.setdefault(a)

    visit(block)
    return free


def callees(function: Function) -> list[Function]:
    """The function and all it calls, directly or not, callees first."""
    seen: dict[Function, None] = {}

    def visit(f: Function) -> None:
        if f in seen:
            return
        for instr in instructions(f.block):
            if instr.op == "call":
                visit(instr.attr)
        seen[f] = None

    visit(function)
    return list(seen)


def zero(type: Scalar) -> Const:
    """The zero of a scalar type."""
    return Const(0, type)


def root_of(ref: Atom) -> Var:
    """The whole reference that a reference is part of: an accum's result or a parameter."""
    while isinstance(ref, Var) and ref.instr is not None and ref.instr.op in {"index", "reshape"}:
        ref = ref.instr.args[0]
    assert isinstance(ref, Var)
    return ref


def is_zero(a: Atom) -> bool:
    """Whether an atom is literally zero (either sign)."""
    return isinstance(a, Const) and not isinstance(a.type, Array) and a.value == 0
