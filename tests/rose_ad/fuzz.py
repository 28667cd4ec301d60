"""Random programs by the thousand: python -m tests.rose_ad.fuzz --count 100000 --seed 0 --jobs 2

For each program, and for its derivatives in both modes, of first and sometimes of second order:

- the verifier accepts what every transformation makes;
- forward and reverse mode agree: <ct, J v> = <J^T ct, v>, and both with the linearised program;
- where the program is smooth, J v is its central difference;
- the machine computes what the interpreter does, bit for bit where it is compiled without contraction of
  products and sums, sums nothing up by lanes and calls no power or single-precision function, and fails where
  it fails;
- where the function fails, a derivative fails too, unless nothing it computes needs what was out of range.

Many programs are compiled as one. Each worker is a process that says what it is about to do, so that a crash
or a hang is known by its seed. What fails is shrunk and printed.
"""

from __future__ import annotations

import argparse
import dataclasses
import multiprocessing
import os
import re
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from multiprocessing.connection import Connection, wait
from random import Random
from typing import Any
from unittest import mock

import numpy as np

import rose_ad as ra
from rose_ad.ad.forward import forward
from rose_ad.ad.linearize import linearize
from rose_ad.api import pipeline
from rose_ad.api.derive import pull_back
from rose_ad.ir.builder import Builder
from rose_ad.ir.core import Block, Function, Instr
from rose_ad.ir.interp import Interpreter, interpret
from rose_ad.ir.queries import callees, free_variables, instructions
from rose_ad.ir.types import Ref, is_float, scalar_of, shape_of
from rose_ad.ir.verify import verify
from rose_ad.lower import lowering, short_loops
from rose_ad.tracing.values import type_of
from tests.support.random_programs import Program as Drawn
from tests.support.random_programs import draw
from tests.support.random_runs import arguments, function

BATCH = 40  # programs compiled together
PATIENCE = 300  # seconds that a worker may compute without a word
STALLED = 20 * PATIENCE  # seconds of the clock after which it has come to a stop
INEXACT = {"pow"}  # the machine's differs from the interpreter's in the last place


_LOOSE = re.compile(r" (reassoc |contract )+")  # what lets the machine round otherwise


class Failed(AssertionError):
    """A program for which something does not hold."""


@dataclasses.dataclass
class Case:
    """A function to be compiled, its arguments, and what the interpreter makes of them: results, or the
    location of a failed check."""

    function: Function
    args: list[Any]
    expected: list[Any] | int
    style: str
    single: bool  # whether it computes Real32s, as the interpreter does by rounding

    @property
    def exact(self) -> bool:
        """Whether the machine can be expected to have the interpreter's bits."""
        code = [i for g in callees(self.function) for i in instructions(g.block)]
        ops = {i.op for i in code}
        return not self.single and not ops & INEXACT and not any(map(sums_by_lanes, code))


# ------------------------------------------------------------------------------------- checks


def sums_by_lanes(instr: Instr) -> bool:
    """Whether the lanes of a loop each add on their own, and so in another order, into what is outside."""
    lanes = instr.op == "build" and instr.in_lanes
    return lanes and any(isinstance(v.type, Ref) for v in free_variables(instr.blocks[0]))


def need(ok: bool, what: str, *values: Any) -> None:
    if not ok:
        raise Failed(what + "".join(f"\n    {v!r}" for v in values))


def interpreted(f: Function, args: Sequence[Any]) -> list[Any] | int:
    """The results, or the location of a failed check."""
    try:
        with np.errstate(all="ignore"):
            return interpret(f, list(args))
    except ra.OutOfRange as e:
        return e.location


def clamped(f: Function, args: Sequence[Any], place: Callable[[int], int]) -> list[Any]:
    """The results where an index that leaves an array of length n is place(n) instead."""

    def within(self: Interpreter, instr: Instr, x: list[Any]) -> list[Any]:
        return x if 0 <= x[0] < instr.length else [place(instr.length)]

    with mock.patch.dict(Interpreter.rows, check=within), np.errstate(all="ignore"):
        return interpret(f, list(args))


