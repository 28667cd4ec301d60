"""Adding at a shifted index is pulling from the shifted index.

    build n (i) { r[i + s mod n] += f(i) }     becomes     build n (i) { r[i] += f(i - s mod n) }

which the machine can vectorise: each entry is written once, next to the one before. The transpose of a stencil
adds like that to each neighbour, in nested loops. f must be cheap to compute again. An index that is kept
within the array instead is pulled from where f is zero for all i whose i + s is outside.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ...ir.builder import Builder
from ...ir.copying import Copier, Env, lookup
from ...ir.core import Atom, Block, Const, Instr, Var, zero
from ...ir.queries import is_zero
from ...ir.types import I64, Array, Ref, Scalar, Type
from .by_range import known_by_range

_CHEAP = frozenset(
    {
        "add",
        "sub",
        "mul",
        "neg",
        "abs",
        "scale",
        "select",
        "lt",
        "le",
        "eq",
        "ne",
        "index",
        "min",
        "max",
    }
)
_MOST = 12  # operations that are done again


def pull_adds(block: Block) -> Block | None:
    """A copy of the block with such adds rewritten; None where there are none."""
    adds: dict[Instr, _Shifted] = {}
    _find(block, [(block, None)], adds)
    if not adds:
        return None
    b = Builder()
    _Puller({p: b.block.param(p.type) for p in block.params}, adds).block(block, b)
    return b.block


@dataclass(frozen=True)
class _Axis:
    """The index i + by along an axis of length n: mod n if it wraps, else nothing is added outside."""

    i: Var
    by: int
    n: int
    wraps: bool = True


@dataclass(frozen=True)
class _Shifted:
    """An add into an entry of `root`. `loops` are the bodies of the loops around it that root is outside of."""

    root: Var
    axes: tuple[_Axis, ...]
    loops: tuple[Block, ...]


def _find(
    block: Block, around: list[tuple[Block, Instr | None]], out: dict[Instr, _Shifted]
) -> None:
    """Find such adds in a block; `around` are it and the blocks around it, with what they belong to."""
    for instr in block.instrs:
        if instr.op == "addto":
            found = _shifted_add(instr, around)
            if found is not None:
                out[instr] = found
        for inner in instr.blocks:
            _find(inner, [*around, (inner, instr)], out)


def _shifted_add(instr: Instr, around: list[tuple[Block, Instr | None]]) -> _Shifted | None:
    path, root = _path(instr.args[0])
    loops = _loops_inside(root.block, around)
    axes = [_axis(index, n, loops, instr.args[1]) for index, n in path]
    known = [a for a in axes if a is not None]
    if len({a.i for a in known}) < len(axes):
        return None
    if all(index is a.i for (index, _), a in zip(path, known, strict=True)):
        return None
    bodies = tuple(loop.blocks[0] for loop in loops)
    if not _is_cheap(instr.args[1], bodies, set()):
        return None
    return _Shifted(root, tuple(known), bodies)


def _loops_inside(home: Block, around: list[tuple[Block, Instr | None]]) -> list[Instr]:
    """The loops between a block and here; none if there is anything else but loops over all of a range."""
    loops: list[Instr] = []
    for block, owner in reversed(around):
        if block is home:
            return loops
        if owner is None or owner.op != "build" or owner.args:
            return []
        loops.append(owner)
    return []


def _is_cheap(a: Atom, loops: Sequence[Block], seen: set[Var]) -> bool:
    """Whether a value takes but a few operations inside these loops."""
    if not isinstance(a, Var) or a in seen or a.block not in loops or a.instr is None:
        return True
    seen.add(a)
    if a.instr.op not in _CHEAP or len(seen) > _MOST:
        return False
    return all(_is_cheap(x, loops, seen) for x in a.instr.args)


class _Puller(Copier):
    def __init__(self, env: Env, adds: dict[Instr, _Shifted]) -> None:
        super().__init__(env)
        self.adds = adds

    def _addto(self, instr: Instr, b: Builder) -> None:
        found = self.adds.get(instr)
        if found is None or self.env.get(found.root, found.root) is None:
            super()._addto(instr, b)
            return
        ref = lookup(self.env, found.root)
        again: Env = {}
        inside: list[Atom] = []
        for axis in found.axes:
            here = lookup(self.env, axis.i)
            ref = b.index(ref, here)
            again[axis.i] = _back(b, here, axis)
            if not axis.wraps:
                inside.append(_has_source(b, here, axis))
        value = self._again(instr.args[1], again, b, found.loops)
        for condition in inside:
            assert isinstance(value.type, Scalar)
            value = b.prim("select", condition, value, zero(value.type))
        b.addto(ref, value)

    def _again(self, a: Atom, again: Env, b: Builder, loops: Sequence[Block]) -> Atom:
        """A value for other indices of the loops, those in `again`."""
        if not isinstance(a, Var) or a in again:
            return lookup(again, a)
        if a.block not in loops or a.instr is None:
            return lookup(self.env, a)
        args = [self._again(x, again, b, loops) for x in a.instr.args]
        known = known_by_range(a.instr, args, b)
        if known is None:
            known = b.index(*args) if a.instr.op == "index" else b.prim(a.instr.op, *args)
        again[a] = known
        return known


def _path(ref: Atom) -> tuple[list[tuple[Atom, int]], Var]:
    """The indices, with the lengths of their axes, that lead from a whole reference to a part of it."""
    path: list[tuple[Atom, int]] = []
    while isinstance(ref, Var) and ref.instr is not None and ref.instr.op == "index":
        ref, i = ref.instr.args
        path.append((i, _length(ref.type)))
    assert isinstance(ref, Var)
    return path[::-1], ref


def _length(t: Type) -> int:
    assert isinstance(t, Ref) and isinstance(t.of, Array)
    return t.of.n


def _axis(index: Atom, n: int, loops: list[Instr], value: Atom) -> _Axis | None:
    """What an index along an axis of length n is, at which a value is added in these loops."""
    for loop in loops:
        i = loop.blocks[0].params[0]
        if loop.length == n:
            by = _cyclic(index, i, n)
            if by is not None:
                return _Axis(i, by, n)
            by = _kept_inside(index, i, n, value)
            if by is not None:
                return _Axis(i, by, n, wraps=False)
    return None


def _kept_inside(index: Atom, i: Var, n: int, value: Atom) -> int | None:
    """The s for which an index is i + s, and in 0 .. n - 1, wherever a value is not zero."""
    while isinstance(value, Var) and value.instr is not None and value.instr.op == "select":
        condition, value, other = value.instr.args
        where = _range_where(condition, i, n)
        if is_zero(other) and where is not None:
            low, high = where[0]
            by = _offset_within(index, i, low, high)
            return by if by is not None and 0 <= low + by and high + by < n else None
        if not is_zero(other):
            return None
    return None


def _offset(a: Atom, i: Var) -> int | None:
    """The c for which a value is i + c."""
    if a is i:
        return 0
    instr = a.instr if isinstance(a, Var) else None
    if instr is None or instr.op not in {"add", "sub"} or instr.args[0] is not i:
        return None
    c = instr.args[1]
    if not isinstance(c, Const):
        return None
    return int(c.value) if instr.op == "add" else -int(c.value)


def _offset_within(a: Atom, i: Var, low: int, high: int) -> int | None:
    """The c for which a value is i + c for all i in low .. high."""
    instr = a.instr if isinstance(a, Var) else None
    if instr is None or instr.op not in {"min", "max"} or not isinstance(instr.args[1], Const):
        return _offset(a, i)
    by, bound = _offset_within(instr.args[0], i, low, high), int(instr.args[1].value)
    if by is None:
        return None
    kept = high + by <= bound if instr.op == "min" else low + by >= bound
    return by if kept else None


def _cyclic(index: Atom, i: Var, n: int) -> int | None:
    """The s for which an index is i + s mod n for all i in 0 .. n - 1."""
    by = _offset_within(index, i, 0, n - 1)
    if by is not None:
        return by if by == 0 else None
    instr = index.instr if isinstance(index, Var) else None
    if instr is None:
        return None
    if instr.op == "mod" and instr.args[1] == Const(n, I64):
        by = _offset(instr.args[0], i)
        return None if by is None else by % n
    if instr.op != "select":
        return None
    where = _range_where(instr.args[0], i, n)
    if where is None:
        return None
    (low, high), rest = where
    sides = [_wrapped(instr.args[1], i, low, high, n), _wrapped(instr.args[2], i, *rest, n)]
    return sides[0] if sides[0] == sides[1] else None


def _range_where(condition: Atom, i: Var, n: int) -> tuple[tuple[int, int], tuple[int, int]] | None:
    """The i in 0 .. n - 1 for which a condition holds, and those for which not, each from first to last."""
    instr = condition.instr if isinstance(condition, Var) else None
    if instr is None or len(instr.args) != 2:
        return None
    x, y = instr.args
    if instr.op == "lt" and y is i and isinstance(x, Const) and 0 <= x.value < n - 1:
        return (int(x.value) + 1, n - 1), (0, int(x.value))
    if x is not i or not isinstance(y, Const):
        return None
    k = int(y.value)
    if instr.op == "eq" and k == 0:
        return (0, 0), (1, n - 1)
    if instr.op == "eq" and k == n - 1:
        return (k, k), (0, k - 1)
    if instr.op == "lt" and 0 < k < n:
        return (0, k - 1), (k, n - 1)
    return None


def _wrapped(a: Atom, i: Var, low: int, high: int, n: int) -> int | None:
    """The s for which a value is i + s mod n for i in low .. high, where it is in 0 .. n - 1."""
    by = _offset(a, i)
    if by is not None:
        return by % n if 0 <= low + by and high + by < n else None
    if isinstance(a, Const) and low == high and 0 <= a.value < n:
        return int(a.value - low) % n
    return None


def _back(b: Builder, i: Atom, axis: _Axis) -> Atom:
    """i - by mod n, or kept inside."""
    by, n = axis.by, axis.n

    def at(c: int) -> Atom:
        return b.prim("add", i, Const(c, I64))

    if by == 0:
        return i
    if not axis.wraps:
        bound = ("max", 0) if by > 0 else ("min", n - 1)
        return b.prim(bound[0], at(-by), Const(bound[1], I64))
    if by == 1:
        first = b.prim("eq", i, Const(0, I64))
        return b.prim("select", first, Const(n - 1, I64), at(-1))
    if by == n - 1:
        last = b.prim("eq", i, Const(n - 1, I64))
        return b.prim("select", last, Const(0, I64), at(1))
    return b.prim("select", b.prim("lt", i, Const(by, I64)), at(n - by), at(-by))


def _has_source(b: Builder, i: Atom, axis: _Axis) -> Atom:
    """Whether i - by is in 0 .. n - 1."""
    if axis.by > 0:
        return b.prim("lt", Const(axis.by - 1, I64), i)
    return b.prim("lt", i, Const(axis.n + axis.by, I64))
