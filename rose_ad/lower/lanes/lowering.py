"""Lane code: a function written once for several runs of it, side by side in the lanes of SIMD registers.

What is the same in all lanes is computed once, as in scalar code; what varies (divergence.py) is computed on
vectors. How both are held is the matter of values.py.

Where a branch diverges, each side is run under a mask of the lanes that take it, if any does, and the results
are blended. A loop with varying bounds runs while any lane does. Lanes that are off compute nothing that is
seen: they add nothing, fail no check, and their indices are kept inside their arrays.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import ClassVar

from ...ir.core import Atom, Block, Const, Function, Instr, Unset, Var
from ...ir.queries import block_uses, instructions
from ...ir.types import I64, Array, Bool, Ref, Scalar, scalar_of, value_type
from ..checks import check_index, fail_where
from ..failures import IndexCheck
from ..interrupts import ask_in
from ..loops import Cell, List, Loop, While, go_on
from ..module import Callee, Module
from ..prim_text import scalar_form, vector_form, written
from ..writer import made_at
from .divergence import Flags, argument_flags
from .values import LaneValues, Scattered, count

# arithmetic of a cycle or less: neither roots and quotients nor calls
_CHEAP = frozenset(
    "add sub mul factor scale neg abs min max lt le eq ne and or not select to_f64 bool_to_i64 "
    "widen narrow".split()
)
_SPECULATED = 8  # instructions that cost less than a mispredicted branch
# a side is taken once in so many times, LLVM is told: values are to be spilled there, not on the way around it
_RARE = 16


def lane_function(module: Module, f: Function, flags: Flags, width: int, masked: bool) -> Callee:
    """A function for `width` lanes whose parameters vary as `flags` says; if `masked`, some may be off."""
    key = f, flags, width, masked
    return module.lowered(key, lambda: LaneLowering(module, *key).run(f))


class LaneLowering(LaneValues):
    """One function being written for `width` lanes.

    `told` are conditions that only say which iterations a filter keeps: of these it is enough to know whether
    they hold in any lane, one bit, which is known where the lanes branch.
    """

    # what asks the methods under "representation" alone, and so is the same in lanes
    inherited: ClassVar[frozenset[str] | None] = frozenset(
        {"accum", "freeze", "host", "join", "pack", "rewind", "scan"}
    )

    def __init__(self, module: Module, f: Function, flags: Flags, width: int, masked: bool) -> None:
        super().__init__(module, f, flags, width, masked)
        self.told = _told(f, self.varying)

    def is_branch(self, cond: Instr) -> bool:
        return not self.varies(cond.args[0])

    def told_by(self, a: Atom) -> str:
        """Whether a condition that is told holds in any lane that is on."""
        if isinstance(a, Const) and a.value:
            return "true" if self.mask is None else self.any(self.mask)
        return self.atom(a)

    def _prim(self, instr: Instr) -> None:
        (out,) = instr.outs
        if not self.varies(out):
            super()._prim(instr)
            return
        t = instr.args[-1].type
        assert isinstance(t, Scalar)
        template = written(instr)
        operands = [self.vector(a) for a in instr.args]
        name = self.fresh("v")
        lines = vector_form(template, t, self.width, name, operands)
        if lines is None:
            self.values[out] = self._lane_by_lane(template, instr, operands)
            return
        self.write(lines)
        self.values[out] = name

    def _lane_by_lane(self, template: str, instr: Instr, operands: Sequence[str]) -> str:
        t, out = instr.args[-1].type, instr.outs[0].type
        assert isinstance(t, Scalar) and isinstance(out, Scalar)
        found = []
        for k in range(self.width):
            x = [
                self.lane(a.type, v, k)  # type: ignore[arg-type]
                for a, v in zip(instr.args, operands, strict=True)
            ]
            found.append(self.fresh("v"))
            self.write(scalar_form(template, t, found[-1], x))
        return self.joined(out, found)

    def _index(self, instr: Instr) -> None:
        (out,) = instr.outs
        a, i = instr.args
        if a not in self.scattered and not self.varies(i):
            super()._index(instr)
            return
        s = self.scattered.get(a) or Scattered(self.atom(a), None, self.varies(a))
        size = count(out.type)
        by = self.vector(i)
        if size != 1:
            by = self.assign(f"mul {self.vector_type(I64)} {by}, splat (i64 {size})")
        part = self.moved(s, by)
        if isinstance(out.type, Scalar):
            self.values[out] = self.gather(part, out.type)
        else:
            self._scatter(out, part, instr.loc)

    def _scatter(self, out: Var, s: Scattered, loc: int) -> None:
        """Have `out` be what `s` says, brought together where it is wanted whole."""
        if isinstance(out.type, Array) and out in self.whole:
            self.values[out] = self.own_copy(s, out.type, loc)
        else:
            self.scattered[out] = s

    def _reshape(self, instr: Instr) -> None:
        (a,) = instr.args
        if a in self.scattered:
            self._scatter(instr.outs[0], self.scattered[a], instr.loc)
        else:
            super()._reshape(instr)

    def _slice(self, instr: Instr) -> None:
        (a,), start = instr.args, instr.span.start
        if a in self.scattered:
            moved = self.moved(self.scattered[a], f"splat (i64 {start})")
            self._scatter(instr.outs[0], moved, instr.loc)
        else:
            super()._slice(instr)

    def _check(self, instr: Instr) -> None:
        if not self.varies(instr.args[0]):
            check_index(self, instr)
            return
        kind = self.vector_type(I64)
        i = self.atom(instr.args[0])
        ok = self.assign(f"icmp ult {kind} {i}, splat (i64 {instr.length})")
        found = self.any(self.both(self.mask, self.off(ok)))
        fail_where(self, found, IndexCheck(instr.loc, instr.length))
        self.values[instr.outs[0]] = self.select(I64, ok, i, "zeroinitializer")

    def _addto(self, instr: Instr) -> None:
        ref, value = instr.args
        t = value.type
        if isinstance(t, Scalar):
            self.add_entry(ref, t, None, value, instr.loc)
        else:
            with self.entries(t) as e:
                self.add_entry(ref, scalar_of(t), e, value, instr.loc)

    def _call(self, instr: Instr) -> None:
        if not any(self.varies(a) or isinstance(a.type, Ref) for a in instr.args):
            # not where it is called: what varies is known of this function's own values only
            self.call_apart(instr)
            return
        scattered = [a in self.scattered for a in instr.args]
        flags = argument_flags(instr, self.varying, self.shared)
        flags = tuple(f or s for f, s in zip(flags, scattered, strict=True))
        callee = lane_function(self.module, instr.callee, flags, self.width, self.mask is not None)
        places = [self.place(o, made_at(o, instr.loc)) for o in instr.outs]
        args, own = [], []
        for a in instr.args:
            if a in self.scattered:  # a reference: added into where it is by lanes of their own
                t = value_type(a.type)
                place = self.slot(self.width * t.size, instr.loc)
                self.clear(place, self.width * t.size, self.align(scalar_of(t)))
                own.append((self.scattered[a], t, place))
                args.append(f"ptr {place}")
            else:
                args.append(self.typed(a))
        mask = [] if self.mask is None else [f"{self.vector_type(Bool)} {self.mask}"]
        self.run_callee(callee, args, places, mask)
        for s, t, place in own:
            scalar = scalar_of(t)
            with self.entries(t) as e:
                value = self.load_vector(scalar, self.lane_entry(scalar, place, e))
                self.add_scattered(self.moved(s, self.splat(I64, e)), scalar, value)
        for o, p in zip(instr.outs, places, strict=True):
            self.values[o] = self.read(o, p)

    def _cond(self, instr: Instr) -> None:
        if self.varies(instr.args[0]):
            self._diverge(instr)
        else:
            super()._cond(instr)

    def _diverge(self, instr: Instr) -> None:
        """Both sides of a branch, each for the lanes that take it, if there are any."""
        p = self.atom(instr.args[0])
        places = [
            None if isinstance(o.type, Scalar) else self.place(o, instr.loc) for o in instr.outs
        ]
        sides = []
        for k, block in enumerate(instr.blocks):
            with self.under(p if k == 0 else self.off(p)):
                sides.append(self._side(instr, block, places, first=k == 0))
        for o, place, x, y in zip(instr.outs, places, *sides, strict=True):
            if place is not None:
                self.values[o] = place
            elif o in self.told:
                self.values[o] = self.assign(f"or i1 {x}, {y}")
            else:
                assert isinstance(o.type, Scalar) and x is not None and y is not None
                self.values[o] = self.select(o.type, p, x, y)

    def _side(
        self, instr: Instr, block: Block, places: Sequence[str | None], first: bool
    ) -> list[str | None]:
        """One side under its mask: the scalars it gives, its arrays put or blended into their places."""
        assert self.mask is not None
        if all(p is None for p in places) and self._is_cheap(block):
            self.block(block, places)
            return [self.like(r, o) for r, o in zip(block.results, instr.outs, strict=True)]
        run, after, before = self.fresh("side"), self.fresh("end"), self.label
        self.branch(self.any(self.mask), run, after, _RARE)
        self.start(run)
        usable = self.usable(places, block.results, instr.outs) if first else [None] * len(places)
        self.block(block, usable)
        values: list[str | None] = []
        for r, o, place in zip(block.results, instr.outs, places, strict=True):
            values.append(self.like(r, o) if place is None else None)
            if place is not None and first:
                self.put(r, o, place)
            elif place is not None and not isinstance(r, Unset):
                self._blend(r, place)
        end = self.label
        self.emit(f"br label {after}")
        self.start(after)
        return [
            None
            if x is None
            else self.assign(f"phi {self.kind(o)} [ {x}, %{end} ], [ zeroinitializer, %{before} ]")
            for x, o in zip(values, instr.outs, strict=True)
        ]

    def like(self, a: Atom, v: Var) -> str:
        return self.told_by(a) if v in self.told else super().like(a, v)

    def kind(self, a: Atom) -> str:
        return "i1" if a in self.told else super().kind(a)

    def _is_cheap(self, block: Block) -> bool:
        """Whether a side costs less than a wrong guess of whether any lane takes it, and can be run, under
        its mask, when none does."""
        cost = 0
        for instr in block.instrs:
            if instr.op in _CHEAP:
                cost += 1
            elif instr.op != "cond" or not self.varies(instr.args[0]):
                return False
        return cost <= _SPECULATED

    def _blend(self, a: Atom, place: str) -> None:
        """Put an array at a place in the lanes that are on."""
        t = scalar_of(a.type)
        with self.entries(a.type) as e:
            pointer = self.lane_entry(t, place, e)
            new = self.entry_of(a, e)
            # where no lane took the other side, what is there has never been written
            old = self.assign(f"freeze {self.vector_type(t)} {self.load_vector(t, pointer)}")
            self.store_vector(t, self.on(t, new, old), pointer)

    def _while(self, instr: Instr) -> None:
        _, test = instr.blocks
        (LaneWhile if self.varies(test.results[0]) else While)(self, instr).run()

    def _build(self, instr: Instr) -> None:
        if any(self.varies(a) for a in instr.args):
            self._run_while_any(instr)
        else:
            self.loop(instr)

    def _run_while_any(self, instr: Instr) -> None:
        """A loop for effects with bounds that vary."""
        with self._while_any(instr) as (_, on), self.under(on):
            self.block(instr.blocks[0], [])

    @contextmanager
    def _while_any(self, instr: Instr) -> Iterator[tuple[str, str]]:
        """A loop with bounds that vary: its index, and the lanes that run the iteration.

        From a common lower bound the lanes go on together, with one index; else each has its own.
        """
        (body,) = instr.blocks
        index = body.params[0]
        low, high = instr.args
        kind = self.vector_type(I64)
        if not self.varies(low):
            last = self.vector(high)
            loop = Loop(self, self.atom(low), self.greatest(last, -(2**63)))
            self.values[index] = loop.index
            on = self.assign(f"icmp slt {kind} {self.splat(I64, loop.index)}, {last}")
        else:
            first = self.vector(low)
            steps = self.assign(f"sub {kind} {self.vector(high)}, {first}")
            loop = Loop(self, "0", self.greatest(steps, 0))
            step = self.splat(I64, loop.index)
            on = self.assign(f"icmp slt {kind} {step}, {steps}")
            own = self.assign(f"add {kind} {first}, {step}")
            assert index.range is not None  # what is proved of the index holds in every lane
            self.values[index] = self.select(I64, on, own, f"splat (i64 {index.range[0]})")
        ask_in(self, instr, loop.index)
        yield loop.index, on
        loop.close()

    def _filter(self, instr: Instr) -> None:
        """The list has what any lane keeps; lanes with indices of their own have lists of their own."""
        (body,) = instr.blocks
        keep = body.results[0]
        if not any(self.varies(a) for a in (*instr.args, keep)):
            super()._filter(instr)
            return
        kept = LaneList(self, instr)
        if any(self.varies(a) for a in instr.args):
            with self._while_any(instr) as (row, on), self.under(on):
                kept.step(row)
                kept.append(keep, self.atom(body.params[0]))
        else:
            self.fill(kept)
        kept.close()


class LaneList(List):
    """The list of a filter that lanes differ in what they keep of."""

    f: LaneLowering

    def append(self, keep: Atom, index: str) -> None:
        f, kept = self.f, self.instr.outs[0]
        if keep in f.told:
            self.append_if(f.atom(keep), index)
            return
        on = f.both(f.mask, f.vector(keep))
        if not f.varies(kept):
            self.append_if(f.any(on), index)
            return
        n = self.count.get()
        places = f.moved(Scattered(self.kept, None, True), n)
        for k, pointer in enumerate(f.addresses(places, I64)):
            # what is not kept is written where the next will be
            f.store(I64, f.lane(I64, index, k), pointer)
        kind = f.vector_type(I64)
        step = f.assign(f"zext {f.vector_type(Bool)} {on} to {kind}")
        self.count.set(f.assign(f"add {kind} {n}, {step}"))


class LaneWhile(While):
    """A while loop whose lanes end at steps of their own: it goes on while the test holds in one of them."""

    f: LaneLowering

    def start(self) -> None:
        f = self.f
        self.on = Cell(f, f.vector_type(Bool))
        self.on.set(f.mask or "splat (i1 true)")
        self.counts = Cell(f, f.vector_type(I64))
        self.counts.set("zeroinitializer")

    def test_step(self, end: str) -> str:
        f = self.f
        before = self.on.get()
        with f.under(before):
            f.block(self.test, [None])
        on = f.both(before, f.vector(self.test.results[0]))
        self.on.set(on)
        go_on(f, f.any(on), end)
        kind = f.vector_type(I64)
        step = f.assign(f"zext {f.vector_type(Bool)} {on} to {kind}")
        self.counts.set(f.assign(f"add {kind} {self.counts.get()}, {step}"))
        return on

    def taken(self, steps: str) -> str:
        return self.counts.get()


def _told(f: Function, varying: frozenset[Var]) -> set[Var]:
    """The varying conditions that say which iterations a filter keeps for all lanes, and nothing else."""
    uses = Counter(block_uses(f.block))

    def told_with(a: Atom) -> list[Var] | None:
        """A condition and those it is made of, if it is literal or what branches give; None if it is not."""
        if isinstance(a, Const):
            return []
        if uses[a] != 1 or a not in varying or a.instr is None or a.instr.op != "cond":
            return None
        at = a.instr.outs.index(a)
        sides = [told_with(side.results[at]) for side in a.instr.blocks]
        return None if None in sides else [a, *(v for side in sides for v in side or [])]

    found: set[Var] = set()
    for instr in instructions(f.block):
        if instr.op == "filter" and instr.outs[0] not in varying:
            found.update(told_with(instr.blocks[0].results[0]) or [])
    return found
