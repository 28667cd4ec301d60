"""The instructions: one table, one row each, as `prims` has the scalar primitives.

A row says what an instruction takes, which attribute it has (a property of `Instr`), its blocks, its effect and
the types of its results; emitting, parsing and verifying compute these from here. What is done to instructions
is done by visitors, which have a method for each: a visitor that lacks one cannot be defined. So a new
instruction is a row here, a method of the builder that emits it, and a method of each visitor.

Blocks see the variables of the blocks around them. Structured instructions have any number of results, so there
are no tuples.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, TypeAlias

from .core import Atom, Instr
from .types import I64, Array, Ref, Type, array_type, element, scalar_of

# what an instruction does besides making its results: nothing; it may mark the run as failed; it calls Python
# back; it makes, adds to or reads an accumulator; what its blocks, or the function that it calls, do
Effect: TypeAlias = Literal["none", "check", "host", "accumulator", "blocks", "callee"]


@dataclass(frozen=True, eq=False)
class Op:
    """One row."""

    takes: str  # its operands
    about: str
    effect: Effect
    results: Callable[[Instr], list[Type]]  # their types; TypeError where there are no such
    attribute: str = ""  # the property of `Instr` that says the rest of it
    blocks: tuple[str, ...] = ()
    view: bool = False  # its result is its first operand, or a part of it


def _rows(n: int, atoms: Iterable[Atom]) -> list[Type]:
    """The types of arrays of n such rows."""
    return [Array(n, a.type) for a in atoms]


def _reshaped(instr: Instr) -> list[Type]:
    source = instr.args[0].type
    t = array_type(instr.shape, scalar_of(source))
    return [Ref(t) if isinstance(source, Ref) else t]


def _joined(instr: Instr) -> list[Type]:
    return [Array(sum(map(length_of, instr.args)), scalar_of(instr.args[0].type))]


def length_of(piece: Atom) -> int:
    """How many entries a piece of a join has."""
    return piece.type.n if isinstance(piece.type, Array) else 1


def _sliced(instr: Instr) -> list[Type]:
    source = instr.args[0].type
    t = Array(instr.span.length, scalar_of(source))
    return [Ref(t) if isinstance(source, Ref) else t]


def _accumulator(instr: Instr) -> list[Type]:
    return [Ref(instr.content)]


def _frozen(instr: Instr) -> list[Type]:
    ref = instr.args[0].type
    if not isinstance(ref, Ref):
        raise TypeError(f"only a reference can be frozen, not {ref!r}")
    return [ref.of]


def _stepped(instr: Instr, n: int, carries: int) -> list[Type]:
    """The last carries, and an array of what each step gave besides."""
    return [
        *(a.type for a in instr.args[len(instr.args) - carries :]),
        *_rows(n, instr.blocks[0].results[carries:]),
    ]


def _filtered(instr: Instr) -> list[Type]:
    return [Array(instr.length, I64), I64, *_rows(instr.length, instr.blocks[0].results[1:])]


def _scanned(instr: Instr) -> list[Type]:
    return _stepped(instr, instr.steps.n, len(instr.args) - instr.steps.counted)


def _looped(instr: Instr) -> list[Type]:
    return [*_stepped(instr, instr.length, len(instr.args)), I64]


OPS: dict[str, Op] = {
    "index": Op(
        "(array or ref, i)",
        "an entry, a row, or a reference to one; i is in range: proved, or the result of a check",
        "none",
        lambda instr: [element(instr.args[0].type)],
        view=True,
    ),
    "check": Op(
        "(i,)",
        "i itself where 0 <= i < length, else the run is marked as failed here and goes on with 0",
        "check",
        lambda instr: [I64],
        "length",
    ),
    "pack": Op(
        "(x0, x1, ...)",
        "an array of these elements",
        "none",
        lambda instr: _rows(len(instr.args), instr.args[:1]),
    ),
    "reshape": Op(
        "(array or ref,)",
        "the same entries, in the same order",
        "none",
        _reshaped,
        "shape",
        view=True,
    ),
    "join": Op(
        "(x0, x1, ...)",
        "an array of these scalars and entries of arrays, end to end; each array has one axis",
        "none",
        _joined,
    ),
    "slice": Op(
        "(array or ref,)",
        "so many entries of an array of one axis from such an index on, or a reference to them",
        "none",
        _sliced,
        "span",
        view=True,
    ),
    "accum": Op(
        "() or (initial,)",
        "a reference, zero or holding a copy of `initial`",
        "accumulator",
        _accumulator,
        "content",
    ),
    "addto": Op(
        "(ref, value)",
        "the only effect; adds commute, so their order has no meaning",
        "accumulator",
        lambda instr: [],
    ),
    "freeze": Op(
        "(ref,)",
        "its value; the reference is not used after",
        "accumulator",
        _frozen,
    ),
    "build": Op(
        "() or (lo, hi)",
        "(i) -> rows, for each i below `length`: arrays. With bounds it has no results, and is run for its "
        "effects. Where the length is a Lanes, it is to be run in SIMD lanes",
        "blocks",
        lambda instr: _rows(instr.length, instr.blocks[0].results),
        "length",
        ("body",),
    ),
    "filter": Op(
        "() or (lo, hi)",
        "(i) -> (keep, rows): a build that also lists iterations: those for which `keep` holds, in order, and "
        "maybe more. Results: the list, of which only the first so many indices are made; how many; the rows",
        "blocks",
        _filtered,
        "length",
        ("body",),
    ),
    "scan": Op(
        "(carry, ...)",
        "(i, carries) -> (carries, ys), in order. Where it is counted, the first operand is the number of "
        "steps, at most n; rows of ys beyond are not made",
        "blocks",
        _scanned,
        "steps",
        ("body",),
    ),
    "while": Op(
        "(carry, ...)",
        "(i, carries) -> (carries, ys) as long as (carries) -> Bool holds, at most `length` times. Results: "
        "carries, ys, the number of steps",
        "blocks",
        _looped,
        "length",
        ("body", "test"),
    ),
    "rewind": Op(
        "(carry, ..., cotangent, ...)",
        "(i, carries) -> carries and (i, carries, cotangents) -> cotangents: through the steps of a scan "
        "backwards. The second block runs with the carries that the step started with, found again by the "
        "first from those kept in `slots` places",
        "blocks",
        lambda instr: [r.type for r in instr.blocks[1].results],
        "steps",
        ("step", "back"),
    ),
    "cond": Op(
        "(p,)",
        "() -> results, twice; only one of them runs",
        "blocks",
        lambda instr: [r.type for r in instr.blocks[0].results],
        blocks=("then", "otherwise"),
    ),
    "call": Op(
        "(args)",
        "the results of a function",
        "callee",
        lambda instr: [r.type for r in instr.callee.results],
        "callee",
    ),
    "host": Op(
        "(args)",
        "the results of a Python function, which the run calls back; one without results is called for what it "
        "shows, and never left out: see `shown`",
        "host",
        lambda instr: list(instr.host.results),
        "host",
    ),
}  # fmt: skip

#: values of their operands alone: they may be shared, moved and left out
VALUES = frozenset(name for name, op in OPS.items() if op.effect == "none")
VIEWS = frozenset(name for name, op in OPS.items() if op.view)


class Visitor:
    """What goes through programs: it has a method `_NAME` for each instruction of that name.

    `never` says of instructions that do not reach it why. A class that has neither cannot be defined. Nor can
    one that says in `inherited` what it takes over, if there is an instruction that it neither has nor names.
    """

    never: ClassVar[Mapping[str, str]] = {}
    inherited: ClassVar[frozenset[str] | None] = None
    rows: ClassVar[Mapping[str, Callable[..., Any]]] = {}

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        cls.rows = {name: cls._row(name) for name in OPS}

    @classmethod
    def _row(cls, name: str) -> Callable[..., Any]:
        if name in cls.never:
            return cls._unreached(name)
        row: Callable[..., Any] | None = getattr(cls, f"_{name}", None)
        taken_over = "inherited" in vars(cls) and f"_{name}" not in vars(cls)
        if row is None or (taken_over and name not in (cls.inherited or ())):
            raise TypeError(f"{cls.__name__} has no row for the instruction {name}")
        return row

    @classmethod
    def _unreached(cls, name: str) -> Callable[..., Any]:
        def row(*_: Any) -> Any:
            raise AssertionError(f"{name} reaches {cls.__name__}, though {cls.never[name]}")

        return row
