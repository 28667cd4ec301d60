"""Recording: which iterations of a loop did anything, so that the reverse pass visits only those.

    build n (i) { ...; cond p { r[j] += x } }

becomes

    kept, count = filter n (i) { ...; acts = cond p { r[j] += x; true } else { false }; return acts }

for a loop whose active effects are all in branches: its derivative goes through the list alone. A loop around
such loops keeps an iteration in which one of them kept any, and hands on their lists as rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from ...ir.builder import Builder
from ...ir.copying import Copier, Env, enter_loop, lookup, lookups
from ...ir.core import Atom, Block, Const, Instr, Var
from ...ir.types import I64, Bool, Ref

_LONGEST = 1 << 20  # iterations of a loop that is recorded

_NEVER, _ALWAYS = Const(False, Bool), Const(True, Bool)


def record(block: Block, active: set[Var]) -> Block | None:
    """A copy of the block with its loops recorded, given its active variables; None where there are none
    to be."""
    b = Builder()
    walk = _Recorder({p: b.block.param(p.type) for p in block.params}, active)
    walk.block(block, b)
    return b.block if walk.found else None


class _Recorder(Copier):
    """`acts` is whether the block being copied has run an active effect, `lists` are what the filters in it
    made, `open` whether these can be handed on to where they are wanted."""

    def __init__(self, env: Env, active: set[Var]) -> None:
        super().__init__(env)
        self.active = active
        self.acts: Atom = _NEVER
        self.lists: list[Atom] = []
        self.open = True
        self.found = False

    def instr(self, instr: Instr, b: Builder) -> None:
        if instr.op not in {"build", "cond"} and self._may_act(instr):
            self.acts = _ALWAYS
        super().instr(instr, b)

    def _may_act(self, instr: Instr) -> bool:
        if instr.op == "addto":
            return instr.args[1] in self.active
        if instr.op == "call":
            return any(isinstance(a.type, Ref) for a in instr.args)
        return any(self._may_act(i) for block in instr.blocks for i in block.instrs)

    @contextmanager
    def _inside(self, open: bool) -> Iterator[None]:
        """A block for itself: what it does is known at the end of the `with`, and then forgotten."""
        saved = self.acts, self.lists, self.open
        self.acts, self.lists, self.open = _NEVER, [], open
        yield
        self.acts, self.lists, self.open = saved

    def _also(self, acts: Atom, b: Builder) -> None:
        self.acts = b.prim("or", self.acts, acts)

    def _cond(self, instr: Instr, b: Builder) -> None:
        if not self._may_act(instr):
            super()._cond(instr, b)
            return
        predicate = lookup(self.env, instr.args[0])
        sides = []
        for block in instr.blocks:
            side = b.branch()
            with self._inside(open=False):
                self.block(block, side)
                side.block.results += (self.acts,)
            sides.append(side.block)
        *outs, acts = b.cond(predicate, sides[0], sides[1])
        self.env.update(zip(instr.outs, outs, strict=True))
        self._also(acts, b)

    def _build(self, instr: Instr, b: Builder) -> None:
        if not self.open or instr.in_lanes or not self._may_act(instr):
            with self._inside(open=False):
                super()._build(instr, b)
            if self._may_act(instr):
                self.acts = _ALWAYS
            return
        inner = enter_loop(b, instr, self.env)
        with self._inside(open=not instr.args):  # rows of a loop with bounds cannot be handed on
            self.block(instr.blocks[0], inner)
            acts, lists = self.acts, self.lists
        inner.block.results += tuple(lists)
        bounds = lookups(self.env, instr.args)
        count = len(instr.outs)
        outs: Sequence[Atom]
        most = _most_iterations(instr)
        if most > _LONGEST or isinstance(acts, Const) or any(o in self.active for o in instr.outs):
            outs = b.build(instr.length, inner.block, bounds)
            self.lists += outs[count:]
            self.acts = _ALWAYS
        else:
            inner.block.results = (acts, *inner.block.results)
            kept, number, *outs = b.filter(most, inner.block, bounds)
            self.lists += [kept, number, *outs[count:]]
            self._also(b.prim("ne", number, Const(0, I64)), b)
            self.found = True
        self.env.update(zip(instr.outs, outs, strict=False))

    def _scan(self, instr: Instr, b: Builder) -> None:
        with self._inside(open=True):  # its steps remember what they made
            super()._scan(instr, b)

    def _while(self, instr: Instr, b: Builder) -> None:
        with self._inside(open=True):
            super()._while(instr, b)

    def _rewind(self, instr: Instr, b: Builder) -> None:
        with self._inside(open=False):
            super()._rewind(instr, b)

    def _filter(self, instr: Instr, b: Builder) -> None:
        with self._inside(open=False):
            super()._filter(instr, b)


def _most_iterations(loop: Instr) -> int:
    """A bound on the iterations of a build."""
    low, high = loop.blocks[0].params[0].range or (0, loop.length - 1)
    return max(high - low + 1, 0)
