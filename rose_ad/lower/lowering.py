"""Lowering to LLVM text.

Scalars are SSA values, arrays pointers to row-major memory that is never written again once made. Every array
that an instruction makes has one place, known before the run: where its consumer wants it (a result, a row of
a build, the next carry of a scan), or a slot of the function's frame in the scratch arena, or, when small, the
stack. Compiled code never allocates.

A function takes its parameters, then a pointer for each result, then the scratch arena and the status word. A
failed `check` leaves its number in the status word and goes on with index 0, so nothing outside an array is
ever touched. Code that looks for NaNs has a check after each operation on floats.
"""

from __future__ import annotations

import math
import struct
from collections import Counter
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING

from ..ir.core import Atom, Block, Const, Function, Instr, Unset, Var
from ..ir.prims import TABLE
from ..ir.queries import block_uses, carried, uses
from ..ir.types import (
    F32,
    F64,
    Array,
    Bool,
    Ref,
    Scalar,
    Type,
    Value,
    element,
    is_float,
    scalar_of,
    value_type,
)
from ..rewrite.loops.fusion import is_plain
from .aliasing import Apart
from .checks import call_host, check_index, check_nan
from .clearing import kept_clean
from .index_splitting import pieces
from .loops import List, Loop, Rewind, While
from .parallel_loops import Parallel
from .prim_text import scalar_form
from .remainder import lower_remainder
from .scan import lower_scan

if TYPE_CHECKING:
    from .module import Callee, Module

_STACK_SLOT = 512  # bytes: larger arrays lie in the arena
_STACK_TOTAL = 16384  # bytes of stack a function may use for its small arrays
ALIGN = 64
_FRAME = "@FRAME@"
NAME = "@NAME@"


def memory_type(t: Type) -> str:
    """How a value of type `t` lies in memory."""
    if isinstance(t, Array):
        return f"[{t.n} x {memory_type(t.of)}]"
    if isinstance(t, Ref):
        return memory_type(t.of)
    return "i8" if t is Bool else t.llvm


def made_at(a: Atom, otherwise: int) -> int:
    """The location of what makes a value, looked for in the functions that are called for it."""
    instr = a.instr if isinstance(a, Var) else None
    if instr is None:
        return otherwise
    if instr.op == "call":
        return made_at(instr.callee.results[instr.outs.index(a)], instr.loc)
    return instr.loc


