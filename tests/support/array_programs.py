"""Random programs of arrays, drawn from a seed, that NumPy, JAX and rose_ad run as they stand.

A program is f(x, v, w, m, k, j, b): a number, vectors, a matrix, an Int, a vector of Ints and one of Bools,
some of length zero. It is drawn as it runs, by what it has so far, which is the same in every library: a pool
of arrays of known kinds and shapes. What a branch, a loop, a call or a derivative is, a `Library` says.

Values stay moderate, and where a derivative has a kink no operand is equal to another by construction: see
`apart`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

import numpy as np

LENGTHS = (0, 1, 2, 3, 5, 6)
MOST = 40  # entries of an array; larger ones are summed


@dataclass(frozen=True)
class Library:
    """What a program is written with."""

    xp: Any  # numpy's functions
    cond: Callable[..., Any]  # (p, f, g) -> f() or g()
    loop: Callable[..., Any]  # (n, f, x) -> f(n - 1, ... f(0, x))
    call: Callable[..., Any]  # f -> f, as a function of the library
    grad: Callable[..., Any] | None  # of the first argument
    along: Callable[..., Any] | None  # (f, x, dx) -> the derivative of f at x along dx
    batch: Callable[..., Any]  # (f, rows) -> f of each row


class Part:
    """An array of a program: its kind f, i or b, its shape, and what it is in the library."""

    def __init__(self, kind: str, value: Any) -> None:
        self.kind, self.value = kind, value
        self.shape: tuple[int, ...] = tuple(
            np.shape(value) if not hasattr(value, "shape") else value.shape
        )

    @property
    def size(self) -> int:
        return math.prod(self.shape)


class NotThere(Exception):
    """The program needs what this library has not."""


class Program:
    """The program of a seed, to be called with a library and arguments. `single`: of single precision, where
    nothing depends on comparisons of floats, for these may come out otherwise."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.single = seed % 5 == 0
        self.scalar = np.float32 if self.single else np.float64

    def arguments(self, draw: int = 0) -> list[Any]:
        """Arguments for it; with another `draw`, others of the same shapes."""
        sizes = Random(self.seed)
        n, m, r, c = (sizes.choice(LENGTHS) for _ in range(4))
        rng = np.random.default_rng([self.seed, draw])
        floats = [rng.uniform(-1, 1, s).astype(self.scalar) for s in ((), (n,), (m,), (r, c))]
        k, j, b = rng.integers(-3, 5), rng.integers(-3, 7, n), rng.random(m) < 0.5
        return [floats[0][()], *floats[1:], int(k), j, b]

    def __call__(self, lib: Library, *args: Any) -> tuple[Any, ...]:
        """A number that depends on all floats of the program, and its last values by kind."""
        run = _Run(self, lib, Random(self.seed + 1))
        pool = [Part(kind, a) for kind, a in zip("ffffiib", args, strict=True)]
        for _ in range(run.draw.randint(2, 6)):
            run.statement(pool, 2)
        total = run.total(pool)
        return total, tuple(run.last(pool, kind).value for kind in "fib")


