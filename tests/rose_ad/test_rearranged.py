"""What lowering makes of loops to suit the machine: it does the same, bit for bit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import fuzz
import numpy as np
import pytest
from random_programs import draw

import rose_ad as ra
from rose_ad.builder import Builder
from rose_ad.copying import Copier, lookups
from rose_ad.interp import interpret
from rose_ad.ir import Block, Function, Instr
from rose_ad.lower import llvm
from rose_ad.lower.program import Program
from rose_ad.rewrite import fission, rank_updates
from rose_ad.verify import verify

By = Callable[[Instr], "Block | None"]
REARRANGEMENTS: dict[str, By] = {"scan": rank_updates.in_chunks, "build": fission.in_two}


class Rearranger(Copier):
    """Copies with every loop rearranged that can be; `count` is how many were."""

    def __init__(self, env: Any, count: dict[str, int]) -> None:
        super().__init__(env)
        self.count = count

    def instr(self, instr: Instr, b: Builder) -> None:
        block = REARRANGEMENTS[instr.op](instr) if instr.op in REARRANGEMENTS else None
        if block is None:
            super().instr(instr, b)
            return
        self.count[instr.op] += 1
        for inner in block.instrs:
            self.instr(inner, b)
        self.env.update(zip(instr.outs, lookups(self.env, block.results), strict=True))

    def _call(self, instr: Instr, b: Builder) -> None:
        args = lookups(self.env, instr.args)
        outs = b.call(rearranged(instr.attr, self.count), args)
        self.env.update(zip(instr.outs, outs, strict=True))


def rearranged(f: Function, count: dict[str, int]) -> Function:
    """A function, and what it calls, with loops rearranged."""
    b = Builder()
    walk = Rearranger({p: b.block.param(p.type) for p in f.params}, count)
    walk.block(f.block, b)
    return Function(f.name, b.block, f.loc)


@pytest.fixture
def eager(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rearrange whatever can be."""
    monkeypatch.setattr(rank_updates, "CHUNK", 2)
    monkeypatch.setattr(rank_updates, "LEAST_BYTES", 1)
    monkeypatch.setattr(rank_updates, "LEAST_CHUNKS", 1)
    monkeypatch.setattr(fission, "LEAST_DEAR", 0)


@pytest.mark.usefixtures("eager")
def test_random_programs_keep_their_bits() -> None:
    count = dict.fromkeys(REARRANGEMENTS, 0)
    for seed in range(150):
        for case in fuzz.check(draw(seed), seed, machine=False).cases:
            if isinstance(case.expected, int):
                continue
            f = rearranged(case.function, count)
            verify(f)
            with np.errstate(all="ignore"):
                found = interpret(f, list(case.args))
            assert all(map(fuzz.same_bits, found, case.expected)), seed
    assert count["build"] > 50


@pytest.mark.usefixtures("eager")
def test_random_programs_are_compiled_so() -> None:
    failures: list[Any] = []
    fuzz.run_seeds(
        range(1000, 1040), fuzz.BATCH, 0.1, lambda what, x: what == "failed" and failures.append(x)
    )
    assert not failures


def weights(n: int, m: int, steps: int, reverse: bool = False) -> Any:
    """A loop that multiplies by a matrix at every step, and by another one of its own shape."""

    @ra.fn
    def f(w: Any, u: Any, x: Any) -> Any:
        def step(carry: Any, t: Any) -> Any:
            h = ra.tanh(w @ carry + 0.01 * t)
            return carry + 0.1 * ra.tanh(h @ u), None

        carry, _ = ra.scan(step, x, np.arange(steps, dtype=float), reverse=reverse)
        return ra.sum(carry * carry)

    return f


def gradient_of(f: Any, args: Any, wrt: tuple[int, ...]) -> tuple[Any, Function]:
    g = ra.grad(f, wrt)
    return g, g.lower(*args).program.function


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("steps", [32, 33, 39, 40, 100])
def test_weights_of_a_loop(steps: int, reverse: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(3)
    n, m = 24, 32
    args = [rng.normal(size=(n, m)) / 6, rng.normal(size=(n, m)) / 6, rng.normal(size=m)]
    used = counted(monkeypatch)
    gradient, function = gradient_of(weights(n, m, steps, reverse), args, (0, 1))
    assert used["in_chunks"] == 1
    expected = interpret(function, args)
    for ours, oracle in zip(gradient(*args), expected, strict=True):
        np.testing.assert_allclose(ours, oracle, rtol=1e-11, atol=1e-13)
    monkeypatch.setattr(llvm, "in_chunks", lambda instr: None)
    plain = Program(function)([np.asarray(a) for a in args])
    for ours, others in zip(gradient(*args), plain, strict=True):
        np.testing.assert_allclose(ours, others, rtol=1e-12, atol=1e-14)


def counted(monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """How often each rearrangement is used from here on, in programs that are compiled."""
    used = {"in_chunks": 0, "in_two": 0}
    for name in used:
        real = getattr(llvm, name)

        def by(instr: Instr, name: str = name, real: By = real) -> Block | None:
            block = real(instr)
            used[name] += block is not None
            return block

        monkeypatch.setattr(llvm, name, by)
    return used


@pytest.mark.parametrize(("n", "m", "steps"), [(24, 32, 31), (4, 5, 100)])
def test_few_steps_and_small_matrices_stay(
    n: int, m: int, steps: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    args = [np.ones((n, m)), np.ones((n, m)), np.ones(m)]
    used = counted(monkeypatch)
    gradient_of(weights(n, m, steps), args, (0, 1))
    assert used["in_chunks"] == 0


def pull(x: Any, springs: Any) -> Any:
    force = ra.accum(x.shape)

    def each(s: Any) -> None:
        i, j = springs[s, 0], springs[s, 1]
        apart = x[i] - x[j]
        length = ra.sqrt(ra.dot(apart, apart) + 0.1)
        f = (1 - 0.3 / length) * apart
        force[i] += -f
        force[j] += f

    for s in ra.range(springs.shape[0]):
        each(s)
    return force.freeze()


def test_springs_are_computed_by_vectors(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(4)
    springs = rng.integers(0, 12, (40, 2))
    x = rng.normal(size=(12, 2))
    used = counted(monkeypatch)
    f = ra.fn(lambda x, springs: ra.sum(pull(x, springs) ** 3))
    gradient, function = gradient_of(f, (x, springs), (0,))
    assert used["in_two"] > 0
    np.testing.assert_allclose(gradient(x, springs)[0], interpret(function, [x, springs])[0])


def test_an_index_outside_is_still_found() -> None:
    springs = np.array([[0, 1], [1, 9]])
    with pytest.raises(IndexError):
        ra.fn(pull)(np.ones((3, 2)), springs)


def test_lanes_are_left_alone() -> None:
    rng = np.random.default_rng(5)
    args = [rng.normal(size=(24, 32)) / 6, rng.normal(size=(24, 32)) / 6, rng.normal(size=(7, 32))]
    gradient = ra.grad(weights(24, 32, 40), 0)
    together = ra.vmap(gradient, (None, None, 0))(*args)
    alone = [gradient(args[0], args[1], x) for x in args[2]]
    np.testing.assert_allclose(together, alone, rtol=1e-10, atol=1e-12)
