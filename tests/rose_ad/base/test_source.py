"""Instructions keep the user's lines through copies and derivatives."""

from __future__ import annotations

import linecache

import numpy as np

import rose_ad as ra
from rose_ad.api.function import Fn
from rose_ad.base.source import name_of
from rose_ad.ir.queries import callees, instructions


@ra.fn
def walk(x):
    def step(c, row):
        bigger = c + row
        return ra.cond(  # cond
            bigger > 0.0,
            lambda: ra.exp(c) * bigger,
            lambda: ra.sin(bigger),
        ), ra.sqrt(bigger * bigger + 1.0)

    last, rows = ra.scan(step, 0.1, x)  # scan
    squares = ra.build(  # build
        x.shape[0],
        lambda i: rows[i] * rows[i] + ra.sin(rows[i] * last),
    )
    return last + ra.sum(squares)  # build


def lines(f: Fn, x: np.ndarray) -> set[tuple[str, str]]:
    """The structured operations of a function and all it calls, and the mark on their user's line."""
    found = set()
    for g in callees(f.lower(x).program.function):
        for instr in instructions(g.block):
            if instr.op in {"build", "scan", "cond"}:
                file, line = name_of(instr.loc).rsplit(":", 1)
                found.add(
                    (instr.op, linecache.getline(file, int(line)).rpartition("# ")[2].strip())
                )
    return found


def test_loops_and_branches_keep_their_lines() -> None:
    x = np.array([0.5, -1.0, 0.2])
    assert lines(walk, x) == {("scan", "scan"), ("cond", "cond"), ("build", "build")}


def test_and_so_do_those_of_derivatives() -> None:
    """A loop of a derivative is at the line of the loop that it comes from."""
    x = np.array([0.5, -1.0, 0.2])
    for f in (ra.grad(walk), ra.grad(lambda x: ra.sum(ra.grad(walk)(x) * x))):
        assert {op for op, mark in lines(f, x) if op == mark} == {"scan", "cond", "build"}
        assert all(op == mark for op, mark in lines(f, x) if op in {"scan", "cond"})
