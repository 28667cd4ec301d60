"""The values of lane code: vectors, arrays with their lanes innermost, and references.

A value that is the same in all lanes is held as in scalar code; one that varies (divergence.py) is a vector,
`<W x double>`. An array that varies has its lanes innermost: reading an entry is one vector load. Arrays
from outside stay as they are; the rows that lanes take of one, each its own, are `Scattered` over it, and are
read lane by lane.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from ...ir.core import Atom, Const, Function, Unset, Var
from ...ir.ops import VIEWS
from ...ir.queries import instructions, root_of
from ...ir.types import (
    I64,
    Array,
    Bool,
    Scalar,
    Type,
    Value,
    element,
    scalar_of,
    value_type,
)
from ..loops import Loop
from ..lowering import Lowering
from ..memory_layout import memory_type
from ..module import Module
from ..vectors import ADD, splat, total
from ..writer import made_at
from .divergence import Flags, divergence, shared_references


@dataclass(frozen=True)
class Scattered:
    """An array or reference that starts at another entry of `pointer` in each lane; `lanes` if these have
    memory of their own, lanes innermost."""

    pointer: str
    offsets: str | None  # in entries, a vector; None for none
    lanes: bool


class LaneValues(Lowering):
    """How a function for `width` lanes holds its values."""

    vector_loops = False

    def __init__(self, module: Module, f: Function, flags: Flags, width: int, masked: bool) -> None:
        super().__init__(module)
        self.width = width
        self.varying = divergence(f, flags)
        self.shared = shared_references(f, flags)
        self.whole = _used_whole(f)
        self.scattered: dict[Atom, Scattered] = {}
        self.mask: str | None = "%mask" if masked else None  # the lanes that are on; None for all
        if masked:
            self.more_params = [f"{self.vector_type(Bool)} %mask"]

    # ---------------------------------------------------------------------------- representation

    def varies(self, a: Atom) -> bool:
        """Whether lanes may differ in `a`."""
        return a in self.varying if isinstance(a, Var) else False

    def vector_type(self, t: Scalar) -> str:
        """The LLVM type of a scalar in each lane."""
        return f"<{self.width} x {t.llvm}>"

    def kind(self, a: Atom) -> str:
        if isinstance(a.type, Scalar) and self.varies(a):
            return self.vector_type(a.type)
        return super().kind(a)

    def bytes_of(self, v: Var) -> int:
        return super().bytes_of(v) * (self.width if self.varies(v) else 1)

    def row(self, a: Atom, pointer: str, i: str) -> str:
        if not self.varies(a):
            return super().row(a, pointer, i)
        t = lane_memory_type(element(a.type), self.width)
        return self.assign(f"getelementptr inbounds {t}, ptr {pointer}, i64 {i}")

    def read(self, v: Var, pointer: str) -> str:
        if isinstance(v.type, Scalar) and self.varies(v):
            return self.load_vector(v.type, pointer)
        return super().read(v, pointer)

    def like(self, a: Atom, v: Var) -> str:
        if not self.varies(v) or self.varies(a):
            return self.atom(a)
        if isinstance(a.type, Scalar):
            return self.vector(a)
        place = self.slot(self.bytes_of(v), made_at(a, 0))
        self.put(a, v, place)
        return place

    def keep(self, v: Var, value: str, place: str) -> None:
        if not self.varies(v):
            super().keep(v, value, place)
        elif isinstance(v.type, Scalar):
            self.store_vector(v.type, value, place)
        else:
            self.move(place, value, self.bytes_of(v), self.align(scalar_of(v.type)))

    def put(self, a: Atom, whole: Atom, place: str) -> None:
        if not self.varies(whole) or isinstance(a, Unset):
            super().put(a, whole, place)
        elif isinstance(a.type, Scalar):
            self.store_vector(a.type, self.vector(a), place)
        elif self.varies(a):
            size = self.width * value_type(a.type).size
            self.move(place, self.atom(a), size, self.align(scalar_of(a.type)))
        else:
            t = scalar_of(a.type)
            with self.entries(a.type) as e:
                self.store_vector(t, self.entry_of(a, e), self.lane_entry(t, place, e))

    def made_in_place(self, r: Atom, v: Var) -> bool:
        return self.varies(r) == self.varies(v)

    def steps(self, count: Atom) -> str:
        return self.greatest(self.atom(count), 0) if self.varies(count) else super().steps(count)

    def running(self, index: str, count: Sequence[Atom]) -> str | None:
        if not any(map(self.varies, count)):
            return None
        kind = self.vector_type(I64)
        return self.assign(f"icmp slt {kind} {self.splat(I64, index)}, {self.atom(count[0])}")

    def carry_on(self, v: Var, new: str, old: str, on: str | None) -> str:
        if on is None:
            return new
        if isinstance(v.type, Scalar):
            return self.select(v.type, on, new, old)
        t = scalar_of(v.type)
        with self.entries(v.type) as e:
            pointer = self.lane_entry(t, new, e)
            made = self.load_vector(t, pointer)
            kept = self.load_vector(t, self.lane_entry(t, old, e))
            self.store_vector(t, self.select(t, on, made, kept), pointer)
        return new

    # ----------------------------------------------------------------------------------- vectors

    def vector(self, a: Atom) -> str:
        """A scalar as a vector, the same in every lane if it does not vary."""
        assert isinstance(a.type, Scalar)
        if self.varies(a):
            return self.atom(a)
        if isinstance(a, Const):
            return f"splat ({a.type.llvm} {self.atom(a)})"
        return self.splat(a.type, self.atom(a))

    def splat(self, t: Scalar, value: str) -> str:
        """A scalar in every lane."""
        return splat(self, t, self.width, value)

    def lane(self, t: Scalar, value: str, k: int) -> str:
        """The entry of a vector in lane `k`."""
        return self.assign(f"extractelement {self.vector_type(t)} {value}, i64 {k}")

    def call(self, text: str) -> str:
        """The result of an intrinsic."""
        line = f"{self.fresh('v')} = call {text}"
        self.module.declare(line)
        self.emit(line)
        return line.split(" ", 1)[0]

    def any(self, mask: str) -> str:
        """Whether a lane of a mask is on."""
        kind = self.vector_type(Bool)
        return self.call(f"i1 @llvm.vector.reduce.or.v{self.width}i1({kind} {mask})")

    def greatest(self, value: str, otherwise: int) -> str:
        """The greatest integer in a lane that is on."""
        kind = self.vector_type(I64)
        on = self.on(I64, value, f"splat (i64 {otherwise})")
        return self.call(f"i64 @llvm.vector.reduce.smax.v{self.width}i64({kind} {on})")

    def sum(self, t: Scalar, value: str) -> str:
        """The sum of the lanes of a vector."""
        return total(self, t, self.width, value)

    def on(self, t: Scalar, value: str, otherwise: str) -> str:
        """`value` in the lanes that are on."""
        return value if self.mask is None else self.select(t, self.mask, value, otherwise)

    def select(self, t: Scalar, mask: str, a: str, b: str) -> str:
        """`a` in the lanes of a mask, `b` in the others."""
        kind = self.vector_type(t)
        return self.assign(f"select {self.vector_type(Bool)} {mask}, {kind} {a}, {kind} {b}")

    def off(self, mask: str) -> str:
        """The lanes that are off in a mask."""
        return self.assign(f"xor {self.vector_type(Bool)} {mask}, splat (i1 true)")

    def both(self, mask: str | None, other: str) -> str:
        """The lanes that two masks have in common."""
        if mask is None:
            return other
        return self.assign(f"and {self.vector_type(Bool)} {mask}, {other}")

    @contextmanager
    def under(self, on: str | None) -> Iterator[None]:
        before = self.mask
        if on is not None:
            self.mask = self.both(self.mask, on)
        yield
        self.mask = before

    # ------------------------------------------------------------------------------------ memory

    def align(self, t: Scalar) -> int:
        """The bytes of a scalar in each lane, and where in memory such may start."""
        return self.width * t.size

    def load_vector(self, t: Scalar, pointer: str) -> str:
        kind = f"<{self.width} x {memory_type(t)}>"
        raw = self.assign(f"load {kind}, ptr {pointer}, align {self.align(t)}")
        return self.assign(f"icmp ne {kind} {raw}, zeroinitializer") if t is Bool else raw

    def store_vector(self, t: Scalar, value: str, pointer: str) -> None:
        kind = f"<{self.width} x {memory_type(t)}>"
        if t is Bool:
            value = self.assign(f"zext {self.vector_type(Bool)} {value} to {kind}")
        self.emit(f"store {kind} {value}, ptr {pointer}, align {self.align(t)}")

    @contextmanager
    def entries(self, t: Type) -> Iterator[str]:
        """A loop over the entries of an array."""
        loop = Loop(self, "0", str(count(t)))
        yield loop.index
        loop.close()

    def lane_entry(self, t: Scalar, pointer: str, e: str) -> str:
        """The address of entry `e` of an array with its lanes innermost."""
        kind = f"<{self.width} x {memory_type(t)}>"
        return self.assign(f"getelementptr inbounds {kind}, ptr {pointer}, i64 {e}")

    def entry_of(self, a: Atom, e: str) -> str:
        """The entry `e` of an array, in row-major order, as a vector."""
        t = scalar_of(a.type)
        if a in self.scattered:
            return self.gather(self.moved(self.scattered[a], self.splat(I64, e)), t)
        if self.varies(a):
            return self.load_vector(t, self.lane_entry(t, self.atom(a), e))
        return self.splat(t, self.load(t, self.entry(t, self.atom(a), e)))

    def moved(self, s: Scattered, by: str) -> Scattered:
        """A part of a scattered array, so many entries after its start."""
        offsets = by
        if s.offsets is not None:
            offsets = self.assign(f"add {self.vector_type(I64)} {s.offsets}, {by}")
        return Scattered(s.pointer, offsets, s.lanes)

    def addresses(self, s: Scattered, t: Scalar) -> list[str]:
        """The address in each lane of a scattered entry."""
        assert s.offsets is not None
        kind = f"[{self.width} x {memory_type(t)}]" if s.lanes else memory_type(t)
        found = []
        for k in range(self.width):
            at = f"i64 {self.lane(I64, s.offsets, k)}" + (f", i64 {k}" if s.lanes else "")
            found.append(self.assign(f"getelementptr inbounds {kind}, ptr {s.pointer}, {at}"))
        return found

    def gather(self, s: Scattered, t: Scalar) -> str:
        """A scattered entry as a vector."""
        return self.joined(t, [self.load(t, p) for p in self.addresses(s, t)])

    def joined(self, t: Scalar, lanes: Sequence[str]) -> str:
        """A vector of these lanes."""
        out = "poison"
        for k, x in enumerate(lanes):
            out = self.assign(f"insertelement {self.vector_type(t)} {out}, {t.llvm} {x}, i64 {k}")
        return out

    def own_copy(self, s: Scattered, t: Value, loc: int) -> str:
        """A scattered array brought together, lanes innermost."""
        place = self.slot(self.width * t.size, loc)
        scalar = scalar_of(t)
        with self.entries(t) as e:
            entry = self.gather(self.moved(s, self.splat(I64, e)), scalar)
            self.store_vector(scalar, entry, self.lane_entry(scalar, place, e))
        return place

    # -------------------------------------------------------------------------------- references

    def add_entry(self, ref: Atom, t: Scalar, e: str | None, value: Atom, loc: int) -> None:
        """Add a scalar, or the entry `e` of an array, into such an entry of a reference."""
        assert isinstance(ref, Var)
        if ref in self.scattered:
            s = self.scattered[ref]
            s = s if e is None else self.moved(s, self.splat(I64, e))
            self.add_scattered(s, t, self.part(value, e))
        elif self.varies(ref):
            pointer = self.atom(ref) if e is None else self.lane_entry(t, self.atom(ref), e)
            old = self.load_vector(t, pointer)
            new = self.assign(f"{ADD[t]} {self.vector_type(t)} {old}, {self.part(value, e)}")
            self.store_vector(t, self.on(t, new, old), pointer)
        else:
            pointer = self.atom(ref) if e is None else self.entry(t, self.atom(ref), e)
            if root_of(ref) in self.shared:
                added = self.sum(t, self.on(t, self.part(value, e), "zeroinitializer"))
            elif e is None:
                added = self.atom(value)
            else:
                added = self.load(t, self.entry(t, self.atom(value), e))
            self.add_scalar(t, pointer, added, loc)

    def part(self, value: Atom, e: str | None) -> str:
        """A scalar, or the entry `e` of an array, as a vector."""
        return self.vector(value) if e is None else self.entry_of(value, e)

    def add_scattered(self, s: Scattered, t: Scalar, value: str) -> None:
        """Add lane by lane, since several may meet at one place."""
        for k, pointer in enumerate(self.addresses(s, t)):
            old = self.load(t, pointer)
            new = self.assign(f"{ADD[t]} {t.llvm} {old}, {self.lane(t, value, k)}")
            if self.mask is not None:
                on = self.lane(Bool, self.mask, k)
                new = self.assign(f"select i1 {on}, {t.llvm} {new}, {t.llvm} {old}")
            self.store(t, new, pointer)


def lane_memory_type(t: Type, width: int) -> str:
    """How a value of type `t` lies in memory with its lanes innermost."""
    t = value_type(t)
    if isinstance(t, Array):
        return f"[{t.n} x {lane_memory_type(t.of, width)}]"
    return f"<{width} x {memory_type(t)}>"


def count(t: Type) -> int:
    """The number of entries of a value."""
    t = value_type(t)
    return math.prod(t.shape) if isinstance(t, Array) else 1


def _used_whole(f: Function) -> set[Var]:
    """The arrays that something other than an index looks at."""
    found: set[Var] = {r for r in f.results if isinstance(r, Var)}
    for instr in instructions(f.block):
        if instr.op not in VIEWS | {"addto"}:
            found.update(a for a in instr.args if isinstance(a, Var))
        for block in instr.blocks:
            found.update(r for r in block.results if isinstance(r, Var))
    return found
