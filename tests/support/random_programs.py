"""Random programs for `fuzz.py`, drawn from a seed as nested tuples; `random_runs` runs them.

A program is a list of statements. Each leaves values in a scope; an operand is a number that counts back from
the newest value of the kind it needs, taken modulo how many there are, so a program stays well formed when
statements are taken out of it. Kinds of values:

    s h i b      scalars: Real, Real32, Int, Bool
    v g k        vectors of Reals, Real32s, Ints
    m            matrices of Reals

A `smooth` program has derivatives everywhere: no branch depends on a Real. In a `rough` one branches do. In
both, values stay moderate: what a loop feeds back goes through a sine, what it sums through a tanh. A `wild`
program has neither guard, and meets infinities and NaN.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random
from typing import Any, NamedTuple

import rose_ad as ra

Block = tuple[tuple, ...]


class Program(NamedTuple):
    """A drawn program: its style, functions it may call, statements, and what it returns."""

    style: str
    helpers: tuple[tuple[Block, int, int], ...]
    body: Block
    results: tuple[tuple[str, int], ...]


# ------------------------------------------------------------------------------------ drawing

UNARY: dict[str, Callable[[Any], Any]] = {
    "sin": ra.sin,
    "cos": ra.cos,
    "tanh": ra.tanh,
    "atan": ra.atan,
    "root": lambda x: ra.sqrt(1.0 + x * x),
    "grow": lambda x: ra.exp(ra.sin(x)),
    "square": lambda x: ra.sin(x) ** 2,
    "cube": lambda x: ra.sin(x) ** 3,
    "inverse": lambda x: (1.5 + ra.cos(x)) ** -2,
    "negate": lambda x: -x,
    "log": lambda x: ra.log(1.5 + ra.sin(x)),
    "stop": lambda x: x + ra.stop_gradient(0.0 * x),
}
KINKED: dict[str, Callable[[Any], Any]] = {
    "abs": lambda x: ra.abs(x + 0.01234),
    "clip": lambda x: ra.clip(x, -0.51234, 0.41234),
    "floor": lambda x: x + ra.floor(x + 0.01234),
    "sign": lambda x: x * ra.sign(x + 0.01234),
    "frozen": lambda x: x * ra.stop_gradient(ra.cos(x)),
}
RAW: dict[str, Callable[[Any], Any]] = {
    "sqrt": ra.sqrt,
    "log": ra.log,
    "exp": ra.exp,
    "log1p": ra.log1p,
    "expm1": ra.expm1,
    "tan": ra.tan,
    "asin": ra.asin,
    "sinh": ra.sinh,
    "abs": ra.abs,
    "sign": ra.sign,
    "ceil": ra.ceil,
    "reciprocal": lambda x: 1.0 / x,
    "zero": lambda x: 0.0 * x,
}
BINARY: dict[str, Callable[[Any, Any], Any]] = {
    "add": lambda x, y: x + y,
    "sub": lambda x, y: x - y,
    "mul": lambda x, y: ra.sin(x) * y,
    "div": lambda x, y: x / (1.5 + ra.cos(y)),
    "atan2": lambda x, y: ra.atan2(x, 1.5 + ra.sin(y)),
    "hypot": lambda x, y: ra.hypot(x, 1.5 + ra.sin(y)),
    "power": lambda x, y: ra.pow(1.5 + ra.sin(x), ra.cos(y)),
}
KINKED_BINARY: dict[str, Callable[[Any, Any], Any]] = {
    "min": ra.minimum,
    "max": lambda x, y: ra.maximum(x + 0.01234, y),
}
RAW_BINARY: dict[str, Callable[[Any, Any], Any]] = {
    "mul": lambda x, y: x * y,
    "div": lambda x, y: x / y,
    "mod": lambda x, y: x % y,
    "hypot": ra.hypot,
    "atan2": ra.atan2,
}
INTEGER: dict[str, Callable[[Any, Any], Any]] = {
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "mul": lambda a, b: a * b,
    "mod": lambda a, b: a % b,
    "div": lambda a, b: a // b,
    "min": ra.minimum,
    "max": ra.maximum,
    "abs": lambda a, b: abs(a) - b,
}
COMPARE: dict[str, Callable[[Any, Any], Any]] = {
    "lt": lambda a, b: a < b,
    "le": lambda a, b: a <= b,
    "eq": lambda a, b: a == b,
    "ne": lambda a, b: a != b,
    "gt": lambda a, b: a > b,
}
MOVES = ("roll", "cumsum", "join", "take", "reverse", "slice", "step", "fit", "computed", "sort")
INDEXED = ("clip",) * 4 + ("mod",) * 4 + ("raw",)
LENGTHS = (1, 2, 3, 4, 5, 6)
WEIGHTS = ((4, 5), (8, 16), (12, 49), (8, 53))  # matrices that are worth being multiplied by blocks
CONSTANTS = (-1.5, -1.0, -0.5, 0.0, 0.25, 1.0, 2.0)
ODD = (*CONSTANTS, -0.0, float("inf"), float("-inf"), float("nan"), 1e300, 1e-310)
CHECKPOINTS = ("all", "all", 1, 2, "sqrt")


class Draw:
    """Draws a program."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.style = self.one(("smooth", "smooth", "rough", "rough", "wild"))
        self.single = self.random.random() < 0.15  # whether it has Real32s
        self.unary, self.binary = {**UNARY}, {**BINARY}
        if self.style != "smooth":
            self.unary |= KINKED
            self.binary |= KINKED_BINARY
        if self.style == "wild":
            self.unary |= RAW
            self.binary |= RAW_BINARY

    def one(self, of: Sequence[Any]) -> Any:
        return self.random.choice(of)

    def ref(self) -> int:
        """An operand; mostly what is new."""
        return min(int(self.random.expovariate(0.8)), 12)

    def real(self) -> str:
        return "h" if self.single and self.random.random() < 0.5 else "s"

    def kinds(self) -> tuple[tuple[str, int], ...]:
        """What a branch returns or a loop carries."""
        more = [self.one("svib") for _ in range(self.random.randrange(3))]
        return tuple((kind, self.ref()) for kind in [self.real(), *more])

    def program(self) -> Program:
        helpers = tuple(
            (self.block(1, 3), self.ref(), self.ref()) for _ in range(self.random.randrange(3))
        )
        body = self.block(3, self.random.randint(3, 9))
        results = ((self.one("sv"), self.ref()), (self.one("svikb"), self.ref()))
        return Program(self.style, helpers, body, results)

    def block(self, depth: int, size: int) -> Block:
        return tuple(self.statement(depth) for _ in range(self.random.randint(1, size)))

    def statement(self, depth: int) -> tuple:
        nested = depth > 0 and self.random.random() < 0.5
        name = self.one(NESTED if nested else FLAT)
        parts = getattr(self, f"_{name}")(depth - 1)
        return (name, *parts)

    def length(self, depth: int) -> int:
        """A small number of iterations, fewer inside."""
        return int(self.one((0, 1, 2, 3, 5) if depth > 1 else (0, 1, 2, 3)))

    # flat statements

    def _const(self, _: int) -> tuple:
        return (self.one(ODD if self.style == "wild" else CONSTANTS),)

    def _unary(self, _: int) -> tuple:
        return self.real(), self.one(list(self.unary)), self.ref()

    def _binary(self, _: int) -> tuple:
        return self.real(), self.one(list(self.binary)), self.ref(), self.ref()

    def _vector(self, _: int) -> tuple:
        kind = "g" if self.single and self.random.random() < 0.3 else "v"
        return kind, self.one(list(self.binary)), self.ref(), self.ref()

    def _scaled(self, _: int) -> tuple:
        return self.real(), self.ref(), self.ref()

    def _pack(self, _: int) -> tuple:
        return self.one("sssi"), tuple(self.ref() for _ in range(self.random.randint(1, 4)))

    def _move(self, _: int) -> tuple:
        moves = MOVES if self.style != "smooth" else MOVES[:-1]
        return self.one(moves), self.one("vvvk"), self.ref(), self.ref()

    def _reduce(self, _: int) -> tuple:
        return self.one(("sum", "mean", "dot", "own_dot", "norm", "last")), self.ref()

    def _entry(self, _: int) -> tuple:
        how = self.one(INDEXED)
        return self.one("vvk"), self.ref(), self.ref(), how

    def _matrix(self, _: int) -> tuple:
        what = self.one(("shape", "turn", "axis", "product", "row", "entry", "column", "outer"))
        return what, self.ref(), self.ref(), self.one((1, 2, 3)), self.one((1, 2, 3))

    def _weigh(self, _: int) -> tuple:
        return (
            self.one((True, False)),
            self.one(WEIGHTS),
            self.ref(),
            self.ref(),
            self.random.randrange(9),
        )

    def _integer(self, _: int) -> tuple:
        return self.one(list(INTEGER)), self.ref(), self.ref()

    def _literal(self, _: int) -> tuple:
        return (self.random.randint(-3, 7),)

    def _truncate(self, _: int) -> tuple:
        return (self.ref(),)

    def _compare(self, _: int) -> tuple:
        kind = "i" if self.style == "smooth" else self.one("is")
        return kind, self.one(list(COMPARE)), self.ref(), self.ref()

    def _logic(self, _: int) -> tuple:
        return self.one(("and", "or", "not", "same")), self.ref(), self.ref()

    def _where(self, _: int) -> tuple:
        return self.one("svib"), self.ref(), self.ref(), self.ref()

    def _add(self, _: int) -> tuple:
        how = self.one(INDEXED)
        return self.ref(), self.ref(), self.ref(), self.ref(), self.one("+-"), how

    def _call(self, _: int) -> tuple:
        how = self.one(("call", "call", "checkpoint", "grad", "jvp", "vjp", "linearize", "vmap"))
        return how, self.ref(), self.ref(), self.ref(), self.ref()

    # statements with blocks

    def _build(self, d: int) -> tuple:
        results = tuple((k, self.ref()) for k in self.one(("s", "s", "si", "v", "b")))
        return self.one(LENGTHS), self.block(d, 3), results

    def _cond(self, d: int) -> tuple:
        kinds = self.kinds()
        return self.ref(), kinds, self.block(d, 3), self.block(d, 3)

    def _switch(self, d: int) -> tuple:
        return self.ref(), self.kinds(), tuple(self.block(d, 2) for _ in range(self.one((1, 2, 3))))

    def _fori(self, d: int) -> tuple:
        return self.length(d), self.one(CHECKPOINTS), self.kinds(), self.block(d, 3)

    def _scan(self, d: int) -> tuple:
        return (self.one((True, False)), self.one(CHECKPOINTS), self.ref(), self.kinds(),
                self.one("svib"), self.block(d, 3))  # fmt: skip

    def _while(self, d: int) -> tuple:
        return self.one((None, 0, 2, 3, 6)), self.length(d), self.kinds(), self.block(d, 3)

    def _accum(self, d: int) -> tuple:
        shape = self.one(((), (3,), (5,), (2, 3)))
        return shape, self.random.random() < 0.2, self.block(d, 3)

    def _loop(self, d: int) -> tuple:
        return self.length(d), self.block(d, 3)

    def _span(self, d: int) -> tuple:
        return self.ref(), self.ref(), self.block(d, 3)

    def _when(self, d: int) -> tuple:
        return self.ref(), self.block(d, 3)

    def _closure(self, d: int) -> tuple:
        how = self.one(("call", "call", "checkpoint", "grad", "jvp", "vjp", "vmap"))
        return how, self.block(d, 3), self.ref(), self.ref()

    def _total(self, d: int) -> tuple:
        return self.length(d), self.block(d, 2), self.ref()


FLAT = tuple(
    "const unary unary unary binary binary binary vector vector scaled pack move move reduce reduce "
    "entry entry matrix matrix weigh integer literal truncate compare compare logic where where add add add "
    "call call".split()
)
NESTED = tuple(
    "build build cond cond switch fori fori scan scan while accum accum accum loop loop span when when "
    "closure total".split()
)


STATEMENTS = tuple(dict.fromkeys(FLAT + NESTED))


def draw(seed: int) -> Program:
    """The program of a seed."""
    return Draw(seed).program()
