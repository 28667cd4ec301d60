"""Running a program of `random_programs` on traced values, as a user's function would be."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import rose_ad as ra
from rose_ad.ir.types import F32, F64, I64, Array, Bool
from rose_ad.tracing.values import lift
from tests.support.random_programs import (
    BINARY,
    COMPARE,
    INTEGER,
    KINKED,
    KINKED_BINARY,
    RAW,
    RAW_BINARY,
    UNARY,
    Block,
    Program,
)

_KINDS = {(F64, 0): "s", (F32, 0): "h", (I64, 0): "i", (Bool, 0): "b",
          (F64, 1): "v", (F32, 1): "g", (I64, 1): "k", (Bool, 1): "q", (F64, 2): "m"}  # fmt: skip


class Scope:
    """Values by kind, the newest last, and accumulators that may be added into."""

    def __init__(self, values: Sequence[Any], accs: Sequence[Any] = ()) -> None:
        self.of: dict[str, list[Any]] = {}
        self.accs = list(accs)
        for v in values:
            self.push(v)

    def push(self, x: Any) -> Any:
        if isinstance(x, tuple):
            for y in x:
                self.push(y)
            return x
        t = lift(x).type
        scalar, axes = (t.scalar, len(t.shape)) if isinstance(t, Array) else (t, 0)
        self.of.setdefault(_KINDS.get((scalar, axes), "other"), []).append(x)
        return x

    def pick(self, kind: str, ref: int) -> Any:
        some = self.of.get(kind)
        if some is None:  # a Real32 where there is none, a matrix before the first
            return {"h": lambda: self.pick("s", ref), "g": lambda: self.pick("v", ref)}[kind]()
        return some[-1 - ref % len(some)]

    def inner(self, *values: Any) -> Scope:
        """A copy, with values more."""
        new = Scope((), self.accs)
        new.of = {k: list(v) for k, v in self.of.items()}
        new.push(values)
        return new


def fit(v: Any, n: int) -> Any:
    """A vector of length n made of the entries of another."""
    v = lift(v)
    return v if len(v) == n else ra.build(n, lambda i: v[i % len(v)])


def place(i: Any, n: int, how: str) -> Any:
    """An index into n entries; `raw` may be outside."""
    return {"clip": lambda: ra.clip(i, 0, n - 1), "mod": lambda: i % n, "raw": lambda: i}[how]()


class Run:
    """Executes a program's statements; a method for each kind."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.wild = program.style == "wild"
        self.ops = {**RAW, **UNARY, **KINKED} if not self.wild else {**UNARY, **KINKED, **RAW}
        self.two = {**RAW_BINARY, **BINARY, **KINKED_BINARY}
        if self.wild:
            self.two |= RAW_BINARY
        self.helpers: list[Any] = []
        for body, a, b in program.helpers:
            self.helpers.append(self._helper(body, a, b))

    def _helper(self, body: Block, a: int, b: int) -> Any:
        known = tuple(self.helpers)

        def helper(x: ra.Real, v: ra.Vec, k: ra.Int) -> Any:
            run = Run(self.program._replace(helpers=()))
            run.helpers = list(known)
            scope = Scope((x, v, k, k > 1, ra.array([k, k + 1, 3])))
            run.block(body, scope)
            return scope.pick("s", a) * 1.0, fit(scope.pick("v", b), len(v))

        return ra.fn(helper)

    def __call__(self, scope: Scope) -> tuple[Any, ...]:
        """The program's results."""
        self.block(self.program.body, scope)
        scalars = [*scope.of["s"], *map(ra.to_real, scope.of["h"][1:])]
        first = sum(map(self.calm, scalars), 0.0)
        for k, v in enumerate(scope.of["v"]):
            first = first + self.calm(v[k % len(v)])
        return (first, *(scope.pick(kind, ref) for kind, ref in self.program.results))

    def block(self, body: Block, scope: Scope) -> None:
        for name, *parts in body:
            getattr(self, f"_{name}")(scope, *parts)

    def inside(self, body: Block, scope: Scope, *values: Any) -> Scope:
        """The scope at the end of a block inside another."""
        inner = scope.inner(*values)
        self.block(body, inner)
        return inner

    def calm(self, x: Any) -> Any:
        """A value of about the same size, but never beyond 4."""
        return x if self.wild else 4.0 * ra.tanh(0.25 * x)

    def back(self, x: Any) -> Any:
        """What a loop feeds back."""
        return x if self.wild else ra.sin(x)

    # flat statements

    def _const(self, s: Scope, x: float) -> None:
        s.push(x)

    def _unary(self, s: Scope, kind: str, op: str, r: int) -> None:
        s.push(self.ops[op](lift(s.pick(kind, r))))

    def _binary(self, s: Scope, kind: str, op: str, p: int, q: int) -> None:
        s.push(self.two[op](lift(s.pick(kind, p)), lift(s.pick(kind, q))))

    def _vector(self, s: Scope, kind: str, op: str, p: int, q: int) -> None:
        a = s.pick(kind, p)
        s.push(self.two[op](a, fit(s.pick(kind, q), len(a))))

    def _scaled(self, s: Scope, kind: str, p: int, q: int) -> None:
        s.push(s.pick("v", p) * ra.sin(lift(s.pick(kind, q))))

    def _pack(self, s: Scope, kind: str, refs: tuple[int, ...]) -> None:
        s.push(ra.array([s.pick(kind, r) for r in refs]))

    def _move(self, s: Scope, how: str, kind: str, r: int, k: int) -> None:
        a = lift(s.pick(kind, r))
        n = len(a)
        s.push(
            {
                "roll": lambda: ra.roll(a, k - 3),
                "cumsum": lambda: self.calm(ra.cumsum(a)) if kind == "v" else ra.cumsum(a),
                "join": lambda: ra.concatenate([a, s.of[kind][0]])[k % 3 :],
                "take": lambda: ra.take(a, np.array([0, -1, k % n])),
                "reverse": lambda: a[::-1],
                "slice": lambda: a[k % n :],
                "step": lambda: a[:: k % 3 + 1],
                "fit": lambda: fit(a, 3),
                "computed": lambda: ra.take(a, fit(s.pick("k", k), 3) % n),
                "sort": lambda: ra.sort(a),
            }[how]()
        )

    def _reduce(self, s: Scope, op: str, r: int) -> None:
        a = s.pick("v", r)
        s.push(
            self.calm(
                {
                    "sum": lambda: ra.sum(a),
                    "mean": lambda: ra.mean(a),
                    "dot": lambda: ra.dot(a, fit(s.of["v"][0], len(a))),
                    "own_dot": lambda: ra.dot(a, a),
                    "norm": lambda: ra.norm(a if self.wild else ra.sin(a) + 2.5),
                    "last": lambda: a[-1],
                }[op]()
            )
        )

    def _entry(self, s: Scope, kind: str, r: int, i: int, how: str) -> None:
        a = lift(s.pick(kind, r))
        s.push(a[place(s.pick("i", i), len(a), how)])

    def _matrix(self, s: Scope, what: str, r: int, i: int, n: int, m: int) -> None:
        a = ra.reshape(fit(s.pick("v", r), n * m), (n, m))
        if "m" in s.of and r % 2:
            a = s.pick("m", r)
            n, m = a.shape
        k = s.pick("i", i)
        s.push(
            {
                "shape": lambda: a,
                "turn": lambda: ra.permute_dims(a, (1, 0)) * 0.5,
                "axis": lambda: self.calm(ra.sum(a, axis=i % 2)),
                "product": lambda: self.calm(ra.matmul(a, fit(s.pick("v", i), m))),
                "row": lambda: a[place(k, n, "mod")],
                "entry": lambda: a[place(k, n, "clip"), place(k + 1, m, "mod")],
                "column": lambda: a[:, m - 1],
                "outer": lambda: self.calm(a + fit(s.pick("v", i), m)),
            }[what]()
        )

    def _weigh(
        self, s: Scope, turned: bool, shape: tuple[int, int], v: int, p: int, k: int
    ) -> None:
        n, m = shape
        w = np.sin(np.add.outer(0.7 * np.arange(n), 0.9 * np.arange(m))) / np.sqrt(m)
        w = ra.array(w) * s.pick("s", p) if k % 2 else w
        x = s.pick("v", v)
        y = ra.matmul(fit(x, n), w) if turned else ra.matmul(w, fit(x, m))
        s.push(self.calm(y[k % len(y) :][:5]))

    def _integer(self, s: Scope, op: str, p: int, q: int) -> None:
        s.push(INTEGER[op](lift(s.pick("i", p)), s.pick("i", q)))

    def _literal(self, s: Scope, k: int) -> None:
        s.push(k)

    def _truncate(self, s: Scope, r: int) -> None:
        if self.program.style == "smooth":
            s.push(ra.to_int(s.pick("b", r)))
        else:
            x = lift(s.pick("s", r))
            s.push(ra.to_int(x if self.wild else 3.0 * ra.sin(x) + 0.01234))

    def _compare(self, s: Scope, kind: str, op: str, p: int, q: int) -> None:
        a = lift(s.pick(kind, p))
        s.push(COMPARE[op](a if kind == "i" else a + 0.01234, s.pick(kind, q)))

    def _logic(self, s: Scope, op: str, p: int, q: int) -> None:
        a, b = lift(s.pick("b", p)), lift(s.pick("b", q))
        s.push({"and": a & b, "or": a | b, "not": ~a, "same": a == b}[op])

    def _where(self, s: Scope, kind: str, c: int, p: int, q: int) -> None:
        a, b = s.pick(kind, p), s.pick(kind, q)
        s.push(ra.where(s.pick("b", c), a, fit(b, len(lift(a))) if kind == "v" else b))

    def _add(self, s: Scope, acc: int, i: int, j: int, x: int, sign: str, how: str) -> None:
        if not s.accs:
            return
        to, value = s.accs[-1 - acc % len(s.accs)], s.pick("s", x)
        at = tuple(place(s.pick("i", k), n, how) for k, n in zip((i, j), to.shape, strict=False))
        if lift(value).type is F32:
            value = value * 1.0
        if not at or (how == "mod" and j % 2):
            to.add(to.ref, value if sign == "+" else -lift(value))
        elif sign == "+":
            to[at] += value
        else:
            to[at] -= value

    def _call(self, s: Scope, how: str, h: int, x: int, v: int, k: int) -> None:
        if self.helpers:
            f = self.helpers[h % len(self.helpers)]
            self._used(s, f, how, s.pick("s", x), s.pick("v", v), s.pick("i", k))

    def _used(self, s: Scope, f: Any, how: str, x: Any, v: Any, *k: Any) -> None:
        """Results of a function, or of a derivative of it."""
        x, v = ra.to_real(lift(x)), lift(v)
        first = ra.fn(lambda x, v: f(x, v, *k)[0])
        match how:
            case "call":
                s.push(f(x, v, *k))
            case "checkpoint":
                s.push(ra.checkpoint(f)(x, v, *k))
            case "grad":
                gx, gv = ra.grad(first, (0, 1))(x, v)
                s.push((self.calm(gx), self.calm(gv)))
            case "jvp":
                _, (dx, dv) = ra.jvp(lambda x, v: f(x, v, *k), (x, v), (0.5, v))
                s.push((self.calm(dx), self.calm(dv)))
            case "vjp":
                (y, _), pull = ra.vjp(lambda x, v: f(x, v, *k), x, v)
                gx, gv = pull((y, v))
                s.push((self.calm(gx), self.calm(gv)))
            case "vmap":
                many = fit(v, 2 + len(v) % 4)
                s.push(ra.vmap(lambda y: first(x + y, v))(many))
                s.push(self.calm(ra.sum(ra.vmap(first, in_axes=(0, None))(many, v))))
            case "linearize":
                y, along = ra.linearize(first, x, v)
                s.push((self.calm(along(y, v)), self.calm(along(1.0, v))))

    # statements with blocks

    def taken(self, s: Scope, kinds: Sequence[tuple[str, int]]) -> tuple[Any, ...]:
        """Values of a branch: of the same shape on both sides."""
        return tuple(fit(s.pick(k, r), 3) if k in "vg" else s.pick(k, r) for k, r in kinds)

    def _build(self, s: Scope, n: int, body: Block, results: tuple) -> None:
        s.push(ra.build(n, lambda i: self.taken(self.inside(body, s, i), results)))

    def _cond(self, s: Scope, c: int, kinds: tuple, then: Block, other: Block) -> None:
        sides = [
            lambda body=body: self.taken(self.inside(body, s), kinds) for body in (then, other)
        ]
        s.push(ra.cond(s.pick("b", c), *sides))

    def _switch(self, s: Scope, i: int, kinds: tuple, bodies: tuple[Block, ...]) -> None:
        sides = [lambda body=body: self.taken(self.inside(body, s), kinds) for body in bodies]
        s.push(ra.switch(s.pick("i", i), sides))

    def start(self, s: Scope, kinds: tuple) -> tuple[Any, ...]:
        """What a loop starts with."""
        return tuple(
            lift(x) if k != "h" else x
            for (k, _), x in zip(kinds, self.taken(s, kinds), strict=True)
        )

    def step(
        self, s: Scope, body: Block, kinds: tuple, carry: tuple, *more: Any
    ) -> tuple[tuple, Scope]:
        """The carry after a step, of the kinds it had, and what else the step made."""
        inner = self.inside(body, s, *carry, *more)
        new = []
        for old, (kind, ref) in zip(carry, kinds, strict=True):
            x = inner.pick(kind, ref + (kind == "v"))
            if kind in "vg":
                x = fit(x, 3)
            if kind in "svhg":
                x = self.back(lift(x))
                same = lift(old).type is lift(x).type
                x = x if same else (lift(old) * 0 + self.back(lift(inner.pick("s", 0))))
                if lift(old).type is not lift(x).type:
                    x = old
            new.append(x)
        return tuple(new), inner

    def _fori(self, s: Scope, n: int, checkpoint: Any, kinds: tuple, body: Block) -> None:
        def f(i: Any, carry: tuple) -> tuple:
            return self.step(s, body, kinds, carry, i)[0]

        s.push(ra.fori_loop(1, n + 1, f, self.start(s, kinds), checkpoint=checkpoint))

    def _scan(
        self, s: Scope, reverse: bool, checkpoint: Any, xs: int, kinds: tuple, y: str, body: Block
    ) -> None:
        def f(carry: tuple, x: Any) -> tuple:
            new, inner = self.step(s, body, kinds, carry, x)
            (row,) = self.taken(inner, ((y, 0),))
            return new, row

        s.push(ra.scan(f, self.start(s, kinds), s.pick("v", xs), reverse=reverse,
                       checkpoint=checkpoint))  # fmt: skip

    def _while(self, s: Scope, most: int | None, n: int, kinds: tuple, body: Block) -> None:
        start = (lift(0), *self.start(s, kinds))
        end = n + s.pick("i", 0) % 2

        def f(carry: tuple) -> tuple:
            k, *rest = carry
            return (k + 1, *self.step(s, body, kinds, tuple(rest), k)[0])

        s.push(ra.while_loop(lambda c: c[0] < end, f, start, max_steps=most))

    def _accum(self, s: Scope, shape: tuple[int, ...], reals: bool, body: Block) -> None:
        acc = ra.accum(shape)
        inner = s.inner()
        inner.accs.append(acc)
        acc.add(acc.ref, 0.125)
        self.block(body, inner)
        s.push(self.calm(acc.freeze()))

    def _loop(self, s: Scope, n: int, body: Block) -> None:
        for i in ra.range(n):
            self.inside(body, s, i)

    def _span(self, s: Scope, low: int, high: int, body: Block) -> None:
        bounds = ra.clip(s.pick("i", low), -2, 2), ra.clip(s.pick("i", high), -1, 3)
        for i in ra.range(*bounds):
            self.inside(body, s, i)

    def _when(self, s: Scope, c: int, body: Block) -> None:
        with ra.when(s.pick("b", c)):
            self.inside(body, s)

    def _closure(self, s: Scope, how: str, body: Block, x: int, v: int) -> None:
        def f(x: Any, v: Any) -> Any:
            outer = s.inner()
            outer.accs = []  # an accumulator belongs to the function that made it
            inner = self.inside(body, outer, x, v)
            return inner.pick("s", 0) * x, fit(inner.pick("v", 0), len(v))

        self._used(s, ra.fn(f), how, s.pick("s", x), s.pick("v", v))

    def _total(self, s: Scope, n: int, body: Block, r: int) -> None:
        s.push(self.calm(ra.sum(n, lambda i: self.inside(body, s, i).pick("s", r))))


def function(program: Program) -> Callable[..., Any]:
    """f(Real, Real, Vec[3], Vec[5], Int, Int, Vec of Ints, Bool, Real32, Vec of Real32s) -> results."""

    def f(x: Any, y: Any, v: Any, w: Any, i: Any, j: Any, ks: Any, b: Any, h: Any, g: Any) -> Any:
        return Run(program)(Scope((x, y, v, w, i, j, ks, b, h, g)))

    return f


def arguments(seed: int) -> list[Any]:
    """Arguments for such a function."""
    draw = np.random.default_rng(seed)
    reals = [float(draw.uniform(-1, 1)) for _ in range(2)]
    vectors = [draw.uniform(-1, 1, n) for n in (3, 5)]
    single = np.float32(draw.uniform(-1, 1)), draw.uniform(-1, 1, 4).astype(np.float32)
    ks = draw.integers(-2, 6, 4)
    return [
        *reals,
        *vectors,
        int(draw.integers(-1, 6)),
        int(draw.integers(-3, 9)),
        ks,
        seed % 2 == 0,
        *single,
    ]
