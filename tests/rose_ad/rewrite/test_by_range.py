"""What is known of integers by their ranges: all that always holds, and nothing else."""

from __future__ import annotations

import itertools
import operator
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import rose_ad as ra
from rose_ad.ir.builder import Builder
from rose_ad.ir.core import Atom, Block, Const, Instr, Var
from rose_ad.rewrite.passes.by_range import known_by_range

RANGES = [(-3, -3), (-3, -1), (-2, 0), (0, 0), (0, 2), (1, 3), (3, 3), (-2, 3), (4, 7), (5, 9)]
PAIRS = list(itertools.product(RANGES, RANGES))
COMPARED: dict[str, Callable[[Any, Any], Any]] = {
    "lt": operator.lt, "le": operator.le, "eq": operator.eq, "ne": operator.ne,
}  # fmt: skip


def instruction(op: str, f: Callable[[Any, Any], Any], rows: Any, columns: Any) -> Instr:
    """The instruction f, of integers in two ranges."""
    (a, c), (d, e) = rows, columns

    def table() -> Any:
        return ra.build(c - a + 1, lambda i: ra.build(e - d + 1, lambda j: f(i + a, j + d)))

    (found,) = (i for i in instructions(ra.fn(table).trace().block) if i.op == op)
    return found


def instructions(block: Block) -> list[Instr]:
    inside = [i for instr in block.instrs for b in instr.blocks for i in instructions(b)]
    return [*block.instrs, *inside]


def known(instr: Instr) -> Atom | None:
    return known_by_range(instr, instr.args, Builder())


def integers(of: tuple[int, int]) -> Any:
    return np.arange(of[0], of[1] + 1)


@pytest.mark.parametrize("op", COMPARED)
def test_comparisons(op: str) -> None:
    f = COMPARED[op]
    for rows, columns in PAIRS:
        holds = f(integers(rows)[:, None], integers(columns)[None, :])
        found = known(instruction(op, f, rows, columns))
        if holds.all() or not holds.any():
            assert isinstance(found, Const) and found.value == holds.all(), (rows, columns)
        else:
            assert found is None, (rows, columns)


@pytest.mark.parametrize("name", ["minimum", "maximum"])
def test_the_smaller_and_the_larger(name: str) -> None:
    for rows, columns in PAIRS:
        x, y = integers(rows)[:, None], integers(columns)[None, :]
        wanted = getattr(np, name)(x, y)
        instr = instruction(name[:3], getattr(ra, name), rows, columns)
        right = [a for a, v in zip(instr.args, (x, y), strict=True) if (wanted == v).all()]
        found = known(instr)
        assert found in right if right else found is None, (rows, columns)


@pytest.mark.parametrize("d", [1, 2, 3, 5])
def test_remainders(d: int) -> None:
    for rows in RANGES:
        instr = instruction("mod", lambda i, j: i % d + 0 * j, rows, (0, 1))
        quotients = {int(q) for q in integers(rows) // d}
        away = d * quotients.pop()
        found = known(instr)
        if quotients:  # there are several
            assert found is None, rows
        elif not away:
            assert found is instr.args[0], rows
        else:
            assert isinstance(found, Var) and found.instr is not None, rows
            x, less = found.instr.args
            assert x is instr.args[0] and isinstance(less, Const), rows
            assert less.value == {"sub": away, "add": -away}[found.instr.op], rows
