"""A build that is marked Lanes: a loop over groups of iterations, each group run by lane code.

The last group may have fewer iterations than there are lanes. Its spare lanes run the last iteration again,
which changes nothing; only what adds into a reference from outside has to know, and takes a mask.
"""

from __future__ import annotations

from collections.abc import Sequence

from ...ir.builder import Builder
from ...ir.copying import Copier, Env
from ...ir.core import Function, Instr, Var
from ...ir.in_force import in_force, under
from ...ir.queries import callees, free_variables, instructions
from ...ir.types import F32, F64, Array, Ref, Scalar, scalar_of, value_type
from ..interrupts import ask_in
from ..loops import Loop
from ..lowering import Lowering
from ..memory_layout import memory_type
from .divergence import divergence
from .lowering import lane_function
from .values import count

# bytes: into a reference of up to this size, with lanes, each lane adds on its own
_PRIVATE = 1 << 14


def run_in_groups(f: Lowering, instr: Instr) -> None:
    """Write a build marked Lanes as code for groups of its iterations.

    One that calls Python back is run an iteration at a time, as Python is; so are all where the beginning of a
    NaN is looked for.
    """
    schedule = in_force()
    with under(schedule if f.contract else schedule.exact):
        function, captured = outlined(instr)
    calls_back = any(i.op == "host" for g in callees(function) for i in instructions(g.block))
    if calls_back or f.module.nans:
        f.loop(instr)
    else:
        _Groups(f, instr, function, captured).run()


def lane_count(function: Function) -> int:
    """The lanes for a function: as many of its widest floats as 256 bits hold."""
    scalars = {
        scalar_of(v.type)
        for g in callees(function)
        for v in [*g.params, *(o for i in instructions(g.block) for o in i.outs)]
    }
    return 8 if F32 in scalars and F64 not in scalars else 4


def outlined(instr: Instr) -> tuple[Function, list[Var]]:
    """A loop's body as a function of its index and of the variables from outside, and those variables."""
    (body,) = instr.blocks
    index, free = body.params[0], list(free_variables(body))
    b = Builder()
    env: Env = {v: b.block.param(v.type) for v in [index, *free]}
    for old, new in env.items():
        assert isinstance(new, Var)
        new.range = old.range
    Copier(env).block(body, b)
    return Function("lanes", b.block, instr.loc), free


class _Groups:
    def __init__(
        self, f: Lowering, instr: Instr, function: Function, captured: Sequence[Var]
    ) -> None:
        self.f, self.instr, self.n = f, instr, int(instr.length)
        self.function, self.captured = function, captured
        self.width = lane_count(self.function)
        self.private = [self._is_private(p) for p in self.function.params[1:]]
        flags = (True, *self.private)
        effects = any(isinstance(v.type, Ref) for v in self.captured)
        self.masked = effects and self.n % self.width != 0
        self.callee = lane_function(f.module, self.function, flags, self.width, self.masked)
        varying = divergence(self.function, flags)
        self.varies = [r in varying for r in self.function.results]

    def _is_private(self, p: Var) -> bool:
        """Whether each lane adds on its own into a reference, all being summed up after the loop."""
        if not isinstance(p.type, Ref) or p.type.of.size * self.width > _PRIVATE:
            return False
        index = self.function.params[0]
        used = [i for i in instructions(self.function.block) if p in i.args]
        return any(i.op != "index" or i.args[1] is not index for i in used)

    def run(self) -> None:
        f, instr = self.f, self.instr
        places = [f.place(o, instr.loc) for o in instr.outs]
        rows = [
            f.slot(r.type.size * (self.width if v else 1), instr.loc)  # type: ignore[union-attr]
            for r, v in zip(self.function.results, self.varies, strict=True)
        ]
        args = []
        sums: list[tuple[Var, str]] = []
        for v, private in zip(self.captured, self.private, strict=True):
            if private:
                size = value_type(v.type).size * self.width
                place = f.slot(size, instr.loc)
                f.clear(place, size, scalar_of(v.type).size)
                sums.append((v, place))
                args.append(f"ptr {place}")
            else:
                args.append(f.typed(v))
        loop = Loop(f, "0", str(-(-self.n // self.width)))
        ask_in(f, instr, loop.index)
        index, mask = self._indices(loop.index)
        f.run_callee(self.callee, [f"<{self.width} x i64> {index}", *args], rows, mask)
        for k, o in enumerate(instr.outs):
            self._store_rows(o, rows[k], places[k], index, self.varies[k])
        loop.close()
        for v, place in sums:
            self._add_lanes(v, place)
        f.values.update(zip(instr.outs, places, strict=True))

    def _indices(self, group: str) -> tuple[str, list[str]]:
        """The iterations of a group, and, if that is asked for, which of its lanes are on."""
        f, kind = self.f, f"<{self.width} x i64>"
        first = f.assign(f"mul i64 {group}, {self.width}")
        one = f.assign(f"insertelement {kind} poison, i64 {first}, i64 0")
        zeros = f"<{self.width} x i32> zeroinitializer"
        all_ = f.assign(f"shufflevector {kind} {one}, {kind} poison, {zeros}")
        steps = ", ".join(f"i64 {k}" for k in range(self.width))
        index = f.assign(f"add {kind} {all_}, <{steps}>")
        if self.n % self.width == 0:
            return index, []
        on = f.assign(f"icmp slt {kind} {index}, splat (i64 {self.n})")
        last = f"{kind} splat (i64 {self.n - 1})"
        inside = f.assign(f"select <{self.width} x i1> {on}, {kind} {index}, {last}")
        return inside, [f"<{self.width} x i1> {on}"] if self.masked else []

    def _store_rows(self, out: Var, rows: str, place: str, index: str, varies: bool) -> None:
        """Copy what the lanes gave to their rows of an array."""
        f, t = self.f, scalar_of(out.type)
        targets = [
            f.row(out, place, f.assign(f"extractelement <{self.width} x i64> {index}, i64 {k}"))
            for k in range(self.width)
        ]
        assert isinstance(out.type, Array)
        entries = Loop(f, "0", str(count(out.type.of)))
        for k, target in enumerate(targets):
            value = self._load_lane(t, rows, entries.index, k if varies else None)
            f.emit(f"store {memory_type(t)} {value}, ptr {f.entry(t, target, entries.index)}")
        entries.close()

    def _load_lane(self, t: Scalar, pointer: str, e: str, k: int | None) -> str:
        """Entry `e` in lane `k` of an array with its lanes innermost, or of one without, as it is in memory."""
        f, kind = self.f, memory_type(t)
        if k is None:
            return f.assign(f"load {kind}, ptr {f.entry(t, pointer, e)}")
        lanes = f"[{self.width} x {kind}]"
        at = f.assign(f"getelementptr inbounds {lanes}, ptr {pointer}, i64 {e}, i64 {k}")
        return f.assign(f"load {kind}, ptr {at}")

    def _add_lanes(self, ref: Var, place: str) -> None:
        """Add what the lanes have summed up into the reference."""
        f, t = self.f, scalar_of(ref.type)
        entries = Loop(f, "0", str(count(ref.type)))
        to = f.entry(t, f.atom(ref), entries.index)
        for k in range(self.width):
            f.add_scalar(t, to, self._load_lane(t, place, entries.index, k), self.instr.loc)
        entries.close()