def inner(a: Sequence[Any], b: Sequence[Any]) -> tuple[float, float]:
    """An inner product, and the size of what it sums."""
    products = [np.asarray(x, float) * np.asarray(y, float) for x, y in zip(a, b, strict=True)]
    return float(sum(p.sum() for p in products)), float(sum(np.abs(p).sum() for p in products))


def mask_of(f: Function) -> tuple[bool, ...]:
    return tuple(is_float(p.type) for p in f.params)


def floats(atoms: Sequence[Any], values: Sequence[Any]) -> list[Any]:
    """The values whose types carry derivatives."""
    return [v for a, v in zip(atoms, values, strict=True) if is_float(a.type)]


def random_like(atoms: Sequence[Any], rng: np.random.Generator) -> list[Any]:
    """Values of the types of those atoms that carry derivatives."""
    out = []
    for a in atoms:
        if is_float(a.type):
            x = rng.uniform(-1, 1, shape_of(a.type)).astype(scalar_of(a.type).dtype)
            out.append(x if x.shape else x.item())
    return out


def reverse_of(f: Function) -> Function:
    """(arguments, cotangents) -> (results, cotangents of the arguments that carry derivatives)."""
    b = Builder()
    args = [b.block.param(p.type) for p in f.params]
    cts = [b.block.param(r.type) if is_float(r.type) else None for r in f.results]
    wrt = [k for k, m in enumerate(mask_of(f)) if m]
    outs, found = pull_back(b, f, args, wrt, cts)
    b.block.results = (*outs, *found)
    return Function(f"{f.name}.vjp", b.block, f.loc)


def forward_of(f: Function) -> Function:
    """(arguments, tangents) -> (results, tangents of the results that carry derivatives)."""
    jvp, positions, kept = forward(f, mask_of(f))
    return _filled(f, jvp, positions, kept)


def linear_of(f: Function) -> Function:
    """The same, by the linearised program."""
    d = linearize(f, mask_of(f))
    return _filled(f, d, d.active_params, d.active_results)


def _filled(f: Function, derivative: Any, positions: Any, kept: Any) -> Function:
    b = Builder()
    args = [b.block.param(p.type) for p in f.params]
    tangents = {k: b.block.param(p.type) for k, p in enumerate(f.params) if is_float(p.type)}
    moving, count = [tangents[k] for k in positions], len(f.results)
    if isinstance(derivative, Function):
        outs = b.call(derivative, [*args, *moving])
        d_outs = outs[count:]
    else:
        outs = b.call(derivative.fwd, args)
        d_outs = b.call(derivative.lin, [*moving, *derivative.remembered(args, outs, count)])
    found = dict(zip(kept, d_outs, strict=True))
    wanted = [k for k, r in enumerate(f.results) if is_float(r.type)]
    b.block.results = (
        *outs[:count],
        *(found.get(k) or b.zeros(f.results[k].type) for k in wanted),
    )
    return Function(f"{f.name}.along", b.block, f.loc)


def same_bits(a: Any, b: Any) -> bool:
    """Equal, a NaN to any NaN, and a zero to one of its sign."""
    a, b = np.asarray(a), np.asarray(b)
    if a.dtype.kind != "f":
        return bool((a == b).all())
    return bool((np.isnan(a) & np.isnan(b) | (a == b) & (np.signbit(a) == np.signbit(b))).all())


def close(a: Any, b: Any, tolerance: float) -> bool:
    """Equal up to rounding in proportion to the largest entry, of 1 at least."""
    a, b = np.asarray(a, float), np.asarray(b, float)
    finite = np.isfinite(a) & np.isfinite(b)
    size = 1 + np.abs(np.where(finite, a, 0)).max(initial=0)
    ok = np.where(finite, np.abs(a - b) <= tolerance * size, (a == b) | np.isnan(a) & np.isnan(b))
    return bool(ok.all())


