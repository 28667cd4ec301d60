"""Lowering to LLVM text: the instructions.

A function takes its parameters, then a pointer for each result, then the scratch arena and the status word. A
failed `check` leaves its number in the status word and goes on with index 0, so nothing outside an array is
ever touched. Code that looks for NaNs has a check after each operation on floats. How values are held is the
matter of writer.py.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import nullcontext

from ..ir.core import Block, Const, Function, Instr, Unset, Var
from ..ir.ops import Visitor, length_of
from ..ir.prims import TABLE
from ..ir.queries import block_uses, is_plain
from ..ir.types import F32, F64, Array, Scalar, is_float, scalar_of
from .checks import call_host, check_index, check_nan
from .clearing import kept_clean
from .elementary_text import paired
from .index_splitting import pieces
from .interrupts import ask_in
from .loops import List, Loop, Rewind, While, in_pieces
from .memory_layout import memory_type
from .module import Callee, Module, Written
from .parallel_loops import Parallel
from .partial_sums import in_parts
from .places import choose_places
from .prim_text import scalar_form, written
from .remainder import lower_remainder
from .scan import lower_scan
from .short_loops import ShortLoop, add_array, is_short_array, short_loops
from .writer import Writer, made_at


class Lowering(Writer, Visitor):
    """One function being lowered.

    `in_groups` writes a loop that is marked Lanes; without it, such a loop is written as any other.
    """

    vector_loops = True  # whether loops are to become vector instructions

    def __init__(
        self, module: Module, in_groups: Callable[[Lowering, Instr], None] | None = None
    ) -> None:
        super().__init__(module)
        self.in_groups = in_groups
        self.clean: set[Instr] = set()  # accumulators that are clear where made: see clearing.py
        self.short: set[Instr] = set()  # loops that are written out on vectors: see short_loops.py
        self.more_params: list[str] = []
        self.parallel: Parallel | None = None  # the loop that is being written, if it is one

    # ---------------------------------------------------------------------------------- function

    def run(self, f: Function) -> Written:
        """Write the whole function."""
        self.name, self.contract = f.name, f.schedule.contract
        params = []
        for k, p in enumerate(f.params):
            self.values[p] = f"%p{k}"
            attribute = " noalias readonly" if isinstance(p.type, Array) else ""
            params.append(f"{self.kind(p)}{attribute} %p{k}")
        self.uses = Counter(block_uses(f.block))
        self._find_short(f.block)
        outs = [f"%out{k}" for k in range(len(f.results))]
        params += [f"ptr noalias {place}" for place in (*outs, "%scratch", "%status")]
        self.block(f.block, outs)
        for r, out in zip(f.results, outs, strict=True):
            self.put(r, r, out)
        return self.written(params + self.more_params)

    def _find_short(self, block: Block) -> None:
        if self.vector_loops and not self.module.nans:
            self.short.update(short_loops(block))

    def block(self, block: Block, places: Sequence[str | None]) -> None:
        choose_places(self, block, places)
        clean = kept_clean(block)
        self.clean.update(
            accum
            for accum, loops in clean.items()
            if accum.outs[0] not in self.wanted
            and all(self.kind(i.outs[1]) == "i64" for i in loops)
        )
        for instr in block.instrs:
            self.instr(instr)
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

    # ------------------------------------------------------------------------------ instructions

    def instr(self, instr: Instr) -> None:
        if instr.op in TABLE:
            self._prim(instr)
        else:
            self.rows[instr.op](self, instr)

    def _prim(self, instr: Instr) -> None:
        if instr.op == "mod" and lower_remainder(self, instr):
            return
        t = instr.args[-1].type
        assert isinstance(t, Scalar)
        name = self.fresh("v")
        operands = [self.atom(a) for a in instr.args]
        template = written(instr) if self.parallel else paired(written(instr))
        self.write(scalar_form(template, t, name, operands))
        self.values[instr.outs[0]] = name
        if self.module.nans:
            given = [self.typed(a) for a in instr.args if isinstance(a, Var) and is_float(a.type)]
            check_nan(self, instr.outs[0].type, name, given, instr.loc, instr.op)

    def _index(self, instr: Instr) -> None:
        (out,) = instr.outs
        a, i = instr.args
        pointer = self.row(a, self.atom(a), self.atom(i))
        if self.parallel and isinstance(out.type, Scalar):
            self.values[out] = self.load(out.type, pointer, self.parallel.reading(a))
        else:
            self.values[out] = self.read(out, pointer)

    def _reshape(self, instr: Instr) -> None:
        self.values[instr.outs[0]] = self.atom(instr.args[0])

    def _slice(self, instr: Instr) -> None:
        (a,) = instr.args
        self.values[instr.outs[0]] = self.row(a, self.atom(a), str(instr.span.start))

    def _join(self, instr: Instr) -> None:
        (out,) = instr.outs
        if out not in self.values:
            self.values[out] = self.place(out, instr.loc)
        whole, start = self.values[out], 0
        for a in instr.args:
            made = self.pieces.pop((instr, start), None)
            if made is None or self.atom(a) != made:
                self.put(a, out, self.row(out, whole, str(start)))
            start += length_of(a)

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
        return self.zeroing(self.atom(out), self.bytes_of(out), scalar_of(accum.content).size)

    def _addto(self, instr: Instr) -> None:
        ref, value = instr.args
        t = value.type
        if isinstance(t, Scalar):
            note = self.apart.adding(ref)
            self.add_scalar(t, self.atom(ref), self.atom(value), instr.loc, note)
            return
        assert isinstance(t, Array)
        if self.vector_loops and not self.module.nans and is_short_array(t):
            add_array(self, ref, value)
            return
        parallel = Parallel(self.module, None)
        loop = Loop(self, "0", str(math.prod(t.shape)))
        to = self.entry(t.scalar, self.atom(ref), loop.index)
        source = self.entry(t.scalar, self.atom(value), loop.index)
        more = self.load(t.scalar, source, parallel.access)
        note = parallel.access + self.apart.adding(ref)
        self.add_scalar(t.scalar, to, more, instr.loc, note)
        loop.close(parallel.accesses)

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
        scratch = self.behind(callee.frame)
        passed = [*args, *(f"ptr {o}" for o in outs), f"ptr {scratch}", "ptr %status", *more]
        self.emit(f"call void {callee.name}({', '.join(passed)})")
        if callee.leaves:
            status = self.assign("load i64, ptr %status")
            self.leave_where(self.assign(f"icmp ne i64 {status}, 0"), status)

    def _call_in_place(self, instr: Instr) -> None:
        """The body of a function where it is called."""
        function = instr.callee
        self.uses.update(block_uses(function.block))
        self._find_short(function.block)
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
        taken = {self.values.get(r) for side in instr.blocks for r in side.results}
        self.emit(f"br i1 {self.atom(instr.args[0])}, label {then}, label {other}")
        ends: list[tuple[list[str], str]] = []
        for label, block in zip((then, other), instr.blocks, strict=True):
            self.start(label)
            usable = self.usable(places, block.results, instr.outs)
            self.block(block, [None if p in taken else p for p in usable])
            values = []
            for r, o, place in zip(block.results, instr.outs, places, strict=True):
                stays = r is self.staying.get(o)
                if place is not None and not stays and self.values.get(r) != place:
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

    def _build(self, instr: Instr) -> None:
        if self.in_groups and instr.in_lanes and instr.length > 1:
            self.in_groups(self, instr)
        elif instr in self.short:
            ShortLoop(self, instr).run()
        else:
            self.loop(instr)

    def loop(self, instr: Instr) -> None:
        """A build, one iteration after the other."""
        places = [self.place(o, instr.loc) for o in instr.outs]
        outside = self.parallel
        for low, high in self._ranges(instr):
            with in_pieces(self, instr, low, high) as piece:
                if self.vector_loops:
                    with in_parts(self, self.add_scalar, instr, *piece) as part:
                        self._iterations(instr, places, *part)
                else:
                    self._iterations(instr, places, *piece)
        self.parallel = outside
        self.values.update(zip(instr.outs, places, strict=True))

    def _iterations(self, instr: Instr, places: Sequence[str], low: str, high: str) -> None:
        (body,) = instr.blocks
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
        loop.close(self.parallel.accesses if self.parallel else "")

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

    def _filter(self, instr: Instr) -> None:
        kept = List(self, instr)
        self.fill(kept)
        kept.close()

    def fill(self, kept: List) -> None:
        """The loop that makes the list of a filter."""
        (body,) = kept.instr.blocks
        low, high = [self.atom(a) for a in kept.instr.args] or ["0", str(kept.instr.length)]
        loop = Loop(self, low, high)
        ask_in(self, kept.instr, loop.index)
        self.values[body.params[0]] = loop.index
        kept.step(loop.index)
        kept.append(body.results[0], loop.index)
        loop.close()

    def _while(self, instr: Instr) -> None:
        While(self, instr).run()

    def _rewind(self, instr: Instr) -> None:
        Rewind(self, instr).run()

    _check = check_index
    _host = call_host
    _scan = lower_scan
