"""Random programs of arrays against NumPy and JAX: python -m tests.rose_ad.against --count 5000 --seed 0

What a program of `tests/support/array_programs.py` gives, with its dtypes, is what NumPy and JAX give, compiled
and interpreted; its gradient is JAX's, as is that along a direction, for one program in four, and for another
those of a batch are the same. With `--values`, values alone are compared, with NumPy's, which is faster.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import rose_ad as ra
from rose_ad.ir.interp import interpret
from tests.support.array_programs import Library, NotThere, Program

_QUICK = (
    "--xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true "  # to compile
)

NUMPY = Library(
    xp=np,
    cond=lambda p, f, g: f() if p else g(),
    loop=lambda n, f, x: _looped(n, f, x),
    call=lambda f: f,
    grad=None,
    along=None,
    batch=lambda f, rows: np.stack([f(row) for row in rows]),
)


def ours(xp: Any) -> Library:
    """rose_ad, written with numpy's functions or with its own."""
    return Library(
        xp=xp,
        cond=ra.cond,
        loop=lambda n, f, x: ra.fori_loop(0, n, f, x),
        call=ra.fn,
        grad=ra.grad,
        along=lambda f, x, dx: ra.jvp(f, (x,), (dx,))[1],
        batch=lambda f, rows: ra.vmap(f)(rows),
    )


def jax_library() -> tuple[Any, Library]:
    """JAX, of double precision, and what programs are written with there; loops are Python's."""
    os.environ["XLA_FLAGS"] = _QUICK + os.environ.get("XLA_FLAGS", "")
    import jax

    jax.config.update("jax_platforms", "cpu")
    jax.config.update("jax_enable_x64", True)
    return jax, Library(
        xp=jax.numpy,
        cond=jax.lax.cond,
        loop=NUMPY.loop,
        call=lambda f: f,
        grad=jax.grad,
        along=lambda f, x, dx: jax.jvp(f, (x,), (dx,))[1],
        batch=lambda f, rows: jax.numpy.stack([f(row) for row in rows]),
    )


def _looped(n: int, f: Callable[[int, Any], Any], x: Any) -> Any:
    for i in range(n):
        x = f(i, x)
    return x


def leaves(x: Any) -> list[Any]:
    """The arrays of a result, whichever library made it."""
    return (
        [leaf for part in x for leaf in leaves(part)]
        if isinstance(x, tuple | list)
        else [np.asarray(x)]
    )


class Differs(AssertionError):
    """A program that gives something else here than there."""


def same(what: str, found: Any, wanted: Any, tolerance: float, dtypes: bool = True) -> None:
    """The arrays agree, up to rounding, in shape and in dtype."""
    for x, y in zip(leaves(found), leaves(wanted), strict=True):
        if x.shape != y.shape or (dtypes and x.dtype != y.dtype):
            raise Differs(f"{what}: {x.dtype}{x.shape}, not {y.dtype}{y.shape}")
        a, b = x.astype(float), y.astype(float)
        finite = np.isfinite(b)
        size = tolerance * (1 + np.abs(np.where(finite, b, 0)).max(initial=0))
        if not np.where(
            finite, np.abs(a - b) <= size, (a == b) | (np.isnan(a) & np.isnan(b))
        ).all():
            raise Differs(f"{what}: {x!r}, not {y!r}")