class Checked:
    """One program: its checks by the interpreter, and the cases that are left to the machine."""

    def __init__(self, program: Drawn, seed: int) -> None:
        self.program, self.rng = program, np.random.default_rng(seed)
        self.cases: list[Case] = []
        f = ra.fn(function(program))
        self.args = arguments(seed)
        _, structure = ra.flatten((tuple(self.args), {}))
        try:
            self.ir = f.specialise(structure, [type_of(a) for a in self.args]).ir
        except ra.OutOfRange:
            return  # known while tracing
        ops = {i.op for g in callees(self.ir) for i in instructions(g.block)}
        # Real32s are computed in double precision by the interpreter and then rounded
        self.single = bool(ops & {"widen", "narrow"}) or any(
            scalar_of(v.type).name == "F32"
            for g in callees(self.ir)
            for i in instructions(g.block)
            for v in i.outs
        )
        self.run()

    def run(self) -> None:
        f, args = self.ir, self.args
        values = self.check(f, args)
        if isinstance(values, int):
            v, ct = random_like(f.params, self.rng), random_like(f.results, self.rng)
            for derivative, more in ((forward_of(f), v), (reverse_of(f), ct)):
                found = self.check(derivative, [*args, *more])
                if found != values:
                    self.unneeded(found)
            return
        self.slope(f, args)
        J, V, (v, ct) = self.derivative(f, args, values)
        if self.rng.random() < 0.2:
            self.derivative(V, [*args, *ct], None)
            if self.rng.random() < 0.5:
                self.derivative(J, [*args, *v], None)

    def check(self, f: Function, args: list[Any]) -> list[Any] | int:
        """Verify, interpret, and leave it to the machine."""
        verify(f)
        expected = interpreted(f, args)
        self.cases.append(Case(f, args, expected, self.program.style, self.single))
        return expected

    def unneeded(self, found: list[Any] | int) -> None:
        """That a derivative failed at no other place than its function, and if it did not fail, that the
        function's results are what they are whatever elements are read where the index leaves its array."""
        need(not isinstance(found, int), "a derivative fails elsewhere than its function")
        for place in (lambda n: 0, lambda n: n - 1):
            values = clamped(self.ir, self.args, place)
            for k, value in enumerate(values):
                need(
                    same_bits(value, found[k]),  # type: ignore[index]
                    "a derivative does not fail where its function does",
                )

    def derivative(
        self, f: Function, args: list[Any], values: list[Any] | None
    ) -> tuple[Function, Function, tuple[list[Any], list[Any]]]:
        """Both modes of a function, and that they agree."""
        v, ct = random_like(f.params, self.rng), random_like(f.results, self.rng)
        J, L, V = forward_of(f), linear_of(f), reverse_of(f)
        count = len(f.results)
        verify(L)
        forwards, reverse = self.check(J, [*args, *v]), self.check(V, [*args, *ct])
        need(not isinstance(forwards, int) and not isinstance(reverse, int), "a derivative fails")
        linear = interpreted(L, [*args, *v])
        for k, value in enumerate(values or ()):
            same = [x[k] for x in (forwards, linear, reverse)]
            need(all(same_bits(value, x) for x in same), "values differ", value, *same)
        if self.program.style != "wild":
            (left, a), (right, b) = inner(ct, forwards[count:]), inner(reverse[count:], v)
            tolerance = 1e-3 if self.single else 1e-8
            need(
                abs(left - right) <= tolerance * (1 + a + b),
                "<ct, J v> is not <J^T ct, v>",
                left,
                right,
            )
            for p, q in zip(forwards[count:], linear[count:], strict=True):
                need(close(p, q, tolerance), "forward mode and linearisation differ", p, q)
        return J, V, (v, ct)

    def slope(self, f: Function, args: list[Any]) -> None:
        """The derivative is the central difference of the value."""
        if self.program.style != "smooth" or self.single:
            return
        v, count = random_like(f.params, self.rng), len(f.results)
        slope = interpret(forward_of(f), [*args, *v])[count:]
        moving = iter(v)
        directions = [next(moving) if is_float(p.type) else 0 for p in f.params]

        def at(h: float) -> list[Any]:
            moved = [a + h * d if is_float(p.type) else a
                     for a, d, p in zip(args, directions, f.params, strict=True)]  # fmt: skip
            return floats(f.results, interpret(f, moved))

        h = 1e-5 / (1 + max(float(np.abs(s).max(initial=0)) for s in slope))
        ends = [at(h), at(-h), at(2 * h), at(-2 * h)]
        for s, *values in zip(slope, *ends, strict=True):
            a, b, c, d = (np.asarray(x) for x in values)
            near, far = (a - b) / (2 * h), (c - d) / (4 * h)
            bound = 1e-5 * (1 + np.abs(s)) + 4 * np.abs(near - far) + 4e-16 * (1 + np.abs(a)) / h
            need(
                bool((np.abs(s - near) <= bound).all()), "not the central difference", s, near, far
            )


