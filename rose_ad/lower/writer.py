"""A function being written in LLVM: its text, the memory it takes, and how its values are held.

Scalars are SSA values, arrays pointers to row-major memory that is never written again once made. Every array
that an instruction makes has one place, known before the run: where its consumer wants it (a result, a row of
a build, the next carry of a scan), or a slot of the function's frame in the scratch arena, or, when small, the
stack. Compiled code never allocates.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext

from ..ir.core import Atom, Block, Instr, Unset, Var
from ..ir.types import Array, Bool, Scalar, Type, Value, element, scalar_of, value_type
from .aliasing import Apart
from .memory_layout import ALIGN, aligned, float_bits, memory_type
from .module import NAME, RETURN, Module, Written

_STACK_SLOT = 512  # bytes: larger arrays lie in the arena
_STACK_TOTAL = 16384  # bytes of stack a function may use for its small arrays
_LONG = 250  # lines: what is longer is not inlined, since LLVM takes long for long functions
_FRAME = "@FRAME@"  # the bytes of the function's own frame, known when all is written


class Writer(ABC):
    """What all code that is written needs; the instructions are the matter of `Lowering`.

    What depends on how a value lies in memory or in registers asks the methods under "representation", so
    that lane code differs in these and in few instructions.
    """

    def __init__(self, module: Module) -> None:
        self.module = module
        self.name = ""
        self.contract = True  # whether a product and a sum may become one operation
        self.lines: list[str] = []
        self.entry_lines: list[str] = []
        self.label = "entry"  # of the basic block that is being written
        self.count = 0  # of names given
        self.values: dict[Atom, str] = {}  # what stands for each variable
        self.pieces: dict[tuple[Instr, int], str] = {}  # where a piece of a join is to be made
        self.wanted: dict[Var, str] = {}  # where a consumer wants an array to be made
        self.staying: dict[Var, Var] = {}  # results of branches that may be a carry where it lies
        self.uses = Counter[Var]()  # of each variable
        self.own_bytes = 0  # of the frame
        self.stack_bytes = 0
        self.callee_bytes = 0  # of the largest frame behind it
        self.apart = Apart(module)

    @abstractmethod
    def block(self, block: Block, places: Sequence[str | None]) -> None:
        """Write a block; arrays among its results are made at `places` where that can be done."""

    @abstractmethod
    def instr(self, instr: Instr) -> None:
        """Write an instruction."""

    @abstractmethod
    def add_scalar(self, t: Scalar, pointer: str, value: str, loc: int, note: str = "") -> None:
        """Add a number to that at an address."""

    # ------------------------------------------------------------------------------------- frame

    def written(self, params: Sequence[str]) -> Written:
        """The function, whose body has been written."""
        frame = aligned(self.own_bytes)
        body = "\n".join([*self.entry_lines, *self.lines]).replace(_FRAME, str(frame))
        if not self.contract:
            body = body.replace(" contract ", " ")
        apart = " noinline" if len(self.lines) > _LONG else ""
        head = f"define internal void {NAME}({', '.join(params)}){apart} {{"
        text = f"{head}\nentry:\n{body}\n  {RETURN}\n}}"
        return Written(text, frame + self.callee_bytes)

    def slot(self, size: int, loc: int) -> str:
        """Memory of so many bytes: one place for each instruction that makes an array."""
        if size <= _STACK_SLOT and self.stack_bytes + size <= _STACK_TOTAL:
            self.stack_bytes += size
            name = self.fresh("s")
            align = 16 if size < 32 else ALIGN
            self.entry_lines.append(f"  {name} = alloca [{size} x i8], align {align}")
            return name
        return self.room(size, loc)

    def room(self, size: int, loc: int) -> str:
        """So many bytes of the function's frame in the arena."""
        name = self.fresh("s")
        self.entry_lines.append(
            f"  {name} = getelementptr inbounds i8, ptr %scratch, i64 {self.own_bytes}"
        )
        self.own_bytes = aligned(self.own_bytes + size)
        self.module.arrays.append((size, loc))
        return name

    def behind(self, frame: int) -> str:
        """The frame of a function that is called from here and takes so many bytes: behind this one's."""
        self.callee_bytes = max(self.callee_bytes, frame)
        return self.assign(f"getelementptr inbounds i8, ptr %scratch, i64 {_FRAME}")

    # -------------------------------------------------------------------------------------- text

    def fresh(self, prefix: str) -> str:
        self.count += 1
        return f"%{prefix}{self.count}"

    def emit(self, line: str) -> None:
        self.lines.append("  " + line)

    def assign(self, text: str) -> str:
        name = self.fresh("v")
        self.lines.append(f"  {name} = {text}")
        return name

    def start(self, label: str) -> None:
        self.lines.append(f"{label[1:]}:")
        self.label = label[1:]

    def atom(self, a: Atom) -> str:
        if isinstance(a, Var):
            return self.values[a]
        if isinstance(a.type, Array):
            return self.module.literal(a)
        if isinstance(a.value, bool):
            return "true" if a.value else "false"
        if isinstance(a.value, float):
            return float_bits(a.value)
        return str(a.value)

    def typed(self, a: Atom) -> str:
        return f"{self.kind(a)} {self.atom(a)}"

    def write(self, lines: Sequence[str]) -> None:
        """Emit the lines of a primitive, and declare what they call."""
        for line in lines:
            if " call " in line:
                self.module.declare(line)
            self.emit(line)

    def branch(self, condition: str, taken: str, otherwise: str, against: int) -> None:
        """A branch that is taken once in so many times, so that its side is kept out of the way."""
        weights = self.module.metadata(f'!{{!"branch_weights", i32 1, i32 {against}}}')
        self.emit(f"br i1 {condition}, label {taken}, label {otherwise}, !prof {weights}")

    def leave_where(self, condition: str, status: str) -> None:
        """Return at once where a condition holds, with that in the status word."""
        leave, after = self.fresh("leave"), self.fresh("on")
        self.branch(condition, leave, after, 1_000_000)
        self.start(leave)
        self.emit(f"store i64 {status}, ptr %status")
        self.emit(RETURN)
        self.start(after)

    # ------------------------------------------------------------------------------------ memory

    def load(self, t: Scalar, pointer: str, note: str = "") -> str:
        raw = self.assign(f"load {memory_type(t)}, ptr {pointer}{note}{self.apart.note}")
        return self.assign(f"icmp ne i8 {raw}, 0") if t is Bool else raw

    def store(self, t: Type, value: str, pointer: str, note: str = "") -> None:
        """Put a scalar, or copy an array, to a place in memory."""
        if not isinstance(t, Scalar):
            self.copy(pointer, value, value_type(t))
            return
        if t is Bool:
            value = self.assign(f"zext i1 {value} to i8")
        self.emit(f"store {memory_type(t)} {value}, ptr {pointer}{note}{self.apart.note}")

    def copy(self, to: str, source: str, t: Value) -> None:
        self.move(to, source, t.size, scalar_of(t).size)

    def move(self, to: str, source: str, size: int, align: int) -> None:
        """Copy so many bytes."""
        if to != source and size:
            self.module.declarations.add("void @llvm.memcpy.p0.p0.i64(ptr, ptr, i64, i1)")
            self.emit(
                "call void @llvm.memcpy.p0.p0.i64("
                f"ptr align {align} {to}, ptr align {align} {source}, i64 {size}, i1 false)"
            )

    def entry(self, t: Scalar, pointer: str, i: str) -> str:
        """The address of the entry `i` of an array of scalars."""
        if i == "0":
            return pointer
        return self.assign(f"getelementptr inbounds {memory_type(t)}, ptr {pointer}, i64 {i}")

    def place(self, v: Var, loc: int) -> str:
        """Where to make the array `v`."""
        return self.wanted.pop(v, None) or self.slot(self.bytes_of(v), loc)

    def clear(self, pointer: str, size: int, align: int) -> None:
        """Fill memory with zeros."""
        if size:
            self.emit(self.zeroing(pointer, size, align))

    def zeroing(self, pointer: str, size: int, align: int) -> str:
        """The call that fills memory with zeros."""
        self.module.declarations.add("void @llvm.memset.p0.i64(ptr, i8, i64, i1)")
        at = f"ptr align {align} {pointer}"
        return f"call void @llvm.memset.p0.i64({at}, i8 0, i64 {size}, i1 false)"

    # ---------------------------------------------------------------------------- representation

    def kind(self, a: Atom) -> str:
        """The LLVM type of what stands for `a`: a number, or the address of an array."""
        return a.type.llvm if isinstance(a.type, Scalar) else "ptr"

    def bytes_of(self, v: Var) -> int:
        """The memory that a value like `v` takes."""
        return value_type(v.type).size

    def row(self, a: Atom, pointer: str, i: str) -> str:
        """The address of row `i` of an array or reference like `a` at `pointer`."""
        if i == "0":
            return pointer
        t = memory_type(element(a.type))
        return self.assign(f"getelementptr inbounds {t}, ptr {pointer}, i64 {i}")

    def read(self, v: Var, pointer: str) -> str:
        """What stands for `v`, of which `pointer` is the address."""
        return self.load(v.type, pointer) if isinstance(v.type, Scalar) else pointer

    def like(self, a: Atom, v: Var) -> str:
        """What stands for `a` where it becomes `v`."""
        return self.atom(a)

    def keep(self, v: Var, value: str, place: str) -> None:
        """Put what stands for `v` at a place in memory."""
        self.store(v.type, value, place)

    def put(self, a: Atom, whole: Atom, place: str) -> None:
        """Put `a` at its place in memory, which is that of `whole` or of a part of it."""
        if isinstance(a, Unset):
            return
        self.store(a.type, self.atom(a), place)

    def made_in_place(self, r: Atom, v: Var) -> bool:
        """Whether `r`, which becomes `v`, can be made where `v` will be."""
        return True

    def usable(
        self, places: Sequence[str | None], results: Sequence[Atom], outs: Sequence[Var]
    ) -> list[str | None]:
        """The places of `outs` where the results that become these can be made."""
        return [
            p if self.made_in_place(r, o) else None
            for p, r, o in zip(places, results, outs, strict=True)
        ]

    def is_branch(self, cond: Instr) -> bool:
        """Whether one side of a cond is run, and not both."""
        return True

    def steps(self, count: Atom) -> str:
        """How often a loop of so many steps is run."""
        return self.atom(count)

    def running(self, index: str, count: Sequence[Atom]) -> str | None:
        """Who runs the step of a loop: None for all there are; see lanes/values.py."""
        return None

    def under(self, on: str | None) -> AbstractContextManager[None]:
        """Write code for those only."""
        return nullcontext()

    def carry_on(self, v: Var, new: str, old: str, on: str | None) -> str:
        """What the carry `v` is after a step: `new` for those who run it."""
        return new


def made_at(a: Atom, otherwise: int) -> int:
    """The location of what makes a value, looked for in the functions that are called for it."""
    instr = a.instr if isinstance(a, Var) else None
    if instr is None:
        return otherwise
    if instr.op == "call":
        return made_at(instr.callee.results[instr.outs.index(a)], instr.loc)
    return instr.loc
