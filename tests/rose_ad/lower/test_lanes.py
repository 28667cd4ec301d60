"""Batches of contact-like programs: branches in branches, on what lanes share and on what they differ in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import llvmlite.binding as llvm
import numpy as np
import pytest

import rose_ad as ra
from rose_ad.api.pipeline import lowered
from rose_ad.ir.interp import interpret
from tests.support.checks import agree, traced
from tests.support.contact_programs import arguments, program

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


def given(seed: int, members: int, shared: bool) -> tuple[tuple[Any, ...], Any]:
    """Arguments, and their axes; the Int and the Real are each member's own or shared by all."""
    q, v, k, c = arguments(seed, members)
    return ((q, v, int(k[0]), float(c[0])), (0, 0, None, None)) if shared else ((q, v, k, c), 0)


def derivative(seed: int, f: Callable[..., Any]) -> Callable[..., Any]:
    """A gradient, or for one program in four that of the square of a gradient."""
    if seed % 4:
        return ra.value_and_grad(f, (0, 1, 3))
    return ra.grad(lambda q, v, k, c: ra.sum(ra.grad(f)(q, v, k, c) ** 2), (0, 1))


@pytest.mark.parametrize("shared", [False, True])
def test_generated_programs_are_written(shared: bool) -> None:
    for seed in GENERATED:
        args, axes = given(seed, 3, shared)
        f = ra.vmap(derivative(seed, program(seed)), axes)
        text = lowered(traced(f, *args)).text
        llvm.parse_assembly(text, llvm.create_context()).verify()


@pytest.mark.parametrize("seed", RUN)
def test_generated_programs_agree(seed: int) -> None:
    """With single calls, and with the interpreter."""
    shared = seed % 2 == 1
    args, axes = given(seed, 6, shared)
    single = ra.fn(derivative(seed, program(seed)))
    found = ra.flatten(ra.vmap(single, axes)(*args))[0]
    oracle = interpret(traced(ra.vmap(single, axes), *args), list(args))
    each = [single(*(a if np.ndim(a) == 0 else a[m] for a in args)) for m in range(6)]
    for k, (ours, interpreted) in enumerate(zip(found, oracle, strict=True)):
        agree(ours, interpreted)
        agree(ours, np.array([ra.flatten(one)[0][k] for one in each]))
