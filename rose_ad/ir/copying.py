"""Copying IR through a builder: renaming, simplifying, dropping references.

An environment maps the variables of the source to atoms of the target; a variable it does not have stands
for itself. A reference mapped to None is gone, and so is everything added into it.
"""

from __future__ import annotations

from collections.abc import Iterable

from .builder import Builder
from .core import Atom, Block, Const, Function, Instr, Var
from .ops import Visitor
from .prims import TABLE
from .queries import carried, counts

Env = dict[Var, "Atom | None"]


def lookup(env: Env, a: Atom) -> Atom:
    """What an atom is in the target."""
    if isinstance(a, Const):
        return a
    known = env.get(a, a)
    assert known is not None, "a dropped reference is read"
    return known


def lookups(env: Env, atoms: Iterable[Atom]) -> tuple[Atom, ...]:
    """What these atoms are in the target."""
    out = tuple([env.get(a, a) if type(a) is Var else a for a in atoms])
    assert None not in out, "a dropped reference is read"
    return out  # type: ignore[return-value]


def is_dropped(env: Env, a: Atom) -> bool:
    """Whether a reference is gone."""
    return isinstance(a, Var) and a in env and env[a] is None


class Copier(Visitor):
    """Copies instructions into a builder, which simplifies, shares and hoists them."""

    def __init__(self, env: Env) -> None:
        self.env = env

    def block(self, block: Block, b: Builder, keep: Iterable[int] | None = None) -> None:
        """The block's instructions into `b`, and its results, or those at positions `keep`."""
        loc = b.loc
        for instr in block.instrs:
            self.instr(instr, b)
        b.loc = loc  # again that of what the block is part of
        kept = range(len(block.results)) if keep is None else keep
        b.block.results = lookups(self.env, (block.results[k] for k in kept))

    def instr(self, instr: Instr, b: Builder) -> None:
        """One instruction into `b`."""
        b.root.root_loc = instr.loc
        env = self.env
        if instr.op in TABLE:
            env[instr.outs[0]] = b.prim(instr.op, *lookups(env, instr.args))
        else:
            self.rows[instr.op](self, instr, b)

    def _index(self, instr: Instr, b: Builder) -> None:
        a, i = instr.args
        dropped = is_dropped(self.env, a)
        self.env[instr.outs[0]] = None if dropped else b.index(*lookups(self.env, (a, i)))

    def _check(self, instr: Instr, b: Builder) -> None:
        self.env[instr.outs[0]] = b.check(lookup(self.env, instr.args[0]), instr.length)

    def _reshape(self, instr: Instr, b: Builder) -> None:
        (a,) = instr.args
        dropped = is_dropped(self.env, a)
        self.env[instr.outs[0]] = None if dropped else b.reshape(lookup(self.env, a), instr.shape)

    def _pack(self, instr: Instr, b: Builder) -> None:
        self.env[instr.outs[0]] = b.pack(lookups(self.env, instr.args))

    def _join(self, instr: Instr, b: Builder) -> None:
        self.env[instr.outs[0]] = b.join(lookups(self.env, instr.args))

    def _slice(self, instr: Instr, b: Builder) -> None:
        (a,) = instr.args
        dropped = is_dropped(self.env, a)
        self.env[instr.outs[0]] = None if dropped else b.slice(lookup(self.env, a), instr.span)

    def _accum(self, instr: Instr, b: Builder) -> None:
        self.env[instr.outs[0]] = b.accum(instr.content, *lookups(self.env, instr.args))

    def _addto(self, instr: Instr, b: Builder) -> None:
        if not is_dropped(self.env, instr.args[0]):
            b.addto(*lookups(self.env, instr.args))

    def _freeze(self, instr: Instr, b: Builder) -> None:
        self.env[instr.outs[0]] = b.freeze(lookup(self.env, instr.args[0]))

    def _build(self, instr: Instr, b: Builder) -> None:
        (body,) = instr.blocks
        inner = enter_loop(b, instr, self.env)
        self.block(body, inner)
        if inner.block.results or inner.block.instrs:
            outs = b.build(instr.length, inner.block, lookups(self.env, instr.args))
            self.env.update(zip(instr.outs, outs, strict=True))

    def _filter(self, instr: Instr, b: Builder) -> None:
        inner = enter_loop(b, instr, self.env)
        self.block(instr.blocks[0], inner)
        outs = b.filter(instr.length, inner.block, lookups(self.env, instr.args))
        self.env.update(zip(instr.outs, outs, strict=True))

    def _scan(self, instr: Instr, b: Builder) -> None:
        inner = self._loop_body(instr, b)
        initial = lookups(self.env, carried(instr))
        outs = b.scan(instr.steps, initial, inner.block, lookups(self.env, counts(instr)))
        self.env.update(zip(instr.outs, outs, strict=True))

    def _while(self, instr: Instr, b: Builder) -> None:
        inner = self._loop_body(instr, b)
        test = b.test()
        source = instr.blocks[1]
        for p in source.params:
            self.env[p] = test.block.param(p.type)
        self.block(source, test)
        outs = b.loop_while(instr.length, lookups(self.env, instr.args), inner.block, test.block)
        self.env.update(zip(instr.outs, outs, strict=True))

    def _rewind(self, instr: Instr, b: Builder) -> None:
        copies = []
        for source in instr.blocks:
            inner = enter_loop(b, instr, self.env)
            self.env[source.params[0]] = inner.block.params[0]
            for p in source.params[1:]:
                self.env[p] = inner.block.param(p.type)
            self.block(source, inner)
            copies.append(inner.block)
        outs = b.rewind(instr.steps, lookups(self.env, instr.args), copies[0], copies[1])
        self.env.update(zip(instr.outs, outs, strict=True))

    def _loop_body(self, instr: Instr, b: Builder) -> Builder:
        """A copy of the body of a scan or while."""
        body = instr.blocks[0]
        inner = enter_loop(b, instr, self.env)
        for c in body.params[1:]:
            self.env[c] = inner.block.param(c.type)
        self.block(body, inner)
        return inner

    def _cond(self, instr: Instr, b: Builder) -> None:
        sides = []
        predicate = lookup(self.env, instr.args[0])
        for block in instr.blocks:
            inner = b.branch()
            self.block(block, inner)
            sides.append(inner.block)
        if instr.outs or sides[0].instrs or sides[1].instrs:
            outs = b.cond(predicate, sides[0], sides[1])
            self.env.update(zip(instr.outs, outs, strict=True))

    def _call(self, instr: Instr, b: Builder) -> None:
        gone = tuple(is_dropped(self.env, a) for a in instr.args)
        function = without_references(instr.callee, gone) if any(gone) else instr.callee
        args = lookups(self.env, (a for a, g in zip(instr.args, gone, strict=True) if not g))
        self.env.update(zip(instr.outs, b.call(function, args), strict=True))

    def _host(self, instr: Instr, b: Builder) -> None:
        outs = b.host(instr.host, lookups(self.env, instr.args))
        self.env.update(zip(instr.outs, outs, strict=True))