# ------------------------------------------------------------------------------------- machine


def batch_of(cases: Sequence[Case]) -> tuple[Function, list[Any]]:
    """One function that calls them all, with all their arguments and results."""
    b = Builder()
    results: list[Any] = []
    args: list[Any] = []
    for case in cases:
        params = [b.block.param(p.type) for p in case.function.params]
        results += b.call(case.function, params)
        args += case.args
    b.block.results = tuple(results)
    return Function("batch", b.block, 0), args


def run_compiled(f: Function, args: Sequence[Any], exact: bool) -> list[Any] | int:
    """What the machine makes of it; `exact` without contraction of products and sums."""
    lower = pipeline.lower

    def lowered(g: Function, *more: Any) -> Any:
        out = lower(g, *more)
        *functions, batch, entry = re.split(r"^(?=define)", out.text, flags=re.MULTILINE)
        # a program's code stays its own: what many are inlined into takes LLVM too long
        batch = re.sub(r"^(  call void @f.*)$", r"\1 noinline", batch, flags=re.MULTILINE)
        text = "".join([*functions, batch, entry])
        return dataclasses.replace(out, text=_LOOSE.sub(" ", text) if exact else text)

    on_vectors = _in_order if exact else short_loops.short_loops
    with (
        mock.patch.object(pipeline, "lower", lowered),
        mock.patch.object(lowering, "short_loops", on_vectors),
    ):
        program = pipeline.compiled(f)
    arrays = [
        np.require(a, scalar_of(p.type).dtype, ["C", "A"])
        for a, p in zip(args, f.params, strict=True)
    ]
    try:
        return program(arrays)
    except ra.OutOfRange as e:
        return e.location


def _in_order(block: Block) -> set[Instr]:
    """The loops to be written on vectors, but for those that would add to a number in another order."""

    def adds_up(loop: Instr) -> bool:
        varying = short_loops.varying(loop) or set()
        return any(i.op == "addto" and i.args[0] not in varying for i in loop.blocks[0].instrs)

    return {loop for loop in short_loops.short_loops(block) if not adds_up(loop)}


def compare(case: Case, found: Sequence[Any], exact: bool) -> None:
    for ours, oracle in zip(found, case.expected, strict=True):  # type: ignore[arg-type]
        if exact and case.exact:
            need(same_bits(ours, oracle), f"{case.function.name}: bits differ", ours, oracle)
        elif case.style != "wild":
            tolerance = 2e-3 if case.single else 1e-8
            same = close(ours, oracle, tolerance)
            need(same, f"{case.function.name}: values differ", ours, oracle)


def check_machine(cases: Sequence[Case], exact: bool) -> None:
    """Compile and run the cases, and compare each with the interpreter."""
    whole = [c for c in cases if not isinstance(c.expected, int)]
    if whole:
        f, args = batch_of(whole)
        found = run_compiled(f, args, exact)
        need(not isinstance(found, int), "a check fails on the machine only")
        for case in whole:
            count = len(case.function.results)
            compare(case, found[:count], exact)
            found = found[count:]
    for case in cases:
        if isinstance(case.expected, int):
            location = run_compiled(case.function, case.args, exact)
            need(location == case.expected, "fails elsewhere", location, case.expected)


# ------------------------------------------------------------------------------------- running


def check(program: Drawn, seed: int, machine: bool = True) -> Checked:
    """Everything of one program."""
    checked = Checked(program, seed)
    if machine:
        check_machine(checked.cases, True)
        check_machine(checked.cases, False)
    return checked


