"""Adding at a shifted index is pulling from the shifted index.

    build n (i) { r[i + s mod n] += f(i) }     becomes     build n (i) { r[i] += f(i - s mod n) }

which the machine can vectorise: each entry is written once, next to the one before. The transpose of a stencil
adds like that to each neighbour, in nested loops. f must be cheap to compute again.
"""

from __future__ import annotations

from collections.abc import Iterable

from ..builder import Builder
from ..copying import Copier, Env, lookup
from ..ir import Atom, Block, Const, Instr, Var, instructions
from ..types import I64, Array, Ref, Type

_CHEAP = frozenset(
    {"add", "sub", "mul", "neg", "abs", "scale", "select", "lt", "le", "eq", "ne", "index"}
)
_MOST = 12  # operations that are done again


def pull_adds(block: Block) -> Block:
    """The block with such adds rewritten; itself where there are none."""
    if not any(instr.op == "addto" for instr in instructions(block)):
        return block
    b = Builder()
    walk = _Puller({p: b.block.param(p.type) for p in block.params})
    walk.block(block, b)
    return b.block if walk.pulled else block


class _Puller(Copier):
    """`around` are the blocks around what is being copied, `owners` the instructions they belong to."""

    def __init__(self, env: Env) -> None:
        super().__init__(env)
        self.around: list[Block] = []
        self.owners: dict[Block, Instr] = {}
        self.pulled = False

    def block(self, block: Block, b: Builder, keep: Iterable[int] | None = None) -> None:
        self.around.append(block)
        super().block(block, b, keep)
        self.around.pop()

    def instr(self, instr: Instr, b: Builder) -> None:
        self.owners.update(dict.fromkeys(instr.blocks, instr))
        super().instr(instr, b)

    def _addto(self, instr: Instr, b: Builder) -> None:
        if not self._pull(instr, b):
            super()._addto(instr, b)

    def _pull(self, instr: Instr, b: Builder) -> bool:
        """Emit an add in the other form, if it has one."""
        path, root = _path(instr.args[0])
        loops = self._loops_inside(root.block)
        if self.env.get(root, root) is None or not loops:
            return False
        shifts = [_shift(i, n, loops) for i, n in path]
        found = [s for s in shifts if s is not None]
        if len({i for i, _ in found}) < len(shifts) or all(
            a is i for (a, _), (i, _) in zip(path, found, strict=False)
        ):
            return False
        again: dict[Var, Atom] = {}
        for (i, by), (_, n) in zip(found, path, strict=True):
            again[i] = _shifted(b, lookup(self.env, i), by, n)
        value = self._again(instr.args[1], again, b, [loop.blocks[0] for loop in loops])
        if value is None:
            return False
        ref = lookup(self.env, root)
        for i, _ in found:
            ref = b.index(ref, lookup(self.env, i))
        b.addto(ref, value)
        self.pulled = True
        return True

    def _loops_inside(self, home: Block) -> list[Instr]:
        """The loops between a block and here; none if there is anything else but loops over all of a range."""
        loops: list[Instr] = []
        for block in reversed(self.around):
            if block is home:
                return loops
            owner = self.owners.get(block)
            if owner is None or owner.op != "build" or owner.args:
                return []
            loops.append(owner)
        return []

    def _again(
        self, a: Atom, again: dict[Var, Atom], b: Builder, inside: list[Block]
    ) -> Atom | None:
        """A value with other loop indices, those in `again`; None if it is not cheap."""
        if isinstance(a, Const) or a in again:
            return a if isinstance(a, Const) else again[a]
        if a.block not in inside or a.instr is None:
            return lookup(self.env, a)
        if a.instr.op not in _CHEAP or len(again) > _MOST:
            return None
        args = [self._again(x, again, b, inside) for x in a.instr.args]
        if any(x is None for x in args):
            return None
        known = b.index(*args) if a.instr.op == "index" else b.prim(a.instr.op, *args)  # type: ignore[arg-type]
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


def _shift(index: Atom, n: int, loops: list[Instr]) -> tuple[Var, int] | None:
    """The loop's index i and the shift s for which an index is i + s mod n, if i goes through 0 .. n - 1."""
    for loop in loops:
        i = loop.blocks[0].params[0]
        if loop.attr == n:
            by = _cyclic(index, i, n)
            if by is not None:
                return i, by
    return None


def _cyclic(index: Atom, i: Var, n: int) -> int | None:
    """The s for which an index is i + s mod n for all i in 0 .. n - 1."""
    by = _offset(index, i)
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


def _range_where(condition: Atom, i: Var, n: int) -> tuple[tuple[int, int], tuple[int, int]] | None:
    """The i in 0 .. n - 1 for which a condition holds, and those for which not, each from first to last."""
    instr = condition.instr if isinstance(condition, Var) else None
    if instr is None or instr.args[0] is not i or not isinstance(instr.args[1], Const):
        return None
    k = int(instr.args[1].value)
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


def _shifted(b: Builder, i: Atom, by: int, n: int) -> Atom:
    """i - by mod n."""

    def at(c: int) -> Atom:
        return b.prim("add", i, Const(c, I64))

    if by == 0:
        return i
    if by == 1:
        first = b.prim("eq", i, Const(0, I64))
        return b.prim("select", first, Const(n - 1, I64), at(-1))
    if by == n - 1:
        last = b.prim("eq", i, Const(n - 1, I64))
        return b.prim("select", last, Const(0, I64), at(1))
    return b.prim("select", b.prim("lt", i, Const(by, I64)), at(n - by), at(-by))
