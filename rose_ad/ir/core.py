"""The IR: first-order functions over scalars, static arrays and accumulators, in structured SSA form.

    values      prim(op, scalars) · index · check · pack · reshape · call(fn, args) · host(f, args)
    control     build(n; i. block) · scan(n, carries; i, c. block) · cond(p; then, else)
                while(carries; i, c. block, test) · rewind(carries, cts; i, c. block, i, c, ct. block)
    effect      accum(type) · addto(ref, value) · freeze(ref)

Constants are atoms, not instructions. Blocks see the variables of the blocks around them; functions are
closed. `ops` is the table of the instructions: what each takes, has and makes.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from ..base.errors import RoseError
from .host import Host
from .in_force import in_force
from .types import F32, F64, Array, Bool, Scalar, Type, Value, is_float, scalar_of

UNBOUNDED = 2**62  # steps of a while loop that has no bound; nothing is stacked for each of them


@dataclass(frozen=True, slots=True)
class Steps:
    """How a scan runs: through 0 .. n - 1, or the other way; `counted`, through the first of them only.

    `slots` is how many of its carries a reverse pass may keep, 0 for all of them (see `rewind`); `budget` is
    the bytes that it may remember, 0 for any number.
    """

    n: int
    reverse: bool = False
    counted: bool = False
    slots: int = 0
    budget: int = 0


@dataclass(frozen=True, slots=True)
class Span:
    """Entries of an array of one axis, end to end: the first, and how many."""

    start: int
    length: int


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


Attribute: TypeAlias = "int | tuple[int, ...] | Span | Steps | Value | Function | Host | None"


class Instr:
    """One instruction; the table in `ops` says what each `op` takes, and which of the attributes it has."""

    __slots__ = ("args", "attr", "blocks", "loc", "op", "outs")

    def __init__(
        self,
        op: str,
        args: tuple[Atom, ...],
        attr: Attribute,
        blocks: tuple[Block, ...],
        outs: tuple[Var, ...],
        loc: int,
    ) -> None:
        self.op, self.args, self.attr = op, args, attr
        self.blocks, self.outs, self.loc = blocks, outs, loc

    @property
    def length(self) -> int:
        """Of a build or filter how often it is run, of a while at most; of a check what an index is below."""
        assert isinstance(self.attr, int), self.op
        return self.attr

    @property
    def in_lanes(self) -> bool:
        """Whether it is a build to be run in SIMD lanes."""
        return isinstance(self.attr, Lanes)

    @property
    def steps(self) -> Steps:
        """How a scan, or that which a rewind goes back through, runs."""
        assert isinstance(self.attr, Steps), self.op
        return self.attr

    @property
    def shape(self) -> tuple[int, ...]:
        """Of what a reshape makes."""
        assert isinstance(self.attr, tuple), self.op
        return self.attr

    @property
    def span(self) -> Span:
        """What a slice is of an array."""
        assert isinstance(self.attr, Span), self.op
        return self.attr

    @property
    def content(self) -> Value:
        """The type of what an accum holds."""
        assert isinstance(self.attr, Scalar | Array), self.op
        return self.attr

    @property
    def callee(self) -> Function:
        """What a call calls."""
        assert isinstance(self.attr, Function), self.op
        return self.attr

    @property
    def host(self) -> Host:
        """The Python function that is called back."""
        assert isinstance(self.attr, Host), self.op
        return self.attr


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

    def __init__(
        self, name: str, block: Block, loc: int, rule: DerivativeRule | None = None
    ) -> None:
        self.name, self.block, self.loc, self.rule = name, block, loc, rule
        self.schedule = in_force()
        self.derived: dict[Any, Any] = {}

    @property
    def params(self) -> list[Var]:
        return self.block.params

    @property
    def results(self) -> tuple[Atom, ...]:
        return self.block.results

    @property
    def order(self) -> int:
        """How often tangents, or cotangents, were taken of a function to make it: its name says so."""
        return self.name.count(".lin") + self.name.count(".jvp")

    def __repr__(self) -> str:
        return f"<{self.name}>"


def zero(type: Scalar) -> Const:
    """The zero of a scalar type."""
    return Const(0, type)


@dataclass(frozen=True)
class Linearized:
    """f.fwd: params -> (results, residuals); f.lin: (tangents, remembered) -> tangents of active results.

    `remembered` holds the parameters of f at `kept_params`, then the residuals that fwd returns.
    `tangents` are those of the parameters at `active_params`, references included.
    """

    fwd: Function
    lin: Function
    active_params: tuple[int, ...]
    active_results: tuple[int, ...]
    kept_params: tuple[int, ...]

    def remembered(
        self, args: Sequence[Atom | None], fwd_outs: Sequence[Atom], results: int
    ) -> list[Atom]:
        """The arguments that lin takes after the tangents: `args` are f's, None for those left out of
        fwd, `fwd_outs` are fwd's, of which the first `results` are f's."""
        kept = [args[k] for k in self.kept_params]
        return [*(a for a in kept if a is not None), *fwd_outs[results:]]


class DerivativeRule:
    """How a function is differentiated that says so itself, in place of its block."""

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

    def is_linear(self, function: Function, mask: tuple[bool, ...]) -> bool | None:
        """Whether the function is affine in the parameters of `mask`; None where it is if its derivative
        remembers nothing of them."""
        return None
