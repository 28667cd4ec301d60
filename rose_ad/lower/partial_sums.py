"""Long sums in parts: a loop that adds many numbers to one adds them up in parts, and parts in parts.

What is lost by rounding goes with the number of additions in a row, which is that of a part and not that of the
loop (Higham, "The accuracy of floating point summation", 1993). The order of additions has no meaning.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import TypeAlias

from ..ir.core import Instr, Var
from ..ir.queries import free_variables, instructions
from ..ir.types import F32, F64, Ref, Scalar
from .loops import Loop
from .memory_layout import memory_type
from .writer import Writer

# what adds a float to that at an address, for a location
Add: TypeAlias = Callable[[Scalar, str, str, int], None]

PART = 2048  # iterations: at so many, the loop over the parts takes no time
PARTS = 64  # parts that make a greater one


@contextmanager
def in_parts(f: Writer, add: Add, loop: Instr, low: str, high: str) -> Iterator[tuple[str, str]]:
    """The bounds of a build: its own, or, where it is long and adds to numbers, those of a part of it."""
    targets = _targets(loop) if loop.length >= 2 * PART and not loop.args else []
    size = PART
    while size * 2 * PARTS <= loop.length:
        size *= PARTS
    with ExitStack() as parts:
        while targets and size >= PART:
            low, high = parts.enter_context(_part(f, add, loop, targets, low, high, size))
            size //= PARTS
        yield low, high


def _targets(loop: Instr) -> list[Var]:
    """The floats from outside a loop that it adds to."""
    body = loop.blocks[0]
    added = {i.args[0] for i in instructions(body) if i.op == "addto"}
    return [v for v in free_variables(body) if v in added and _float_of(v) is not None]


def _float_of(v: Var) -> Scalar | None:
    """The float that a reference refers to, if that is what it does."""
    of = v.type.of if isinstance(v.type, Ref) else None
    return of if of is F64 or of is F32 else None


@contextmanager
def _part(
    f: Writer, add: Add, loop: Instr, targets: Sequence[Var], low: str, high: str, size: int
) -> Iterator[tuple[str, str]]:
    """The bounds of a part of that size, in a loop over the parts, each of which has sums of its own."""
    whole = f.assign(f"sub i64 {high}, {low}")
    more = f.assign(f"add i64 {whole}, {size - 1}")
    outer = Loop(f, "0", f.assign(f"sdiv i64 {more}, {size}"))
    sums = {v: f.values[v] for v in targets}
    for v in targets:
        kind = memory_type(_float_of(v))  # type: ignore[arg-type]
        f.values[v] = f.fresh("part")
        f.entry_lines.append(f"  {f.values[v]} = alloca {kind}")
        f.emit(f"store {kind} 0.0, ptr {f.values[v]}")
    first = f.assign(f"add i64 {low}, {f.assign(f'mul i64 {outer.index}, {size}')}")
    end = f.assign(f"add i64 {first}, {size}")
    short = f.assign(f"icmp slt i64 {high}, {end}")
    yield first, f.assign(f"select i1 {short}, i64 {high}, i64 {end}")
    for v, pointer in sums.items():
        t = _float_of(v)
        assert t is not None
        part, f.values[v] = f.load(t, f.values[v]), pointer
        add(t, pointer, part, loop.loc)
    outer.close()
