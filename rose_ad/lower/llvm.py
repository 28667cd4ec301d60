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

import re
import struct
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from ..host import Host
from ..ir import (
    Atom,
    Block,
    Const,
    Function,
    Instr,
    Var,
    block_uses,
    callees,
    carried,
    instructions,
)
from ..prims import TABLE
from ..types import F32, F64, Array, Bool, Ref, Scalar, Type, Value, is_float, scalar_of, value_type
from .checks import Check, call_host, check_index, check_nan

ENTRY = "rose_entry"
_STACK_SLOT = 512  # bytes: larger arrays lie in the arena
_STACK_TOTAL = 16384  # bytes of stack a function may use for its small arrays
ALIGN = 64
_FRAME = "@FRAME@"


@dataclass(frozen=True)
class Lowered:
    """A program as LLVM text, the bytes of scratch it needs, and what a status word means."""

    text: str
    scratch_bytes: int
    checks: tuple[Check, ...]  # the one that failed is at status - 1
    arrays: tuple[tuple[int, int], ...]  # (bytes, location) of the largest arrays in scratch
    hosts: tuple[Host, ...] = ()  # called as @rose_host0, ...


def lower(function: Function, nans: bool = False) -> Lowered:
    """A function and all it calls, with an entry that takes pointers to arguments and results.

    With `nans`, an operation in which a NaN begins fails a check."""
    module = _Module(nans)
    functions = callees(function)
    for f in functions:
        if f.rule is not None and f.rule.refusal is not None:
            raise f.rule.refusal
    calls = Counter(i.attr for f in functions for i in instructions(f.block) if i.op == "call")
    # what is called from one place is written out there
    parts = [module.function(f) for f in functions if f is function or calls[f] > 1]
    parts.append(module.entry(function))
    declarations = [f"declare {d}" for d in sorted(module.declarations)]
    text = "\n\n".join(["\n".join(module.globals), *parts, "\n".join(declarations)])
    scratch = module.frames[function]
    largest = sorted(module.arrays, key=lambda array: -array[0])[:8]
    hosts = tuple(module.hosts)
    return Lowered(text + "\n", scratch, tuple(module.checks), tuple(largest), hosts)


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
        return made_at(instr.attr.results[instr.outs.index(a)], instr.loc)
    return instr.loc


