"""Short loops of arithmetic, written out on vectors.

    build 12 (j) { return a * x[j] + y[j] }

is one operation on eight numbers and one on four. LLVM would unroll such a loop before it looks for vectors,
and find none. And where an outer loop adds rows to an accumulator, that stays in registers only if each row is
added as a few vectors at places that are known.

It is left to LLVM where a loop reads what is made number by number, or what it makes is only read so: putting a
vector together of numbers, and taking it apart, would cost more than is gained.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..ir.core import Atom, Block, Const, Instr, Unset, Var
from ..ir.elementary import FUNCTIONS
from ..ir.ops import VIEWS
from ..ir.queries import instructions, root_of
from ..ir.types import Array, Bool, Scalar, scalar_of, value_type
from .memory_layout import memory_type
from .prim_text import vector_form, written
from .vectors import ADD, halved, splat, total
from .writer import Writer

LEAST, MOST = 5, 16  # iterations: what has four and fewer entries is mostly used number by number
_WIDTHS = (8, 4, 2, 1)  # of pieces
_CALLED = (4, 1)  # where functions of elementary.py are called, which have such forms
_LARGE = 40  # instructions of a body
_ARITHMETIC = FUNCTIONS.keys() | set(
    "add sub mul factor scale div neg abs min max floor ceil round sqrt norm_sqrt lt le eq ne and or not "
    "select to_f64 bool_to_i64 widen narrow".split()
)


def short_loops(block: Block) -> set[Instr]:
    """The loops of a function that are to be written on vectors."""
    found = {i for i in instructions(block) if _is_short(i) and varying(i) is not None}
    before = -1
    while found and len(found) != before:
        before = len(found)
        arrays = _Arrays()
        arrays.block(block, found)
        found = {loop for loop in found if arrays.suit(loop)}
    return found


def is_short_array(t: object) -> bool:
    """Whether an array is added to another as vectors."""
    return (
        isinstance(t, Array)
        and t.scalar is not Bool
        and LEAST * t.scalar.size <= t.size <= MOST * t.scalar.size
    )


def _is_short(loop: Instr) -> bool:
    return (
        loop.op == "build" and not loop.args and not loop.in_lanes and LEAST <= loop.length <= MOST
    )


class _Arrays:
    """How the small arrays of a function are used, where loops on vectors do not."""

    def __init__(self) -> None:
        self.numbers: set[Var] = set()  # made number by number
        self.read: set[Var] = set()  # in another way than at a place that is a literal

    def block(self, block: Block, vectors: set[Instr]) -> None:
        for instr in block.instrs:
            if instr.op != "index" or not isinstance(instr.args[1], Const):
                self._are_read(instr)
            if instr in vectors:
                for inner in instr.blocks[0].instrs:
                    self._are_read(inner)
                continue
            self._note(instr)
            for b in instr.blocks:
                self.block(b, vectors)
        self.read.update(r for r in block.results if isinstance(r, Var))

    def _are_read(self, instr: Instr) -> None:
        self.read.update(a for a in instr.args if isinstance(a, Var))

    def _note(self, instr: Instr) -> None:
        if instr.op == "pack" or (
            _is_short(instr) and not any(i.blocks for i in instr.blocks[0].instrs)
        ):
            self.numbers.update(o for o in instr.outs if _fits(o))
        elif instr.op == "addto" and isinstance(instr.args[1].type, Scalar):
            ref = root_of(instr.args[0])
            if _fits(ref):
                self.numbers.add(ref)

    def suit(self, loop: Instr) -> bool:
        """Whether a loop on vectors suits what it reads and makes."""
        read = (_whole(i.args[0]) for i in loop.blocks[0].instrs if i.op == "index")
        return all(o in self.read for o in loop.outs) and not any(a in self.numbers for a in read)


def _fits(v: Var) -> bool:
    """Whether an array may be a few registers."""
    t = value_type(v.type)
    return t.size <= MOST * scalar_of(t).size


def _whole(a: Atom) -> Atom:
    """The array, or accumulator, that a value is or is read from."""
    while isinstance(a, Var) and a.instr is not None and a.instr.op in VIEWS | {"freeze"}:
        a = a.instr.args[0]
    return a


def varying(loop: Instr) -> set[Var] | None:
    """What differs between the iterations of a loop of arithmetic over entries that lie side by side; None if
    it is not such a loop."""
    (body,) = loop.blocks
    (j,) = body.params
    found = {j}
    if len(body.instrs) > _LARGE or not all(isinstance(r.type, Scalar) for r in body.results):
        return None
    for instr in body.instrs:
        varies = any(a in found for a in instr.args)
        if instr.op == "index" and varies:
            a, i = instr.args
            if a in found or not _is_along(i, j, found):
                return None
            if not isinstance(value_type(instr.outs[0].type), Scalar):
                return None
        elif instr.op == "addto":
            if not isinstance(instr.args[1].type, Scalar):
                return None
        elif instr.op in VIEWS:
            if varies:
                return None
        elif instr.op not in _ARITHMETIC:
            return None
        if varies:
            found.update(instr.outs)
    return found


def _is_along(i: Atom, j: Var, varying: set[Var]) -> bool:
    """Whether an index is j and what does not vary."""
    if i is j:
        return True
    instr = i.instr if isinstance(i, Var) else None
    if instr is None or instr.op not in {"add", "sub"}:
        return False
    x, y = instr.args
    if y in varying:
        return instr.op == "add" and x not in varying and _is_along(y, j, varying)
    return _is_along(x, j, varying)


def pieces(n: int, widths: tuple[int, ...] = _WIDTHS) -> Iterator[tuple[int, int]]:
    """Where the pieces of a short array start, and how long they are, the widest first."""
    start = 0
    for width in widths:
        while n - start >= width:
            yield start, width
            start += width


class ShortLoop:
    """A short loop being written, a piece of it after the other."""

    def __init__(self, f: Writer, loop: Instr) -> None:
        self.f, self.loop = f, loop
        (self.body,) = loop.blocks
        (self.j,) = self.body.params
        found = varying(loop)
        assert found is not None
        self.varying = found
        self.start = self.width = 0  # of the piece
        self.vectors: dict[Atom, str] = {}
        self.sums: dict[Var, list[tuple[int, str]]] = {}  # what pieces add to one number

    def run(self) -> None:
        f = self.f
        places = [f.place(o, self.loop.loc) for o in self.loop.outs]
        for instr in self.body.instrs:
            if not self._is_of_piece(instr):
                f.instr(instr)
        widths = _CALLED if any(i.op in FUNCTIONS for i in self.body.instrs) else _WIDTHS
        with f.apart.loop(self.body):
            for start, width in pieces(self.loop.length, widths):
                self.start, self.width = start, width
                (self._piece if width > 1 else self._one)(places)
        for ref, parts in self.sums.items():
            self._add_sum(ref, parts)
        f.values.update(zip(self.loop.outs, places, strict=True))

    def _is_of_piece(self, instr: Instr) -> bool:
        return instr.op == "addto" or any(a in self.varying for a in instr.args)

    def _one(self, places: Sequence[str]) -> None:
        """A piece of one iteration."""
        f = self.f
        f.values[self.j] = str(self.start)
        for instr in filter(self._is_of_piece, self.body.instrs):
            f.instr(instr)
        for r, o, place in zip(self.body.results, self.loop.outs, places, strict=True):
            f.put(r, o, f.row(o, place, str(self.start)))

    def _piece(self, places: Sequence[str]) -> None:
        f = self.f
        entries = ", ".join(f"i64 {self.start + k}" for k in range(self.width))
        self.vectors = {self.j: f"<{entries}>"}
        for instr in filter(self._is_of_piece, self.body.instrs):
            if instr.op == "addto":
                self._add(instr)
            elif instr.op == "index":
                self._index(instr)
            else:
                self._prim(instr)
        for r, o, place in zip(self.body.results, self.loop.outs, places, strict=True):
            if not isinstance(r, Unset):
                row = f.row(o, place, str(self.start))
                store(f, scalar_of(r.type), self.width, self._vector(r), row, f.apart.note)

    def _index(self, instr: Instr) -> None:
        f, (out,), (a, i) = self.f, instr.outs, instr.args
        pointer = f.values[out] = f.row(a, f.atom(a), self._first(i))
        if isinstance(out.type, Scalar):
            self.vectors[out] = load(f, out.type, self.width, pointer, f.apart.note)

    def _prim(self, instr: Instr) -> None:
        t, name = scalar_of(instr.args[-1].type), self.f.fresh("v")
        operands = [self._vector(a) for a in instr.args]
        lines = vector_form(written(instr), t, self.width, name, operands)
        assert lines is not None
        self.f.write(lines)
        self.vectors[instr.outs[0]] = name

    def _first(self, i: Atom) -> str:
        """An index in the first iteration of the piece."""
        if i is self.j:
            return str(self.start)
        if i not in self.varying:
            return self.f.atom(i)
        assert isinstance(i, Var) and i.instr is not None
        x, y = map(self._first, i.instr.args)
        return self.f.assign(f"{i.instr.op} i64 {x}, {y}")

    def _vector(self, a: Atom) -> str:
        """A number in all iterations of the piece."""
        t = scalar_of(a.type)
        if isinstance(a, Const):
            return f"splat ({t.llvm} {self.f.atom(a)})"
        if a not in self.vectors:
            self.vectors[a] = splat(self.f, t, self.width, self.f.atom(a))
        return self.vectors[a]

    def _add(self, instr: Instr) -> None:
        ref, value = instr.args
        assert isinstance(ref, Var)
        if ref in self.varying:
            vector, t = self._vector(value), scalar_of(value.type)
            add(self.f, t, self.width, vector, self.f.atom(ref), self.f.apart.adding(ref))
        elif self.width > 1:
            self.sums.setdefault(ref, []).append((self.width, self._vector(value)))

    def _add_sum(self, ref: Var, parts: list[tuple[int, str]]) -> None:
        """Add to a number what the pieces give, of which the first is the widest."""
        f, t = self.f, scalar_of(ref.type)
        (width, sum), *rest = parts
        for narrower, part in rest:
            while narrower < width:
                width, sum = width // 2, halved(f, t, width, sum)
            sum = f.assign(f"{ADD[t]} <{width} x {t.llvm}> {sum}, {part}")
        f.add_scalar(t, f.atom(ref), total(f, t, width, sum), self.loop.loc)


def add_array(f: Writer, ref: Atom, value: Atom) -> None:
    """Add a short array to one."""
    t, whole = scalar_of(value.type), value_type(value.type)
    for start, width in pieces(whole.size // t.size):
        source = f.entry(t, f.atom(value), str(start))
        more = load(f, t, width, source, f.apart.note)
        add(f, t, width, more, f.entry(t, f.atom(ref), str(start)), f.apart.adding(ref))


def add(f: Writer, t: Scalar, width: int, value: str, pointer: str, note: str) -> None:
    """Add a vector to what is at an address."""
    old = load(f, t, width, pointer, note)
    store(f, t, width, f.assign(f"{ADD[t]} <{width} x {t.llvm}> {old}, {value}"), pointer, note)


def load(f: Writer, t: Scalar, width: int, pointer: str, note: str) -> str:
    """The vector at an address."""
    kind = f"<{width} x {memory_type(t)}>"
    raw = f.assign(f"load {kind}, ptr {pointer}, align {t.size}{note}")
    return f.assign(f"icmp ne {kind} {raw}, zeroinitializer") if t is Bool else raw


def store(f: Writer, t: Scalar, width: int, value: str, pointer: str, note: str) -> None:
    """Put a vector to an address."""
    kind = f"<{width} x {memory_type(t)}>"
    if t is Bool:
        value = f.assign(f"zext <{width} x i1> {value} to {kind}")
    f.emit(f"store {kind} {value}, ptr {pointer}, align {t.size}{note}")