def smaller(program: Drawn) -> Iterator[Drawn]:
    """The program with one statement, helper or result less."""
    for k in range(len(program.helpers)):
        yield program._replace(helpers=program.helpers[:k] + program.helpers[k + 1 :])
        body, a, b = program.helpers[k]
        for block in _without(body):
            helper = ((block, a, b),)
            yield program._replace(helpers=program.helpers[:k] + helper + program.helpers[k + 1 :])
    for block in _without(program.body):
        yield program._replace(body=block)
    for k in range(len(program.results)):
        yield program._replace(results=program.results[:k] + program.results[k + 1 :])


def _is_block(x: Any) -> bool:
    """Whether part of a statement is a block: statements have names longer than a kind's."""
    statements = isinstance(x, tuple) and all(isinstance(y, tuple) and y for y in x)
    return statements and all(isinstance(y[0], str) and len(y[0]) > 1 for y in x)


def _without(block: tuple) -> Iterator[tuple]:
    """The block with one statement less, or with one that is smaller."""
    for k, statement in enumerate(block):
        yield block[:k] + block[k + 1 :]
        for j, part in enumerate(statement):
            if _is_block(part):
                yield block[:k] + part + block[k + 1 :]
                for less in _without(part):
                    yield (*block[:k], (*statement[:j], less, *statement[j + 1 :]), *block[k + 1 :])


def shrunk(program: Drawn, seed: int, kind: str, seconds: float = 60.0) -> Drawn:
    """A smaller program that fails in the same way."""
    end = time.perf_counter() + seconds
    found = True
    while found:
        found = False
        for candidate in smaller(program):
            if time.perf_counter() > end:
                return program
            if failure(candidate, seed)[0] == kind:
                program, found = candidate, True
                break
    return program


def failure(program: Drawn, seed: int) -> tuple[str, str]:
    """What kind of failure a program is, "" for none, and its traceback."""
    try:
        check(program, seed)
    except Exception as e:
        return (
            f"{type(e).__name__}: {str(e).splitlines()[0][:60] if str(e) else ''}",
            traceback.format_exc(),
        )
    return "", ""


def report(seed: int) -> str:
    """What fails for a seed, shrunk, with its IR."""
    program = draw(seed)
    kind, trace = failure(program, seed)
    if not kind:
        return f"seed {seed} fails in a batch only"
    program = shrunk(program, seed, kind)
    _, trace = failure(program, seed)
    try:
        ir = str(_ir(program, seed))
    except Exception as e:
        ir = f"(not traced: {type(e).__name__})"
    return f"seed {seed}: {kind}\n{program!r}\n{ir}\n{trace}"


def _ir(program: Drawn, seed: int) -> Function:
    f, args = ra.fn(function(program)), arguments(seed)
    return f.specialise(ra.flatten((tuple(args), {}))[1], [type_of(a) for a in args]).ir


