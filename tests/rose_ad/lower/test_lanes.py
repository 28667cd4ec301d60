"""Batches of contact-like programs: branches in branches, on what lanes share and on what they differ in."""

from __future__ import annotations

from typing import Any

import llvmlite.binding as llvm
import numpy as np
import pytest

import rose_ad as ra
from rose_ad.api.pipeline import lowered
from tests.rose_ad import contacts
from tests.support.checks import agree, traced
from tests.support.contact_programs import program

GENERATED = range(120)  # programs that are written as LLVM text
RUN = range(0, 120, 15)  # and those of them that are run


def spring(q: Any) -> Any:
    """Energy of all pairs nearer than 1."""
    energy = ra.accum()
    for i in ra.range(3):
        for j in ra.range(3):
            with ra.when(i != j):
                d = q[i] - q[j]
                with ra.when(d * d < 1):
                    energy += d * d
    return energy.freeze()


def test_a_branch_on_what_differs_in_one_on_what_does_not() -> None:
    q = np.array([[0, 0.5, 3], [0, 2, 4]])
    wanted = [[-2, 2, 0], [0, 0, 0]]
    assert ra.vmap(ra.grad(spring))(q).tolist() == wanted
    assert ra.grad(lambda q: ra.sum(ra.vmap(spring)(q)))(q).tolist() == wanted
    second = ra.vmap(ra.hessian(spring))(q)
    assert second[0].tolist() == [[4, -4, 0], [-4, 4, 0], [0, 0, 0]] and not second[1].any()
    moved = ra.vmap(ra.grad(lambda q: ra.fori_loop(0, 2, lambda i, c: c + spring(q), 0.0)))(q)
    assert moved.tolist() == [[-4, 4, 0], [0, 0, 0]]


@pytest.mark.parametrize("shared", [False, True])
def test_generated_programs_are_written(shared: bool) -> None:
    for seed in GENERATED:
        args, axes = contacts.given(seed, 3, shared)
        f = ra.vmap(contacts.derivative(seed, program(seed)), axes)
        text = lowered(traced(f, *args)).text
        llvm.parse_assembly(text, llvm.create_context()).verify()


@pytest.mark.parametrize("seed", RUN)
def test_generated_programs_agree(seed: int) -> None:
    """With the interpreter, and with single calls."""
    found = contacts.check(seed)
    single = ra.fn(contacts.derivative(seed, program(seed)))
    _, args, _ = contacts.batch(seed, 6)
    each = [single(*(a if np.ndim(a) == 0 else a[m] for a in args)) for m in range(6)]
    for k, ours in enumerate(found):
        agree(ours, np.array([ra.flatten(one)[0][k] for one in each]))