class _Run:
    def __init__(self, program: Program, lib: Library, draw: Random) -> None:
        self.program, self.lib, self.xp, self.draw = program, lib, lib.xp, draw

    # ------------------------------------------------------------------------------------ the pool

    def last(self, pool: Sequence[Part], kind: str) -> Part:
        return next(p for p in reversed(pool) if p.kind == kind)

    def one(self, of: Sequence[Any]) -> Any:
        return self.draw.choice(of)

    def some(self, pool: Sequence[Part], kind: str, rank: int | None = None) -> Part:
        """One of a kind, mostly a new one; of a rank, made flat or a matrix if need be."""
        found = [p for p in pool if p.kind == kind]
        part = found[-1 - min(int(self.draw.expovariate(0.7)), len(found) - 1)]
        if rank is None or len(part.shape) == rank:
            return part
        flat = self.xp.reshape(self.array(part.value), (part.size,))
        if rank == 1:
            return Part(kind, flat)
        n = self.one([d for d in range(1, part.size + 1) if part.size % d == 0] or [3])
        return Part(
            kind,
            self.xp.reshape(flat, (n, part.size // n) if rank == 2 else (n, 1, part.size // n)),
        )

    def array(self, x: Any) -> Any:
        return x if hasattr(x, "shape") else self.xp.asarray(x)

    def push(self, pool: list[Part], kind: str, value: Any) -> None:
        part = Part(kind, value)
        if part.size > MOST:
            axis = int(np.argmax(part.shape))
            part = Part(kind, self.smaller(value, axis) if kind == "f" else value[:2])
        pool.append(part)

    def smaller(self, x: Any, axis: int) -> Any:
        return self.calm(self.xp.sum(x, axis=axis))

    def calm(self, x: Any) -> Any:
        """About the same, but never beyond 4."""
        return 4.0 * self.xp.tanh(0.25 * x)

    def apart(self, part: Part, by: float = 0.0137) -> Any:
        """The values, each with a number of its own added, so that no two are equal by construction."""
        ramp = by * np.sin(1.0 + 1.7 * np.arange(part.size)).reshape(part.shape)
        return part.value + ramp.astype(self.program.scalar)[()]

    def total(self, pool: Sequence[Part]) -> Any:
        out: Any = None
        for p in pool:
            if p.kind == "f":
                one = self.xp.sum(self.calm(p.value) * self.constant(p.shape))
                out = one if out is None else out + one
        return out

    def constant(self, shape: tuple[int, ...]) -> Any:
        """Numbers that are the same each time."""
        return (
            np.cos(0.3 + 0.9 * np.arange(math.prod(shape)))
            .reshape(shape)
            .astype(self.program.scalar)[()]
        )

    # ---------------------------------------------------------------------------------- statements

    def statement(self, pool: list[Part], depth: int) -> None:
        names = _FLAT + (_NESTED if depth else ())
        getattr(self, f"_{self.one(names)}")(pool, depth)

    def _unary(self, pool: list[Part], _: int) -> None:
        xp, p = self.xp, self.some(pool, "f")
        x = p.value
        self.push(pool, "f", self.one((
            lambda: xp.sin(x), lambda: xp.cos(x), lambda: xp.tanh(x), lambda: xp.exp(xp.sin(x)), lambda: -x,
            lambda: xp.sqrt(1.0 + x * x), lambda: xp.log1p(x * x), lambda: xp.atan(x), lambda: self.calm(x**2),
            lambda: self.calm(x**3), lambda: xp.abs(self.apart(p)), lambda: xp.square(xp.sin(x)),
            lambda: xp.expm1(xp.cos(x)), lambda: xp.sinh(xp.sin(x)), lambda: 1 / (2 + xp.cos(x)),
            lambda: xp.clip(self.apart(p), -0.51234, 0.41234), lambda: 2 - x, lambda: x / 3, lambda: x * 2,
            lambda: xp.reciprocal(2.0 + xp.sin(x)), lambda: xp.log2(2.0 + xp.sin(x)),
            lambda: (2.5 + xp.sin(x)) ** 1.5,
        ))())  # fmt: skip

    def _binary(self, pool: list[Part], _: int) -> None:
        xp, p, q = self.xp, self.some(pool, "f"), self.some(pool, "f")
        if not _broadcast(p.shape, q.shape):
            q = Part("f", self.calm(xp.sum(q.value)))
        x, y = p.value, q.value
        self.push(pool, "f", self.one((
            lambda: x + y, lambda: x - y, lambda: xp.sin(x) * y, lambda: x / (1.5 + xp.cos(y)),
            lambda: xp.maximum(self.apart(p), self.apart(q, 0.0071)),
            lambda: xp.minimum(self.apart(p), self.apart(q, 0.0071)),
            lambda: xp.atan2(x, 1.5 + xp.sin(y)), lambda: xp.hypot(x, 1.5 + xp.sin(y)),
            lambda: xp.logaddexp(x, y + 0.1),
            lambda: xp.pow(1.5 + xp.sin(x), xp.cos(y)), lambda: xp.add(x, xp.multiply(2.0, y)),
        ))())  # fmt: skip

    def _reduce(self, pool: list[Part], _: int) -> None:
        xp, p = self.xp, self.some(pool, "f", self.one((None, 1, 2, 3)))
        x = self.array(p.value)
        axis = self.one((None, *range(-len(p.shape), len(p.shape))))
        count = p.size if axis is None else p.shape[axis]
        kinds = ["sum", "prod"] + (["mean", "max", "min", "var", "std"] if count else [])
        keep = self.one((False, False, True))
        name = self.one(kinds)
        if name in ("max", "min", "std", "prod"):
            x = self.array(self.apart(p))
        if name == "std":
            if count == 1:
                return
            x = x + 0.3 * self.constant(p.shape)
        f = getattr(xp, name)
        self.push(pool, "f", self.calm(f(x, axis=axis, keepdims=keep)))

    def _shape(self, pool: list[Part], _: int) -> None:
        xp, p = self.xp, self.some(pool, self.one("ffffib"), 1)
        x, n = p.value, p.size
        self.push(pool, p.kind, self.one((
            lambda: x[1:], lambda: x[:-1], lambda: x[::-1], lambda: x[::2], lambda: x[1:][::-1],
            lambda: xp.flip(x[1:]),
            lambda: xp.roll(x[1:], 1), lambda: xp.roll(x, -2), lambda: xp.concat([x, x[:1]]),
            lambda: xp.concat([x[1:], x[2:]]),
            lambda: xp.stack([x, x[::-1]]), lambda: xp.stack([x, x], axis=1), lambda: x[:, None],
            lambda: x[None, :],
            lambda: xp.tile(x, 2), lambda: xp.repeat(x, 2), lambda: xp.expand_dims(x, 1),
            lambda: xp.broadcast_to(x, (2, n)),
            lambda: x[-1] if n else x, lambda: x[n // 2 :], lambda: x[n:], lambda: xp.reshape(x, (1, n, 1)),
            lambda: xp.take(x, np.array([0, n - 1, n // 2]), axis=0) if n else x,
            lambda: xp.where(x[:1] == x[:1], x, x) if n else x, lambda: x[np.array([], int)],
        ))())  # fmt: skip

    def _matrix(self, pool: list[Part], _: int) -> None:
        xp, p = self.xp, self.some(pool, self.one("fffi"), 2)
        x, (n, m) = p.value, p.shape
        self.push(pool, p.kind, self.one((
            lambda: x.T, lambda: xp.permute_dims(x, (1, 0)), lambda: x[:, ::-1], lambda: x[1:, :1],
            lambda: xp.tril(x),
            lambda: xp.triu(x, 1), lambda: xp.diagonal(x), lambda: xp.roll(x, 1, axis=0),
            lambda: xp.flip(x, axis=1),
            lambda: xp.concat([x, x], axis=1), lambda: xp.concat([x[1:], x], axis=0), lambda: xp.pad(x, 1),
            lambda: xp.diff(x, axis=0) if n else x, lambda: xp.moveaxis(x, 0, 1), lambda: xp.ravel(x),
            lambda: x[n // 2 :, m // 2] if m else x, lambda: xp.squeeze(x[:, :1], axis=1) if m else x,
            lambda: xp.swapaxes(x, 0, 1)
            if hasattr(xp, "swapaxes") else x.T, lambda: xp.zeros_like(x) + x, lambda: x * xp.ones_like(x),
        ))())  # fmt: skip

    def _product(self, pool: list[Part], _: int) -> None:
        xp, p = self.xp, self.some(pool, "f", 2)
        x, (n, m) = p.value, p.shape
        v, w = self.fit(self.some(pool, "f", 1), m), self.fit(self.some(pool, "f", 1), n)
        self.push(pool, "f", self.calm(self.one((
            lambda: x @ v, lambda: w @ x, lambda: xp.matmul(x, x.T), lambda: xp.outer(v, w),
            lambda: xp.dot(v, v),
            lambda: xp.einsum("ij,j->i", x, v), lambda: xp.einsum("ij,ij->", x, x),
            lambda: xp.einsum("ij->j", x),
            lambda: xp.tensordot(x, v, axes=1), lambda: xp.trace(x @ x.T), lambda: xp.vecdot(x, v),
        ))()))  # fmt: skip

    def fit(self, p: Part, n: int) -> Any:
        """A vector of another length."""
        if p.size == n:
            return p.value
        if p.size == 0:
            return self.constant((n,))
        return self.xp.take(self.array(p.value), np.arange(n) % p.size, axis=0)

    def _ordered(self, pool: list[Part], _: int) -> None:
        xp, p = self.xp, self.some(pool, "f", 1)
        x = self.apart(p)
        self.push(pool, "f", self.one((
            lambda: xp.sort(x), lambda: self.calm(xp.cumsum(x)), lambda: xp.cumprod(xp.tanh(x) + 0.2),
            lambda: xp.sort(x)[::-1], lambda: xp.diff(xp.sort(x)) if p.size else x,
        ))())  # fmt: skip

    def _integer(self, pool: list[Part], _: int) -> None:
        xp, p, q = self.xp, self.some(pool, "i"), self.some(pool, "i")
        if not _broadcast(p.shape, q.shape):
            q = Part("i", xp.sum(q.value))
        x, y = self.array(p.value), q.value
        self.push(pool, "i", self.one((
            lambda: x + y, lambda: x - y, lambda: (x * y) % 7, lambda: x // 3, lambda: x % 5,
            lambda: -x, lambda: xp.abs(x),
            lambda: xp.maximum(x, y), lambda: xp.sum(x), lambda: xp.sort(xp.reshape(x, (p.size,))),
            lambda: x & 3,
            lambda: x ^ y, lambda: x | 1, lambda: ~x, lambda: xp.clip(x, -2, 2),
            lambda: xp.cumsum(xp.reshape(x, (p.size,))) % 11,
            lambda: xp.where(x > y, x, y), lambda: xp.sign(x), lambda: xp.argmax(x) if p.size else x,
            lambda: x << 1,
            lambda: xp.square(x) % 13, lambda: xp.prod(x % 3),
            lambda: xp.argsort(self.ramped(p)) if p.size else x,
        ))())  # fmt: skip

    def ramped(self, p: Part) -> Any:
        """Ints of which none is equal to another."""
        flat = self.xp.reshape(self.array(p.value), (p.size,))
        return flat * p.size + np.arange(p.size)

    def _bool(self, pool: list[Part], _: int) -> None:
        xp, p, q, i = self.xp, self.some(pool, "b"), self.some(pool, "b"), self.some(pool, "i")
        if not _broadcast(p.shape, q.shape):
            q = Part("b", xp.any(q.value))
        x, y = self.array(p.value), q.value
        kinds: list[Callable[[], Any]] = [
            lambda: x & y, lambda: x | y, lambda: ~x, lambda: x ^ y, lambda: x == y, lambda: xp.any(x),
            lambda: xp.all(x),
            lambda: xp.logical_not(x), lambda: self.array(i.value) > 0, lambda: self.array(i.value) % 2 == 0,
        ]  # fmt: skip
        if not self.program.single:
            f = self.some(pool, "f")
            kinds += [lambda: self.apart(f) > 0.0123, lambda: self.apart(f) <= -0.1]
        self.push(pool, "b", self.array(self.one(kinds)()))

    def _mixed(self, pool: list[Part], _: int) -> None:
        """Kinds together: a condition chooses, an Int scales, a Bool masks."""
        xp, b, p = self.xp, self.some(pool, "b"), self.some(pool, "f")
        i = self.some(pool, "i")
        if not _broadcast(b.shape, p.shape):
            b = Part("b", xp.any(b.value))
        if not _broadcast(i.shape, p.shape):
            i = Part("i", xp.sum(i.value) % 5)
        x = p.value
        kinds: list[Callable[[], Any]] = [
            lambda: xp.where(b.value, x, -0.5), lambda: xp.where(b.value, 2.0 * x, xp.sin(x)),
            lambda: xp.where(b.value, 0, x),
        ]  # fmt: skip
        if (
            not self.program.single
        ):  # which is wider with an array of Ints in NumPy, and not elsewhere
            kinds += [
                lambda: self.calm(x * i.value), lambda: self.calm(x + i.value), lambda: x * b.value,
                lambda: xp.where(b.value, x, i.value % 3), lambda: self.calm(i.value / (2.5 + xp.sin(x))),
                lambda: xp.astype(self.array(b.value), np.float64) + x,
            ]  # fmt: skip
        self.push(pool, "f", self.one(kinds)())

    def _gather(self, pool: list[Part], _: int) -> None:
        p, i = self.some(pool, "f", 1), self.some(pool, "i")
        if p.size:
            self.push(pool, "f", self.array(p.value)[self.array(i.value) % p.size])

    # -------------------------------------------------------------------- statements with programs inside

    def inner(self, depth: int, pool: Sequence[Part]) -> Callable[..., Any]:
        """A function of an array of floats that sees the pool and keeps the shape, drawn alike each time."""
        seed, size = self.draw.getrandbits(40), self.draw.randint(1, 2)

        def f(x: Any, *more: Part) -> Any:
            run = _Run(self.program, self.lib, Random(seed))
            own = [*pool, *more, Part("f", x)]
            for _ in range(size):
                run.statement(own, depth - 1)
            return x * 0.5 + run.calm(run.total(own[len(pool) :]))

        return f

    def _cond(self, pool: list[Part], depth: int) -> None:
        x, b = self.some(pool, "f"), self.some(pool, "b")
        then, other = self.inner(depth, pool), self.inner(depth, pool)
        p = self.xp.any(b.value)
        self.push(pool, "f", self.lib.cond(p, lambda: then(x.value), lambda: other(x.value)))

    def _loop(self, pool: list[Part], depth: int) -> None:
        x, body = self.some(pool, "f"), self.inner(depth, pool)
        step = lambda i, c: self.xp.sin(body(c, Part("i", i)))  # noqa: E731
        self.push(pool, "f", self.lib.loop(self.one((0, 1, 2, 3)), step, self.array(x.value)))

    def _call(self, pool: list[Part], depth: int) -> None:
        f = self.lib.call(self.inner(depth, pool))
        self.push(pool, "f", f(f(self.some(pool, "f").value)))

    def _derived(self, pool: list[Part], depth: int) -> None:
        x, f = self.some(pool, "f"), self.inner(depth, pool)
        if self.lib.grad is None or self.lib.along is None:
            raise NotThere
        if self.draw.random() < 0.5:
            of_sum = self.lib.grad(lambda y: self.xp.sum(f(y)))
            self.push(pool, "f", self.calm(of_sum(x.value)))
        else:
            self.push(pool, "f", self.calm(self.lib.along(f, x.value, self.xp.cos(x.value))))

    def _batch(self, pool: list[Part], depth: int) -> None:
        x, f = self.some(pool, "f", self.one((1, 2))), self.inner(depth, pool)
        if x.shape[0]:
            self.push(pool, "f", self.lib.batch(f, self.array(x.value)))


_FLAT = tuple(
    "unary unary unary binary binary binary reduce reduce shape shape matrix matrix product ordered integer "
    "integer bool mixed mixed gather".split()
)
_NESTED = tuple("cond cond loop loop call call derived batch".split())


def _broadcast(a: tuple[int, ...], b: tuple[int, ...]) -> bool:
    """Whether two shapes go together."""
    return all(m == n or 1 in (m, n) for m, n in zip(reversed(a), reversed(b), strict=False))
