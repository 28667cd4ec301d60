"""Random contact-like programs in batches, differentiated: python -m tests.rose_ad.contacts --count 5000

Each of `tests/support/contact_programs.py` is differentiated, once or twice, and run for a batch in lanes, some
of which are left over; the interpreter says what is right. `--seed` is the first one.
"""

from __future__ import annotations

import argparse
import sys
import time
import traceback
from collections.abc import Callable
from typing import Any

import numpy as np

import rose_ad as ra
from rose_ad.ir.interp import interpret
from tests.support.checks import agree, traced
from tests.support.contact_programs import arguments, program


def given(seed: int, members: int, shared: bool) -> tuple[tuple[Any, ...], Any]:
    """Arguments, and their axes; the Int and the Real are each member's own or shared by all."""
    q, v, k, c = arguments(seed, members)
    return ((q, v, int(k[0]), float(c[0])), (0, 0, None, None)) if shared else ((q, v, k, c), 0)


def derivative(seed: int, f: Callable[..., Any]) -> Callable[..., Any]:
    """A gradient, or for one program in four that of the square of a gradient."""
    if seed % 4:
        return ra.value_and_grad(f, (0, 1, 3))
    return ra.grad(lambda q, v, k, c: ra.sum(ra.grad(f)(q, v, k, c) ** 2), (0, 1))


def batch(seed: int, members: int) -> tuple[ra.Fn, tuple[Any, ...], Any]:
    """The derivative of a seed's program for a batch, its arguments and their axes."""
    args, axes = given(seed, members, shared=seed % 2 == 1)
    return ra.vmap(derivative(seed, program(seed)), axes), args, axes


def check(seed: int, members: int = 6) -> list[Any]:
    """What the batch gives, which is what the interpreter gives."""
    f, args, _ = batch(seed, members)
    found = ra.flatten(f(*args))[0]
    for ours, oracle in zip(found, interpret(traced(f, *args), list(args)), strict=True):
        agree(ours, oracle)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    failed, begin, shown = 0, time.perf_counter(), 0.0
    for k in range(given.count):
        try:
            with np.errstate(all="ignore"):
                check(given.seed + k)
        except Exception:
            failed += 1
            print(f"---- seed {given.seed + k}\n{traceback.format_exc(limit=-4)}", flush=True)
        took = time.perf_counter() - begin
        if took > shown + 60 or k + 1 == given.count:
            shown = took
            print(f"{k + 1:,} programs, {took:,.0f} s, {failed} failed", flush=True)
    sys.exit(bool(failed))


if __name__ == "__main__":
    main()