def enter_loop(b: Builder, instr: Instr, env: Env) -> Builder:
    """A builder for a copy of a loop's body, with the loop's index in the environment."""
    index = instr.blocks[0].params[0]
    assert index.range is not None
    inner = b.loop(*index.range)
    env[index] = inner.block.params[0]
    return inner


def copied(block: Block) -> Block:
    """A copy of a function's block, simplified."""
    b = Builder()
    Copier({p: b.block.param(p.type) for p in block.params}).block(block, b)
    return b.block


def substitute(block: Block, env: Env) -> None:
    """Put other atoms in the place of variables, in a block and those inside it, in place."""
    for instr in block.instrs:
        for a in instr.args:
            if type(a) is Var and a in env:
                instr.args = lookups(env, instr.args)
                break
        for inner in instr.blocks:
            substitute(inner, env)
    block.results = lookups(env, block.results)


def without_references(function: Function, gone: tuple[bool, ...]) -> Function:
    """The function without the reference parameters in `gone`, and without what it adds into them."""
    known: Function | None = function.derived.get(("without", gone))
    if known is None:
        b = Builder()
        env: Env = {
            p: None if g else b.block.param(p.type)
            for p, g in zip(function.params, gone, strict=True)
        }
        Copier(env).block(function.block, b)
        known = function.derived["without", gone] = Function(function.name, b.block, function.loc)
    return known
