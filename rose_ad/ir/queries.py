"""What is asked of programs: what an instruction reads, who uses a value, what a function calls."""

from __future__ import annotations

from collections.abc import Iterator

from .core import Atom, Block, Const, Function, Instr, Steps, Var
from .ops import VALUES, VIEWS
from .prims import TABLE
from .types import Array

_PLAIN = TABLE.keys() | VALUES | {"check"}


def carried(instr: Instr) -> tuple[Atom, ...]:
    """The initial carries of a scan, while or rewind."""
    return instr.args[1:] if counts(instr) else instr.args


def counts(instr: Instr) -> tuple[Atom, ...]:
    """The number of steps of a counted scan or rewind, nothing for others."""
    return instr.args[:1] if isinstance(instr.attr, Steps) and instr.attr.counted else ()


def instructions(block: Block) -> Iterator[Instr]:
    """Every instruction of the block and of the blocks inside it, outermost first."""
    for instr in block.instrs:
        yield instr
        for inner in instr.blocks:
            yield from instructions(inner)


def uses(instr: Instr) -> Iterator[Var]:
    """The variables an instruction reads, those its blocks read included, whether its own or not."""
    for a in instr.args:
        if isinstance(a, Var):
            yield a
    for block in instr.blocks:
        yield from block_uses(block)


def block_uses(block: Block) -> Iterator[Var]:
    """The variables that are read inside a block."""
    for instr in block.instrs:
        yield from uses(instr)
    for a in block.results:
        if isinstance(a, Var):
            yield a


def users_of(variables: set[Var], block: Block) -> dict[Var, list[Instr]]:
    """The instructions of a block, in order, that use each of these variables, in blocks inside them too."""
    out: dict[Var, list[Instr]] = {v: [] for v in variables}
    if out:
        for instr in block.instrs:
            _note_user(instr, instr, out)
    return out


def _note_user(instr: Instr, user: Instr, out: dict[Var, list[Instr]]) -> None:
    _note_atoms(instr.args, user, out)
    for block in instr.blocks:
        for inner in block.instrs:
            _note_user(inner, user, out)
        _note_atoms(block.results, user, out)


def _note_atoms(atoms: tuple[Atom, ...], user: Instr, out: dict[Var, list[Instr]]) -> None:
    for a in atoms:
        if type(a) is Var and a in out:
            users = out[a]
            if not users or users[-1] is not user:
                users.append(user)


def free_variables(block: Block) -> dict[Var, None]:
    """The variables a block reads that are defined outside it, in order of first use."""
    own: set[Var] = set()
    free: dict[Var, None] = {}

    def visit(b: Block) -> None:
        own.update(b.params)
        for instr in b.instrs:
            for a in instr.args:
                if isinstance(a, Var) and a not in own:
                    free.setdefault(a)
            for inner in instr.blocks:
                visit(inner)
            own.update(instr.outs)
        for a in b.results:
            if isinstance(a, Var) and a not in own:
                free.setdefault(a)

    visit(block)
    return free


def callees(function: Function) -> list[Function]:
    """The function and all it calls, directly or not, callees first."""
    seen: dict[Function, None] = {}

    def visit(f: Function) -> None:
        if f in seen:
            return
        for instr in instructions(f.block):
            if instr.op == "call":
                visit(instr.callee)
        seen[f] = None

    visit(function)
    return list(seen)


def root_of(ref: Atom) -> Var:
    """The whole reference that a reference is part of: an accum's result or a parameter."""
    while isinstance(ref, Var) and ref.instr is not None and ref.instr.op in VIEWS:
        ref = ref.instr.args[0]
    assert isinstance(ref, Var)
    return ref


def is_zero(a: Atom) -> bool:
    """Whether an atom is literally zero (either sign)."""
    return isinstance(a, Const) and not isinstance(a.type, Array) and a.value == 0


def is_plain(loop: Instr) -> bool:
    """Whether an instruction is a loop of plain operations that makes arrays."""
    if loop.op != "build" or loop.args or not loop.outs or loop.in_lanes:
        return False
    return all(map(is_plain_operation, loop.blocks[0].instrs))


def is_plain_operation(instr: Instr) -> bool:
    """Whether an instruction only computes, neither branches nor loops nor adds somewhere."""
    return instr.op in _PLAIN