def _align(offset: int) -> int:
    return -(-offset // ALIGN) * ALIGN


class _Module:
    def __init__(self, nans: bool) -> None:
        self.nans = nans
        self.globals: list[str] = []
        self.declarations: set[str] = set()
        self.names: dict[Function, str] = {}
        self.frames: dict[Function, int] = {}
        self.checks: list[Check] = []
        self.hosts: list[Host] = []
        self.arrays: list[tuple[int, int]] = []
        self._literals: dict[Const, str] = {}

    def function(self, f: Function) -> str:
        self.names[f] = f"@f{len(self.names)}"
        lowering = _Function(self)
        text = lowering.run(f)
        self.frames[f] = lowering.frame_bytes()
        return text

    def entry(self, f: Function) -> str:
        """`i64 entry(ptr pointers, ptr scratch)`: pointers to each argument, then to each result."""
        lines = [
            f"define i64 @{ENTRY}(ptr %pointers, ptr noalias %scratch) {{",
            "  %status = alloca i64",
            "  store i64 0, ptr %status",
        ]
        args: list[str] = []
        for k, t in enumerate(
            [p.type for p in f.params] + [Ref(value_type(r.type)) for r in f.results]
        ):
            lines.append(f"  %a{k} = getelementptr ptr, ptr %pointers, i64 {k}")
            lines.append(f"  %p{k} = load ptr, ptr %a{k}")
            if isinstance(t, Scalar):
                lines.append(f"  %m{k} = load {memory_type(t)}, ptr %p{k}")
                if t is Bool:
                    lines.append(f"  %v{k} = icmp ne i8 %m{k}, 0")
                args.append(f"{t.llvm} %{'v' if t is Bool else 'm'}{k}")
            else:
                args.append(f"ptr %p{k}")
        args += ["ptr %scratch", "ptr %status"]
        lines += [
            f"  call void {self.names[f]}({', '.join(args)})",
            "  %failed = load i64, ptr %status",
            "  ret i64 %failed",
            "}",
        ]
        return "\n".join(lines)

    def literal(self, c: Const) -> str:
        """A global that holds a literal array."""
        known = self._literals.get(c)
        if known is None:
            known = self._literals[c] = f"@c{len(self._literals)}"
            data = "".join(f"\\{byte:02X}" for byte in c.value.tobytes())
            size = c.value.nbytes
            self.globals.append(
                f'{known} = private unnamed_addr constant [{size} x i8] c"{data}", align {ALIGN}'
            )
        return known

    def declare(self, line: str) -> None:
        """Declare what a primitive's template calls."""
        found = re.search(r"call (?:contract )?(\S+) (@[\w.]+)\((.*)\)", line)
        if found:
            result, name, args = found.groups()
            types = ", ".join(a.split()[0] for a in args.split(", "))
            self.declarations.add(f"{result} {name}({types})")


class _Function:
    def __init__(self, module: _Module) -> None:
        self.module = module
        self.lines: list[str] = []
        self.entry_lines: list[str] = []
        self.values: dict[Var, str] = {}
        self.wanted: dict[Var, str] = {}  # where a consumer wants an array to be made
        self.name = ""
        self.label = "entry"
        self.count = 0
        self.own_bytes = 0
        self.stack_bytes = 0
        self.callee_bytes = 0
        self.uses: Counter[Var] = Counter()

    # ------------------------------------------------------------------------------------- frame

    def frame_bytes(self) -> int:
        return _align(self.own_bytes) + self.callee_bytes

    def slot(self, t: Type, loc: int) -> str:
        """Memory for a value of type `t`: one place for each instruction that makes an array."""
        t = value_type(t)
        if t.size <= _STACK_SLOT and self.stack_bytes + t.size <= _STACK_TOTAL:
            self.stack_bytes += t.size
            name = self.fresh("s")
            self.entry_lines.append(f"  {name} = alloca {memory_type(t)}, align 16")
            return name
        return self.room(t.size, loc)

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
        return f"{a.type.llvm if isinstance(a.type, Scalar) else 'ptr'} {self.atom(a)}"

    # ------------------------------------------------------------------------------------ memory

    def load(self, t: Scalar, pointer: str) -> str:
        raw = self.assign(f"load {memory_type(t)}, ptr {pointer}")
        return self.assign(f"icmp ne i8 {raw}, 0") if t is Bool else raw

    def store(self, t: Type, value: str, pointer: str) -> None:
        """Put a scalar, or copy an array, to a place in memory."""
        if not isinstance(t, Scalar):
            self.copy(pointer, value, value_type(t))
            return
        if t is Bool:
            value = self.assign(f"zext i1 {value} to i8")
        self.emit(f"store {memory_type(t)} {value}, ptr {pointer}")

    def copy(self, to: str, source: str, t: Value) -> None:
        if to != source and t.size:
            align = scalar_of(t).size
            self.module.declarations.add("void @llvm.memcpy.p0.p0.i64(ptr, ptr, i64, i1)")
            self.emit(
                "call void @llvm.memcpy.p0.p0.i64("
                f"ptr align {align} {to}, ptr align {align} {source}, i64 {t.size}, i1 false)"
            )

    def row(self, t: Type, pointer: str, i: str) -> str:
        """The address of row `i` of an array whose rows have type `t`."""
        return self.assign(f"getelementptr inbounds {memory_type(t)}, ptr {pointer}, i64 {i}")

    def place(self, v: Var, loc: int) -> str:
        """Where to make the array `v`."""
        return self.wanted.pop(v, None) or self.slot(v.type, loc)

    # ---------------------------------------------------------------------------------- function

    def run(self, f: Function) -> str:
        self.name = f.name
        params = []
        for k, p in enumerate(f.params):
            self.values[p] = f"%p{k}"
            attribute = "noalias readonly " if isinstance(p.type, Array) else ""
            params.append(
                f"{p.type.llvm} %p{k}" if isinstance(p.type, Scalar) else f"ptr {attribute}%p{k}"
            )
        self.uses = Counter(block_uses(f.block))
        outs = [f"%out{k}" for k in range(len(f.results))]
        params += [f"ptr noalias {o}" for o in outs] + ["ptr noalias %scratch", "ptr %status"]
        results = self.block(f.block, outs)
        for r, value, out in zip(f.results, results, outs, strict=True):
            self.store(r.type, value, out)
        head = f"define internal void {self.module.names[f]}({', '.join(params)}) {{"
        frame = str(_align(self.own_bytes))
        body = "\n".join([*self.entry_lines, *self.lines]).replace(_FRAME, frame)
        return f"{head}\nentry:\n{body}\n  ret void\n}}"

    def block(self, block: Block, places: Sequence[str | None]) -> list[str]:
        """Lower a block; arrays among its results are made at `places` where that can be done."""
        for r, place in zip(block.results, places, strict=True):
            maker = self._maker(r, block)
            if place is not None and maker is not None and maker not in self.wanted:
                self.wanted[maker] = place
        for instr in block.instrs:
            if instr.op == "accum" and instr.args:
                self._start_in_place(instr, block)
        for instr in block.instrs:
            if instr.op in TABLE:
                self._prim(instr)
            else:
                getattr(self, f"_{instr.op}")(instr)
        return [self.atom(r) for r in block.results]

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
        t = instr.args[-1].type
        assert isinstance(t, Scalar)
        name = self.fresh("v")
        kind = "f" if t is F32 else ""
        template = TABLE[instr.op].llvm(t)
        text = template.format(
            *(self.atom(a) for a in instr.args),
            r=name,
            t=t.llvm,
            f=kind,
            s=".f32" if t is F32 else ".f64",
        )
        for line in text.split("\n"):
            if " call " in line:
                self.module.declare(line)
            self.emit(line)
        self.values[instr.outs[0]] = name
        if self.module.nans:
            given = [self.typed(a) for a in instr.args if isinstance(a, Var) and is_float(a.type)]
            check_nan(self, instr.outs[0].type, name, given, instr.loc, instr.op)

    def _index(self, instr: Instr) -> None:
        (out,) = instr.outs
        a, i = instr.args
        pointer = self.row(value_type(out.type), self.atom(a), self.atom(i))
        self.values[out] = self.load(out.type, pointer) if isinstance(out.type, Scalar) else pointer

    def _check(self, instr: Instr) -> None:
        check_index(self, instr)

    def _host(self, instr: Instr) -> None:
        call_host(self, instr)

    def _reshape(self, instr: Instr) -> None:
        self.values[instr.outs[0]] = self.atom(instr.args[0])

    def _pack(self, instr: Instr) -> None:
        (out,) = instr.outs
        assert isinstance(out.type, Array)
        pointer = self.values[out] = self.place(out, instr.loc)
        for k, a in enumerate(instr.args):
            self.store(out.type.of, self.atom(a), self.row(out.type.of, pointer, str(k)))

    def _accum(self, instr: Instr) -> None:
        (out,) = instr.outs
        pointer = self.values[out] = self.place(out, instr.loc)
        t = instr.attr
        if instr.args:
            self.store(t, self.atom(instr.args[0]), pointer)
        elif isinstance(t, Scalar):
            self.store(t, self.atom(Const(0, t)), pointer)
        elif t.size:
            self.module.declarations.add("void @llvm.memset.p0.i64(ptr, i8, i64, i1)")
            at = f"ptr align {scalar_of(t).size} {pointer}"
            self.emit(f"call void @llvm.memset.p0.i64({at}, i8 0, i64 {t.size}, i1 false)")

    def _addto(self, instr: Instr) -> None:
        ref, value = instr.args
        t = value.type
        if isinstance(t, Scalar):
            self._add_scalar(t, self.atom(ref), self.atom(value), instr.loc)
            return
        assert isinstance(t, Array)
        count = 1
        for n in t.shape:
            count *= n
        loop = _Loop(self, "0", str(count))
        to = self.row(t.scalar, self.atom(ref), loop.index)
        source = self.row(t.scalar, self.atom(value), loop.index)
        self._add_scalar(t.scalar, to, self.load(t.scalar, source), instr.loc)
        loop.close()

    def _add_scalar(self, t: Scalar, pointer: str, value: str, loc: int) -> None:
        old = self.load(t, pointer)
        op = "fadd reassoc contract" if t is F64 or t is F32 else "add"  # adds commute
        total = self.assign(f"{op} {t.llvm} {old}, {value}")
        if self.module.nans:
            check_nan(self, t, total, [f"{t.llvm} {old}", f"{t.llvm} {value}"], loc, "add")
        self.store(t, total, pointer)

    def _freeze(self, instr: Instr) -> None:
        (out,) = instr.outs
        pointer = self.atom(instr.args[0])
        self.values[out] = self.load(out.type, pointer) if isinstance(out.type, Scalar) else pointer

    def _call(self, instr: Instr) -> None:
        function: Function = instr.attr
        if function not in self.module.names:
            self._call_in_place(function, instr)
            return
        args = [self.typed(a) for a in instr.args]
        places = [self.place(o, made_at(o, instr.loc)) for o in instr.outs]
        args += [f"ptr {p}" for p in places]
        self.callee_bytes = max(self.callee_bytes, self.module.frames[function])
        scratch = self.assign(f"getelementptr inbounds i8, ptr %scratch, i64 {_FRAME}")
        args += [f"ptr {scratch}", "ptr %status"]
        self.emit(f"call void {self.module.names[function]}({', '.join(args)})")
        for o, p in zip(instr.outs, places, strict=True):
            self.values[o] = self.load(o.type, p) if isinstance(o.type, Scalar) else p

    def _call_in_place(self, function: Function, instr: Instr) -> None:
        """The body of a function where it is called."""
        self.uses.update(block_uses(function.block))
        self.values.update(zip(function.params, map(self.atom, instr.args), strict=True))
        places = [self.wanted.pop(o, None) for o in instr.outs]
        values = self.block(function.block, places)
        for o, value, place in zip(instr.outs, values, places, strict=True):
            if place is not None:
                self.store(o.type, value, place)
            self.values[o] = place or value

    def _cond(self, instr: Instr) -> None:
        then, other, after = self.fresh("then"), self.fresh("else"), self.fresh("end")
        places = [self.wanted.pop(o, None) for o in instr.outs]
        self.emit(f"br i1 {self.atom(instr.args[0])}, label {then}, label {other}")
        ends: list[tuple[list[str], str]] = []
        for label, block in zip((then, other), instr.blocks, strict=True):
            self.start(label)
            values = self.block(block, places)
            for k, (o, place) in enumerate(zip(instr.outs, places, strict=True)):
                if place is not None:
                    self.store(o.type, values[k], place)
            self.emit(f"br label {after}")
            ends.append((values, self.label))
        self.start(after)
        for k, (o, place) in enumerate(zip(instr.outs, places, strict=True)):
            kind = o.type.llvm if isinstance(o.type, Scalar) else "ptr"
            sides = ", ".join(f"[ {values[k]}, %{label} ]" for values, label in ends)
            self.values[o] = place or self.assign(f"phi {kind} {sides}")

    def _build(self, instr: Instr) -> None:
        (body,) = instr.blocks
        places = [self.place(o, instr.loc) for o in instr.outs]
        low, high = [self.atom(a) for a in instr.args] or ["0", str(instr.attr)]
        loop = _Loop(self, low, high)
        self.values[body.params[0]] = loop.index
        rows = [self.row(r.type, p, loop.index) for r, p in zip(body.results, places, strict=True)]
        values = self.block(body, rows)
        for r, value, row in zip(body.results, values, rows, strict=True):
            self.store(r.type, value, row)
        loop.close()
        self.values.update(zip(instr.outs, places, strict=True))

    def _scan(self, instr: Instr) -> None:
        from .scan import lower_scan

        lower_scan(self, instr)

    def _filter(self, instr: Instr) -> None:
        from .iteration import lower_filter

        lower_filter(self, instr)

    def _while(self, instr: Instr) -> None:
        from .iteration import lower_while

        lower_while(self, instr)

    def _rewind(self, instr: Instr) -> None:
        from .iteration import lower_rewind

        lower_rewind(self, instr)


class _Loop:
    """A counted loop being written: head with its phis, body, latch."""

    def __init__(self, f: _Function, low: str, high: str) -> None:
        self.f = f
        before = f.label
        self.head, self.body, self.end = f.fresh("head"), f.fresh("body"), f.fresh("done")
        self.index = f.fresh("i")
        self.next = f.fresh("n")
        f.emit(f"br label {self.head}")
        f.start(self.head)
        self._index_line = len(f.lines)
        f.lines.append(f"  {self.index} = phi i64 [ {low}, %{before} ], [ {self.next}, @LATCH@ ]")
        self.before = before
        self._phis: list[tuple[int, str, str, str, str]] = []
        self._head_end = len(f.lines)
        more = f.fresh("c")
        f.emit(f"{more} = icmp slt i64 {self.index}, {high}")
        f.emit(f"br i1 {more}, label {self.body}, label {self.end}")
        f.start(self.body)

    def phi(self, kind: str, initial: str) -> tuple[str, int]:
        """A value that changes from iteration to iteration, and its number."""
        name = self.f.fresh("x")
        line = self._head_end + len(self._phis)
        self.f.lines.insert(line, "")
        self._phis.append((line, name, kind, initial, ""))
        return name, len(self._phis) - 1

    def set(self, number: int, value: str) -> None:
        """What the phi is in the next iteration."""
        line, name, kind, initial, _ = self._phis[number]
        self._phis[number] = (line, name, kind, initial, value)

    def close(self) -> None:
        f = self.f
        f.emit(f"{self.next} = add nsw i64 {self.index}, 1")
        f.emit(f"br label {self.head}")
        latch = f.label
        f.lines[self._index_line] = f.lines[self._index_line].replace("@LATCH@", f"%{latch}")
        for line, name, kind, initial, value in self._phis:
            f.lines[line] = (
                f"  {name} = phi {kind} [ {initial}, %{self.before} ], [ {value}, %{latch} ]"
            )
        f.start(self.end)