def _align(offset: int) -> int:
    return -(-offset // ALIGN) * ALIGN


class Lowering:
    """One function being written.

    What depends on how a value lies in memory or in registers asks the methods under "representation", so
    that lane code (lanes.py) differs in these and in few instructions.
    """

    vector_loops = True  # whether loops are to become vector instructions

    def __init__(self, module: Module) -> None:
        self.module = module
        self.lines: list[str] = []
        self.entry_lines: list[str] = []
        self.values: dict[Var, str] = {}
        self.clean: set[Instr] = (
            set()
        )  # accumulators that are clear where they are made; see clean.py
        self.staying: dict[Var, Var] = {}  # results of branches that may be a carry where it lies
        self.wanted: dict[Var, str] = {}  # where a consumer wants an array to be made
        self.name = ""
        self.label = "entry"
        self.count = 0
        self.own_bytes = 0
        self.stack_bytes = 0
        self.callee_bytes = 0
        self.uses: Counter[Var] = Counter()
        self.more_params: list[str] = []
        self.parallel: Parallel | None = None  # the loop that is being written, if it is one
        self.apart = Apart(module)

    # ------------------------------------------------------------------------------------- frame

    def frame_bytes(self) -> int:
        return _align(self.own_bytes) + self.callee_bytes

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
        self.own_bytes = _align(self.own_bytes + size)
        self.module.arrays.append((size, loc))
        return name

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
            return f"0x{struct.unpack('<Q', struct.pack('<d', a.value))[0]:016X}"
        return str(a.value)

    def typed(self, a: Atom) -> str:
        return f"{self.kind(a)} {self.atom(a)}"

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
        return self.assign(f"getelementptr inbounds {memory_type(t)}, ptr {pointer}, i64 {i}")

    def place(self, v: Var, loc: int) -> str:
        """Where to make the array `v`."""
        return self.wanted.pop(v, None) or self.slot(self.bytes_of(v), loc)

    # ---------------------------------------------------------------------------- representation

    def kind(self, a: Atom) -> str:
        """The LLVM type of what stands for `a`: a number, or the address of an array."""
        return a.type.llvm if isinstance(a.type, Scalar) else "ptr"

    def bytes_of(self, v: Var) -> int:
        """The memory that a value like `v` takes."""
        return value_type(v.type).size

    def row(self, a: Atom, pointer: str, i: str) -> str:
        """The address of row `i` of an array or reference like `a` at `pointer`."""
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

    def steps(self, count: Atom) -> str:
        """How often a loop of so many steps is run."""
        return self.atom(count)

    def running(self, index: str, count: Sequence[Atom]) -> str | None:
        """Who runs the step of a loop: None for all there are; see lanes.py."""
        return None

    def under(self, on: str | None) -> AbstractContextManager[None]:
        """Write code for those only."""
        return nullcontext()

    def carry_on(self, v: Var, new: str, old: str, on: str | None) -> str:
        """What the carry `v` is after a step: `new` for those who run it."""
        return new

    # ---------------------------------------------------------------------------------- function

    def run(self, f: Function) -> str:
        self.name = f.name
        params = []
        for k, p in enumerate(f.params):
            self.values[p] = f"%p{k}"
            attribute = " noalias readonly" if isinstance(p.type, Array) else ""
            params.append(f"{self.kind(p)}{attribute} %p{k}")
        self.uses = Counter(block_uses(f.block))
        outs = [f"%out{k}" for k in range(len(f.results))]
        params += [f"ptr noalias {o}" for o in outs] + [
            "ptr noalias %scratch",
            "ptr noalias %status",
        ]
        self.block(f.block, outs)
        for r, out in zip(f.results, outs, strict=True):
            self.put(r, r, out)
        head = f"define internal void {NAME}({', '.join(params + self.more_params)}) {{"
        frame = str(_align(self.own_bytes))
        body = "\n".join([*self.entry_lines, *self.lines]).replace(_FRAME, frame)
        return f"{head}\nentry:\n{body}\n  ret void\n}}"

    def block(self, block: Block, places: Sequence[str | None]) -> None:
        """Lower a block; arrays among its results are made at `places` where that can be done."""
        for r, place in zip(block.results, places, strict=True):
            maker = self._maker(r, block)
            if place is not None and maker is not None and maker not in self.wanted:
                self.wanted[maker] = place
        for instr in block.instrs:
            if instr.op == "cond" and self.is_branch(instr):
                self._make_where_unchanged(instr, block)
        for instr in block.instrs:
            if instr.op == "accum" and instr.args:
                self._start_in_place(instr, block)
        clean = kept_clean(block)
        self.clean.update(
            accum
            for accum, loops in clean.items()
            if accum.outs[0] not in self.wanted
            and all(self.kind(i.outs[1]) == "i64" for i in loops)
        )
        for instr in block.instrs:
            if instr.op in TABLE:
                self._prim(instr)
            else:
                getattr(self, f"_{instr.op}")(instr)
        for accum, loops in clean.items():
            if accum in self.clean:
                self._clear_if_used(accum, loops)

    def _clear_if_used(self, accum: Instr, loops: Sequence[Instr]) -> None:
        """Leave an accumulator clear for the next step, if a loop of this one has added to it."""
        for loop in loops:
            used, after = self.fresh("used"), self.fresh("clean")
            kept = self.assign(f"icmp ne i64 {self.atom(loop.outs[1])}, 0")
            self.emit(f"br i1 {kept}, label {used}, label {after}")
            self.start(used)
            self.emit(self._cleared(accum))
            self.emit(f"br label {after}")
            self.start(after)

    def is_branch(self, cond: Instr) -> bool:
        """Whether one side of a cond is run, and not both."""
        return True

    def _make_where_unchanged(self, cond: Instr, block: Block) -> None:
        """Have what a side passes on unchanged made where the branch's result is wanted, if it is not used
        after the branch."""
        for k, o in enumerate(cond.outs):
            place = self.wanted.get(o)
            if place is None:
                continue
            for side in cond.blocks:
                r = side.results[k]
                maker = self._maker(r, block)
                if (
                    maker is not None
                    and maker not in self.wanted
                    and self.made_in_place(r, o)
                    and not _used_after(r, cond, block)
                    and not any(
                        _may_lie_in(other, r)
                        for b in cond.blocks
                        for j, other in enumerate(b.results)
                        if j != k
                    )
                ):
                    self.wanted[maker] = place
                    break

    def _start_in_place(self, accum: Instr, block: Block) -> None:
        """Have the initial value of an accumulator made where the accumulator will be, if nothing else
        reads it."""
        (initial,) = accum.args
        maker = self._maker(initial, block)
        if (
            maker is not None
            and isinstance(initial, Var)
            and self.uses[initial] == 1
            and maker not in self.wanted
            and self.made_in_place(initial, accum.outs[0])
        ):
            self.wanted[maker] = self.wanted[accum.outs[0]] = self.place(accum.outs[0], accum.loc)

    def _maker(self, r: Atom, block: Block) -> Var | None:
        """The variable whose place decides where the array `r` lies, if this block makes it."""
        if not isinstance(r, Var) or not isinstance(r.type, Array) or r.block is not block:
            return None
        if r.instr is None or r.instr.op in {"index", "reshape", "rewind"}:
            return None
        if r.instr.op in {"scan", "while"} and r in r.instr.outs[: len(carried(r.instr))]:
            return None  # a carry moves between buffers
        if r.instr.op == "freeze":
            ref = r.instr.args[0]
            assert isinstance(ref, Var)
            return ref if ref.block is block and ref.instr is not None else None
        return r

    # ------------------------------------------------------------------------------ instructions

    def _prim(self, instr: Instr) -> None:
        if instr.op == "mod" and lower_remainder(self, instr):
            return
        t = instr.args[-1].type
        assert isinstance(t, Scalar)
        name = self.fresh("v")
        operands = [self.atom(a) for a in instr.args]
        self.write(scalar_form(TABLE[instr.op].llvm(t), t, name, operands))
        self.values[instr.outs[0]] = name
        if self.module.nans:
            given = [self.typed(a) for a in instr.args if isinstance(a, Var) and is_float(a.type)]
            check_nan(self, instr.outs[0].type, name, given, instr.loc, instr.op)

    def write(self, lines: Sequence[str]) -> None:
        """Emit the lines of a primitive, and declare what they call."""
        for line in lines:
            if " call " in line:
                self.module.declare(line)
            self.emit(line)

    def _index(self, instr: Instr) -> None:
        (out,) = instr.outs
        a, i = instr.args
        pointer = self.row(a, self.atom(a), self.atom(i))
        if self.parallel and isinstance(out.type, Scalar):
            self.values[out] = self.load(out.type, pointer, self.parallel.reading(a))
        else:
            self.values[out] = self.read(out, pointer)

    def _check(self, instr: Instr) -> None:
        check_index(self, instr)

    def _host(self, instr: Instr) -> None:
        call_host(self, instr)

    def branch(self, condition: str, taken: str, otherwise: str, against: int) -> None:
        """A branch that is taken once in so many times, so that its side is kept out of the way."""
        weights = self.module.metadata(f'!{{!"branch_weights", i32 1, i32 {against}}}')
        self.emit(f"br i1 {condition}, label {taken}, label {otherwise}, !prof {weights}")

    def _reshape(self, instr: Instr) -> None:
        self.values[instr.outs[0]] = self.atom(instr.args[0])

    def _pack(self, instr: Instr) -> None:
        (out,) = instr.outs
        pointer = self.values[out] = self.place(out, instr.loc)
        for k, a in enumerate(instr.args):
            row = self.row(out, pointer, str(k))
            if self.parallel and isinstance(a.type, Scalar):
                self.store(a.type, self.atom(a), row, self.parallel.writing(pointer))
            else:
                self.put(a, out, row)

    def _accum(self, instr: Instr) -> None:
        (out,) = instr.outs
        if out not in self.wanted:
            self.apart.placed.add(out)
        pointer = self.values[out] = self.place(out, instr.loc)
        t = instr.content
        if instr.args:
            self.put(instr.args[0], out, pointer)
        elif isinstance(t, Scalar):
            self.put(Const(0, t), out, pointer)
        elif instr in self.clean:
            self.entry_lines.append("  " + self._cleared(instr))
        else:
            self.clear(pointer, self.bytes_of(out), scalar_of(t).size)

    def _cleared(self, accum: Instr) -> str:
        """The call that clears an accumulator where it lies."""
        (out,) = accum.outs
        return self._fill(self.atom(out), self.bytes_of(out), scalar_of(accum.content).size)

    def clear(self, pointer: str, size: int, align: int) -> None:
        """Fill memory with zeros."""
        if size:
            self.emit(self._fill(pointer, size, align))

    def _fill(self, pointer: str, size: int, align: int) -> str:
        self.module.declarations.add("void @llvm.memset.p0.i64(ptr, i8, i64, i1)")
        at = f"ptr align {align} {pointer}"
        return f"call void @llvm.memset.p0.i64({at}, i8 0, i64 {size}, i1 false)"

    def _addto(self, instr: Instr) -> None:
        ref, value = instr.args
        t = value.type
        if isinstance(t, Scalar):
            note = self.apart.adding(ref)
            self.add_scalar(t, self.atom(ref), self.atom(value), instr.loc, note)
            return
        assert isinstance(t, Array)
        parallel = Parallel(self.module, None)
        loop = Loop(self, "0", str(math.prod(t.shape)))
        to = self.entry(t.scalar, self.atom(ref), loop.index)
        source = self.entry(t.scalar, self.atom(value), loop.index)
        more = self.load(t.scalar, source, parallel.access)
        note = parallel.access + self.apart.adding(ref)
        self.add_scalar(t.scalar, to, more, instr.loc, note)
        loop.close(parallel.latch)

    def add_scalar(self, t: Scalar, pointer: str, value: str, loc: int, note: str = "") -> None:
        old = self.assign(f"load {memory_type(t)}, ptr {pointer}{note}")
        op = "fadd reassoc contract" if t is F64 or t is F32 else "add"  # adds commute
        total = self.assign(f"{op} {t.llvm} {old}, {value}")
        if self.module.nans:
            check_nan(self, t, total, [f"{t.llvm} {old}", f"{t.llvm} {value}"], loc, "add")
        self.emit(f"store {memory_type(t)} {total}, ptr {pointer}{note}")

    def _freeze(self, instr: Instr) -> None:
        (out,) = instr.outs
        self.values[out] = self.read(out, self.atom(instr.args[0]))

    def _call(self, instr: Instr) -> None:
        if instr.callee in self.module.once:
            self._call_in_place(instr)
        else:
            self.call_apart(instr)

    def call_apart(self, instr: Instr) -> None:
        """A call of a function that is written for itself."""
        places = [self.place(o, made_at(o, instr.loc)) for o in instr.outs]
        args = [self.typed(a) for a in instr.args]
        self.run_callee(self.module.function(instr.callee), args, places)
        for o, p in zip(instr.outs, places, strict=True):
            self.values[o] = self.read(o, p)

    def run_callee(
        self, callee: Callee, args: Sequence[str], outs: Sequence[str], more: Sequence[str] = ()
    ) -> None:
        """Call a function; its frame lies behind this one's."""
        self.callee_bytes = max(self.callee_bytes, callee.frame)
        scratch = self.assign(f"getelementptr inbounds i8, ptr %scratch, i64 {_FRAME}")
        passed = [*args, *(f"ptr {o}" for o in outs), f"ptr {scratch}", "ptr %status", *more]
        self.emit(f"call void {callee.name}({', '.join(passed)})")

    def _call_in_place(self, instr: Instr) -> None:
        """The body of a function where it is called."""
        function = instr.callee
        self.uses.update(block_uses(function.block))
        self.values.update(zip(function.params, map(self.atom, instr.args), strict=True))
        self.apart.given.update(zip(function.params, instr.args, strict=True))
        places = [self.wanted.pop(o, None) for o in instr.outs]
        self.block(function.block, places)
        for r, o, place in zip(function.results, instr.outs, places, strict=True):
            if place is not None:
                self.put(r, o, place)
            self.values[o] = place or self.atom(r)

    def _cond(self, instr: Instr) -> None:
        then, other, after = self.fresh("then"), self.fresh("else"), self.fresh("end")
        places = [self.wanted.pop(o, None) for o in instr.outs]
        # where what a side passes on lies already
        taken = {self.values.get(r) for side in instr.blocks for r in side.results}  # type: ignore[arg-type]
        self.emit(f"br i1 {self.atom(instr.args[0])}, label {then}, label {other}")
        ends: list[tuple[list[str], str]] = []
        for label, block in zip((then, other), instr.blocks, strict=True):
            self.start(label)
            usable = self.usable(places, block.results, instr.outs)
            self.block(block, [None if p in taken else p for p in usable])
            values = []
            for r, o, place in zip(block.results, instr.outs, places, strict=True):
                stays = r is self.staying.get(o)
                if place is not None and not stays and self.values.get(r) != place:  # type: ignore[arg-type]
                    self.put(r, o, place)
                values.append(self.atom(r) if stays else place or self.like(r, o))
            self.emit(f"br label {after}")
            ends.append((values, self.label))
        self.start(after)
        for k, (o, place) in enumerate(zip(instr.outs, places, strict=True)):
            sides = ", ".join(f"[ {values[k]}, %{label} ]" for values, label in ends)
            if place is None or o in self.staying:
                place = self.assign(f"phi {self.kind(o)} {sides}")
            self.values[o] = place

    def usable(
        self, places: Sequence[str | None], results: Sequence[Atom], outs: Sequence[Var]
    ) -> list[str | None]:
        """The places of `outs` where the results that become these can be made."""
        return [
            p if self.made_in_place(r, o) else None
            for p, r, o in zip(places, results, outs, strict=True)
        ]

    def _build(self, instr: Instr) -> None:
        if instr.in_lanes and instr.length > 1:
            from .lanes.groups import run_in_groups

            run_in_groups(self, instr)
        else:
            self.loop(instr)

    def loop(self, instr: Instr) -> None:
        """A build, one iteration after the other."""
        (body,) = instr.blocks
        places = [self.place(o, instr.loc) for o in instr.outs]
        outside = self.parallel
        for low, high in self._ranges(instr):
            plain = self.vector_loops and is_plain(instr)
            self.parallel = Parallel(self.module, body) if plain else None
            loop = Loop(self, low, high)
            self.values[body.params[0]] = loop.index
            rows = [self.row(o, p, loop.index) for o, p in zip(instr.outs, places, strict=True)]
            if self.parallel:
                self.parallel.rows.update(rows)
            with self.apart.loop(body) if self.vector_loops else nullcontext():
                self.block(body, self.usable(rows, body.results, instr.outs))
                self._rows(instr, rows)
            loop.close(self.parallel.latch if self.parallel else "")
        self.parallel = outside
        self.values.update(zip(instr.outs, places, strict=True))

    def _rows(self, build: Instr, rows: Sequence[str]) -> None:
        """Put what the body of a build has made at its places."""
        for r, o, row in zip(build.blocks[0].results, build.outs, rows, strict=True):
            if self.parallel and isinstance(r.type, Scalar) and not isinstance(r, Unset):
                self.store(r.type, self.atom(r), row, self.parallel.access)
            else:
                self.put(r, o, row)

    def _ranges(self, loop: Instr) -> list[tuple[str, str]]:
        """The ranges of the index for each of which a build's loop is written."""
        if loop.args:
            low, high = map(self.atom, loop.args)
            return [(low, high)]
        whole = [(0, loop.length)]
        return [(str(a), str(b)) for a, b in (pieces(loop) if self.vector_loops else whole)]

    def _scan(self, instr: Instr) -> None:
        lower_scan(self, instr)

    def _filter(self, instr: Instr) -> None:
        (body,) = instr.blocks
        low, high = [self.atom(a) for a in instr.args] or ["0", str(instr.length)]
        kept = List(self, instr)
        loop = Loop(self, low, high)
        self.values[body.params[0]] = loop.index
        kept.step(loop.index)
        kept.append(body.results[0], loop.index)
        loop.close()
        kept.close()

    def _while(self, instr: Instr) -> None:
        While(self, instr).run()

    def _rewind(self, instr: Instr) -> None:
        Rewind(self, instr).run()


def _may_lie_in(a: Atom, r: Atom) -> bool:
    """Whether an array may be, or be part of, the memory of another."""
    seen, waiting = set[Atom](), [a]
    while waiting:
        v = waiting.pop()
        if v is r:
            return True
        if v in seen or isinstance(v, Const) or v.instr is None or not isinstance(v.type, Array):
            continue
        seen.add(v)
        if v.instr.op in {"index", "reshape"}:
            waiting.append(v.instr.args[0])
        elif v.instr.op in {"scan", "while", "rewind", "cond", "call"}:
            waiting.extend(set(uses(v.instr)))
    return False


def _used_after(a: Atom, instr: Instr, block: Block) -> bool:
    """Whether a value is used after an instruction of a block, or is a result of it."""
    following = block.instrs[block.instrs.index(instr) + 1 :]
    return a in block.results or any(a in set(uses(i)) for i in following)