class Case:
    """A program, its arguments, and everything that is asked of it here, as one function."""

    def __init__(self, seed: int, derivatives: bool) -> None:
        self.seed, self.program, self.derivatives = seed, Program(seed), derivatives
        self.xp = ra if seed % 2 else np
        self.args = self.program.arguments()
        self.along = self.program.arguments(1)[:4]
        other = self.program.arguments(2)[:4]
        self.rows = [np.stack(pair) for pair in zip(self.args[:4], other, strict=True)]

    def everything(self, lib: Library) -> Callable[..., Any]:
        """(arguments, direction, rows) -> what it gives, its gradient, and that along the direction, or the
        gradients of a batch, of which the first member is at the arguments."""
        program = self.program

        def f(args: Any, along: Any, rows: Any) -> Any:
            if not self.derivatives:
                return (program(lib, *args),)
            value = ra.fn(lambda *x: program(lib, *x, *args[4:]))
            gradient = ra.value_and_grad(value, (0, 1, 2, 3), has_aux=True)
            floats = tuple(args[:4])
            if self.seed % 4 == 0:
                first = ra.grad(lambda *x: value(*x)[0], (0, 1, 2, 3))
                return value(*floats), *ra.jvp(first, floats, tuple(along))
            out, g = gradient(*floats)
            if self.seed % 4 == 1:
                return out, g, tuple(b[0] for b in ra.vmap(gradient)(*rows)[1])
            return out, g

        return f

    def found(self) -> tuple[Any, Any]:
        """What is computed here, compiled and interpreted."""
        given = self.args, self.along, self.rows
        f = ra.fn(self.everything(ours(self.xp)))
        return f(*given), interpret(f.trace(*given), ra.flatten(given)[0])

    def wanted(self, jax: Any, lib: Library) -> Any:
        """What JAX gives of it."""
        rest = self.args[4:]

        def value(*x: Any) -> Any:
            return self.program(lib, *x, *rest)

        gradient = jax.value_and_grad(value, (0, 1, 2, 3), has_aux=True)

        def f(floats: Any, along: Any) -> Any:
            if self.seed % 4:
                return gradient(*floats)
            return jax.jvp(lambda *x: gradient(*x), tuple(floats), tuple(along))

        found = jax.jit(f)(self.args[:4], self.along)
        return found if self.seed % 4 else (*found[0], found[1][1])


def check(seed: int, peer: Any) -> bool:
    """Compare a program; whether there was something to compare it with. `peer` is `jax_library()` or None."""
    case = Case(seed, derivatives=peer is not None)
    tolerance = 1e-3 if case.program.single else 1e-9
    with np.errstate(all="ignore"):
        try:
            plain = case.program(NUMPY, *case.args)
        except NotThere:
            plain = None
        if plain is None and peer is None:
            return False
        out, interpreted = case.found()
        same("interpreted", interpreted, leaves(out), tolerance, dtypes=False)
        if plain is not None:
            same("value of NumPy", out[0], plain, tolerance, dtypes=not case.program.single)
        if peer is not None:
            wanted = case.wanted(*peer)
            names = ("value of JAX", "gradient of JAX", "gradient of JAX along a direction")
            for k, theirs in enumerate(wanted):
                same(names[k], out[k], theirs, tolerance * (1, 30, 300)[k])
            if seed % 4 == 1:
                same("gradient in a batch", out[2], out[1], 30 * tolerance)
    return True


def run(
    seeds: Sequence[int], peer: Any, say: Callable[[str], None] = print
) -> tuple[int, list[int]]:
    """Compare the programs of some seeds: how many there were, and the seeds of those that differ."""
    done, failed, begin, shown = 0, [], time.perf_counter(), 0.0
    for seed in seeds:
        try:
            done += check(seed, peer)
        except Exception as error:
            failed.append(seed)
            say(f"---- seed {seed}: {type(error).__name__}: {str(error)[:600]}")
            if not isinstance(error, Differs):
                say("".join(traceback.format_exception(error)[-4:]))
        took = time.perf_counter() - begin
        if took > shown + 60:
            shown = took
            say(f"{done:,} programs, {took:,.0f} s, {len(failed)} failed")
    say(f"{done:,} programs, {time.perf_counter() - begin:,.0f} s, {len(failed)} failed")
    return done, failed


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--values", action="store_true", help="values alone, against NumPy")
    given = parser.parse_args()
    peer = None if given.values else jax_library()
    _, failed = run(range(given.seed, given.seed + given.count), peer)
    sys.exit(bool(failed))


if __name__ == "__main__":
    main()