def run_seeds(seeds: Sequence[int], batch: int, share: float, say: Any) -> None:
    """Check the programs of some seeds, a share of their functions by the machine; `say` is told what is
    about to be done, and what failed."""
    for start in range(0, len(seeds), batch):
        group = seeds[start : start + batch]
        cases: list[Case] = []
        for seed in group:
            say("start", (seed,))
            try:
                found = Checked(draw(seed), seed).cases
                cases += [c for c in found if Random(f"{seed} {c.function.name}").random() < share]
            except Exception:
                say("failed", (seed, report(seed)))
        say("machine", group)
        try:
            check_machine(cases, exact=start // batch % 4 != 0)
        except Exception:
            for seed in group:
                text = report(seed) if failure(draw(seed), seed)[0] else ""
                if text:
                    say("failed", (seed, text))
        say("done", (len(group), len(cases)))


def _worker(pipe: Connection, seeds: Sequence[int], batch: int, share: float) -> None:
    os.environ["ROSE_AD_CACHE"] = "off"

    def say(*message: Any) -> None:
        _end_after(PATIENCE)
        pipe.send(message)

    run_seeds(seeds, batch, share, say)
    pipe.send(("end", ()))


def _end_after(seconds: float) -> None:
    """Have this process end when it has computed for as long, however busy the machine is."""
    if sys.platform != "win32":
        import resource

        _, most = resource.getrlimit(resource.RLIMIT_CPU)
        resource.setrlimit(resource.RLIMIT_CPU, (int(time.process_time() + seconds) + 1, most))


class Worker:
    """A process with some seeds, and what it last said."""

    def __init__(self, seeds: Sequence[int], share: float) -> None:
        self.pipe, other = multiprocessing.Pipe()
        self.process = multiprocessing.Process(target=_worker, args=(other, seeds, BATCH, share))
        self.process.start()
        other.close()
        self.last: tuple[str, tuple] = ("start", tuple(seeds))
        self.seeds, self.heard, self.ended = list(seeds), time.perf_counter(), False


class Session:
    """A run over many seeds by some workers."""

    def __init__(self, share: float, chunks: list[list[int]]) -> None:
        self.share, self.waiting = share, chunks
        self.workers: list[Worker] = []
        self.failures: list[str] = []
        self.done = self.cases = 0
        self.begin = time.perf_counter()

    def run(self, jobs: int, seconds: float) -> None:
        shown = self.begin
        while self.waiting or self.workers:
            if time.perf_counter() - self.begin > seconds:
                self.waiting.clear()
            while self.waiting and len(self.workers) < jobs:
                seeds = self.waiting.pop(0)
                self.workers.append(Worker(seeds, self.share if len(seeds) > 1 else 1.0))
            for pipe in wait([w.pipe for w in self.workers], timeout=5):
                self.hear(next(w for w in self.workers if w.pipe is pipe))
            for worker in self.workers:
                if time.perf_counter() - worker.heard > STALLED:
                    worker.heard = time.perf_counter()
                    worker.process.kill()
            if time.perf_counter() - shown > 60:
                shown = time.perf_counter()
                print(self, flush=True)

    def hear(self, worker: Worker) -> None:
        """Take a message of a worker, or its end."""
        try:
            what, more = worker.pipe.recv()
        except EOFError:
            self.workers.remove(worker)
            worker.process.join()
            if not worker.ended:
                self.lost(worker)
            return
        worker.heard = time.perf_counter()
        if what == "done":
            self.done, self.cases = self.done + more[0], self.cases + more[1]
        elif what == "failed":
            self.fail(more[1])
        elif what == "end":
            worker.ended = True
        else:
            worker.last = (what, tuple(more))

    def lost(self, worker: Worker) -> None:
        """A worker died or was silent for too long: name the seed, or look for it one by one."""
        doing, seeds = worker.last
        if len(seeds) == 1:
            code = worker.process.exitcode
            self.fail(f"seed {seeds[0]}: the process died ({code}) in {doing}\n{draw(seeds[0])!r}")
        else:
            self.waiting[:0] = [[s] for s in seeds]
        rest = [s for s in worker.seeds if s > max(seeds)]
        if rest:
            self.waiting.insert(0, rest)

    def fail(self, text: str) -> None:
        self.failures.append(text)
        print(f"---- {text}", flush=True)

    def __str__(self) -> str:
        took = time.perf_counter() - self.begin
        return (
            f"{self.done:,} programs, {self.cases:,} functions compiled, {took:,.0f} s, "
            f"{self.done / took:.1f}/s, {len(self.failures)} failed"
        )


def fuzz(
    count: int, seed: int, jobs: int, share: float, seconds: float = 1e9, chunk: int = 400
) -> list[str]:
    """Check programs; what failed."""
    starts = range(seed, seed + count, chunk)
    session = Session(share, [list(range(k, min(k + chunk, seed + count))) for k in starts])
    session.run(jobs, seconds)
    print(session)
    return session.failures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--share", type=float, default=0.25, help="of the functions, compiled")
    parser.add_argument("--seconds", type=float, default=1e9, help="start no more after that long")
    parser.add_argument("--show", type=int, help="check one seed here, shrink it and print it")
    given = parser.parse_args()
    if given.show is not None:
        print(report(given.show))
        return
    sys.exit(bool(fuzz(given.count, given.seed, given.jobs, given.share, given.seconds)))


if __name__ == "__main__":
    main()
