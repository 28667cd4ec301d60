"""Where a function jumps near its arguments, and so where its gradient cannot be trusted.

A program is piecewise smooth, and the pieces differ in its decisions: which side a `where` or `cond` takes,
what `floor` rounds to. The function is run by the interpreter with its decisions written down, at the
arguments and at points around them. Where two points differ in a decision, the crossing between them is found
by bisection, and the results on its two sides are compared. A continuous function's change shrinks with the
distance between the sides; a jump does not. Which decision made it is found by a run on one side in which that
decision alone is taken as on the other.
"""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np

from ..ad.forward import forward
from ..api.python_function import as_fn
from ..base.errors import TypeMismatch
from ..base.source import UNKNOWN, here, name_of, show
from ..base.tree import flatten, paths, unflatten
from ..ir.core import Function, Instr, Var
from ..ir.interp import Interpreter
from ..ir.prims import TABLE
from ..ir.text import as_written
from ..ir.types import is_float, scalar_of
from ..tracing.values import type_of

Decisions: TypeAlias = "dict[tuple[Instr, int], Any]"  # by instruction and how often it had run
Leaf: TypeAlias = "np.ndarray[Any, Any]"

_CROSSINGS = 8  # along one ray, the nearest first
_SUSPECTS = 8  # decisions tried for what makes a jump


@dataclass(frozen=True)
class Discontinuity:
    """A place near the arguments where a result, or with kind "kink" its derivative, jumps.

    It lies at args + distance * direction. `before` and `after` are the two sides of what jumps, nearer to the
    arguments and beyond: the entry of the result or, of a kink, its derivative along `direction`.
    """

    kind: Literal["jump", "kink"]
    operation: str  # "where", "cond", "min", "floor", ...
    location: int  # of the operation in the user's code
    decided_at: int  # where its condition is computed, if it has one
    result: str  # what jumps: "result[1][0, 2]"
    before: float
    after: float
    distance: float
    direction: Any  # with the structure of the arguments
    along: str  # the direction in words

    @property
    def file(self) -> str:
        return name_of(self.location).rpartition(":")[0]

    @property
    def line(self) -> int:
        return int(name_of(self.location).rpartition(":")[2])

    def __str__(self) -> str:
        what = self.result if self.kind == "jump" else f"the derivative of {self.result}"
        lines = [
            f"{self.kind}: {what} is {self.before:.6g} on one side of {self.operation} and "
            f"{self.after:.6g} on the other, at distance {self.distance:.3g} along {self.along}",
            show(self.location),
        ]
        if self.decided_at != UNKNOWN and name_of(self.decided_at) != name_of(self.location):
            lines.append(f"  decided here:\n{show(self.decided_at)}")
        return "\n".join(lines)


def check_continuity(
    f: Any,
    args: Sequence[Any],
    radius: float = 1e-3,
    samples: int = 16,
    seed: int = 0,
    kinks: bool = False,
) -> list[Discontinuity]:
    """The discontinuities of `f` within `radius` of `args`, jumps first, the nearest of a line first.

    The function is followed along `samples` random directions, and along the axes of as many entries of the
    arguments, both ways. A direction moves the entries of an argument by up to that argument's largest entry
    (by up to 1 if that is 0), so `radius` is relative. Crossings are found to 1e-12 (1e-6 where anything is
    single precision), relative likewise. With `kinks`, jumps of the derivative along the direction are
    reported too, which abs, min and max make. Float results only; each line once for each result.

    The interpreter does this, thousands of times slower than compiled code: use small cases. What it finds is
    there; a boundary that no direction crosses, or crosses twice in half the radius, is missed.

    Raises TypeMismatch where there is nothing to vary or the radius is below what can be resolved.
    """
    function = as_fn(f)
    given, call = flatten((tuple(args), {}))
    types = function.argument_types(call, [type_of(leaf) for leaf in given])
    special = function.specialise(call, types)
    single = any(
        scalar_of(t).dtype == np.float32 for t in (*types, *(r.type for r in special.ir.results))
    )
    resolution = _SINGLE if single else _DOUBLE
    if not any(is_float(t) for t in types):
        raise TypeMismatch(
            f"{function.__name__} is given no float that can vary", here(), "2.0, not 2"
        )
    if not radius > resolution.coarse:
        raise TypeMismatch(f"the radius {radius} is not above {resolution.coarse}", here())
    start = [np.asarray(x, scalar_of(t).dtype) for x, t in zip(given, types, strict=True)]
    program = _program(special.ir, paths(special.result), kinks)
    structure = flatten(tuple(args))[1]
    names = [f"args{path}" for path in paths(structure)]
    nearest: dict[tuple[Any, ...], Discontinuity] = {}
    for direction, along in _directions(start, names, samples, np.random.default_rng(seed)):
        ray = _Ray(program, start, direction, resolution)
        for lo, hi, wide in itertools.islice(ray.crossings(radius), _CROSSINGS):
            for key, jump in _jumps(ray, lo, hi, wide):
                known = nearest.get(key)
                if known is None or jump.distance < known.distance:
                    nearest[key] = jump.found(unflatten(structure, direction), along)
    return sorted(nearest.values(), key=lambda d: (d.kind, d.distance))


# ------------------------------------------------------------------------------------- decisions


@dataclass(frozen=True)
class _Decision:
    """What a primitive decides for its operands, and its value if the decision is another one."""

    decide: Callable[..., Any]
    follow: Callable[..., Any] | None = None


def _rounding(op: str) -> _Decision:
    def decide(x: float) -> Any:
        return None if math.isnan(x) else TABLE[op].evaluate(x)

    return _Decision(decide, lambda decision, x: x if decision is None else decision)


_DECISIONS = {
    "select": _Decision(lambda c, a, b: bool(c), lambda first, c, a, b: a if first else b),
    "bool_to_i64": _Decision(bool, lambda c, x: int(c)),
    "min": _Decision(lambda a, b: a < b, lambda first, a, b: a if first else b),
    "max": _Decision(lambda a, b: a > b, lambda first, a, b: a if first else b),
    "abs": _Decision(lambda x: x < 0, lambda negative, x: -x if negative else x),
    **{op: _rounding(op) for op in ("sign", "floor", "ceil", "to_i64")},
    # poles and the cut of atan2: no other value to follow
    "div": _Decision(lambda a, b: b < 0),
    "tan": _Decision(lambda x: math.floor(x / math.pi + 0.5) if math.isfinite(x) else None),
    "atan2": _Decision(lambda y, x: math.copysign(1, y) < 0 and x < 0),
}


class _Recorder(Interpreter):
    """A run that writes down its decisions, and takes those in `forced` as they are there."""

    def __init__(
        self,
        env: dict[Var, Any],
        forced: Mapping[tuple[Instr, int], Any],
        decisions: Decisions,
        runs: Counter[Instr],
    ) -> None:
        super().__init__(env)
        self.forced, self.decisions, self.runs = forced, decisions, runs

    def inside(self, env: dict[Var, Any]) -> _Recorder:
        return _Recorder(env, self.forced, self.decisions, self.runs)

    def take(self, instr: Instr, decision: Any) -> Any:
        """The decision that is taken, of this one and a forced one."""
        key = instr, self.runs[instr]
        self.runs[instr] += 1
        taken = self.decisions[key] = self.forced.get(key, decision)
        return taken

    def prim(self, instr: Instr, x: list[Any]) -> Any:
        rule = _DECISIONS.get(instr.op)
        if rule is None:
            return super().prim(instr, x)
        decision = rule.decide(*x)
        taken = self.take(instr, decision)
        if taken == decision or rule.follow is None:
            return super().prim(instr, x)
        return rule.follow(taken, *x)

    def goes_on(self, instr: Instr, carries: list[Any]) -> bool:
        return bool(self.take(instr, super().goes_on(instr, carries)))

    def _cond(self, instr: Instr, x: list[Any]) -> list[Any]:
        return super()._cond(instr, [self.take(instr, bool(x[0]))])


# ------------------------------------------------------------------------------------------ rays


@dataclass(frozen=True)
class _Resolution:
    """The width to which a crossing is bisected, a wider one that it is compared with, and the rounding
    that results may show, relative to their size."""

    fine: float
    coarse: float
    rounding: float


_DOUBLE = _Resolution(1e-12, 1e-10, 1e-9)
_SINGLE = _Resolution(1e-6, 1e-4, 1e-4)


@dataclass(frozen=True)
class _Output:
    """A result of the program that is watched: the k-th, a float or the derivative of one."""

    kind: Literal["jump", "kink"]
    k: int
    name: str


@dataclass(frozen=True)
class _Program:
    """What is run: the function, or its forward derivative if `tangents` are the arguments that take one."""

    ir: Function
    tangents: tuple[int, ...]
    outputs: tuple[_Output, ...]


def _program(ir: Function, names: Sequence[str], kinks: bool) -> _Program:
    floats = [k for k, r in enumerate(ir.results) if is_float(r.type)]
    outputs = [_Output("jump", k, f"result{names[k]}") for k in floats]
    if not kinks:
        return _Program(ir, (), tuple(outputs))
    derivative, tangents, kept = forward(ir, tuple(is_float(p.type) for p in ir.params))
    outputs += [
        _Output("kink", len(ir.results) + n, f"result{names[k]}") for n, k in enumerate(kept)
    ]
    return _Program(derivative, tangents, tuple(outputs))


@dataclass(frozen=True)
class _Point:
    """The run at distance `t`."""

    t: float
    decisions: Decisions
    values: list[Any]


Crossing: TypeAlias = "tuple[_Point, _Point, tuple[_Point, _Point]]"


@dataclass(frozen=True)
class _Ray:
    """The program along start + t * direction."""

    program: _Program
    start: list[Leaf]
    direction: list[Leaf]
    resolution: _Resolution

    def at(self, t: float, forced: Mapping[tuple[Instr, int], Any] | None = None) -> _Point:
        """The run at distance t, with these decisions forced."""
        args = [
            np.asarray(x + t * d, x.dtype) if d.any() else x
            for x, d in zip(self.start, self.direction, strict=True)
        ]
        args += [self.direction[k] for k in self.program.tangents]
        ir = self.program.ir
        env = {p: a.item() if a.shape == () else a for p, a in zip(ir.params, args, strict=True)}
        run = _Recorder(env, forced or {}, {}, Counter())
        return _Point(t, run.decisions, run.block(ir.block))

    def crossings(self, radius: float) -> Iterator[Crossing]:
        """Where decisions change, the nearest first: both sides, and both sides some way off."""
        points = [self.at(t) for t in (0.0, radius / 2, radius)]
        for lo, hi in itertools.pairwise(points):
            yield from self._between(lo, hi, None)

    def _between(
        self, lo: _Point, hi: _Point, wide: tuple[_Point, _Point] | None
    ) -> Iterator[Crossing]:
        if lo.decisions == hi.decisions:
            return
        width = hi.t - lo.t
        if wide is None and width <= self.resolution.coarse:
            wide = lo, hi
        if wide is not None and width <= self.resolution.fine:
            yield lo, hi, wide
            return
        middle = self.at((lo.t + hi.t) / 2)
        yield from self._between(lo, middle, wide)
        yield from self._between(middle, hi, wide)


def _directions(
    start: Sequence[Leaf], names: Sequence[str], samples: int, rng: np.random.Generator
) -> Iterator[tuple[list[Leaf], str]]:
    """Directions and their names: axes first, then random ones, each both ways."""
    sizes = [
        (float(np.max(np.abs(x), initial=0.0)) or 1.0) if x.dtype.kind == "f" else 0.0
        for x in start
    ]
    axes = [
        (k, at)
        for k, (x, size) in enumerate(zip(start, sizes, strict=True))
        if size
        for at in np.ndindex(x.shape)
    ]
    chosen = sorted(rng.choice(len(axes), min(samples, len(axes)), replace=False).tolist())
    for k, at in (axes[n] for n in chosen):
        entry = f"{names[k]}{list(at)}" if at else names[k]
        for sign, word in ((1.0, "up"), (-1.0, "down")):
            axis = [np.zeros_like(x) for x in start]
            axis[k][at] = sign * sizes[k]
            yield axis, f"{entry}, {word}"
    for _ in range(samples):
        way = [
            np.asarray(size * rng.uniform(-1, 1, x.shape), x.dtype)
            for x, size in zip(start, sizes, strict=True)
        ]
        yield way, "a random direction"
        yield [-v if v.any() else v for v in way], "a random direction"


# ----------------------------------------------------------------------------------------- jumps


@dataclass(frozen=True)
class _Jump:
    output: _Output
    at: tuple[int, ...]
    sides: tuple[float, float]
    distance: float
    instr: Instr

    def found(self, direction: Any, along: str) -> Discontinuity:
        instr, output = self.instr, self.output
        condition = instr.args[0] if instr.op in {"select", "cond", "bool_to_i64"} else None
        maker = condition.instr if isinstance(condition, Var) else None
        entry = str([*self.at]) if self.at else ""
        return Discontinuity(
            output.kind,
            as_written(instr.op),
            instr.loc,
            UNKNOWN if maker is None else maker.loc,
            output.name + entry,
            *self.sides,
            self.distance,
            direction,
            along,
        )


def _jumps(
    ray: _Ray, lo: _Point, hi: _Point, wide: tuple[_Point, _Point]
) -> Iterator[tuple[tuple[Any, ...], _Jump]]:
    """The jumps at a crossing, each with what tells it from others."""
    jumped: set[str] = set()
    for output in ray.program.outputs:
        if output.kind == "kink" and output.name in jumped:
            continue  # where a value jumps, its derivative says nothing
        a, b = (np.asarray(p.values[output.k], np.float64) for p in (lo, hi))
        # how much the result changes on either side; of a continuous one most of the change is there
        by_sides = np.fmax(
            _distance(wide[0].values[output.k], a), _distance(b, wide[1].values[output.k])
        )
        near = _distance(a, b)
        size = 1 + np.fmax(np.abs(a), np.abs(b))
        near = np.where((near >= by_sides) & (near > ray.resolution.rounding * size), near, 0.0)
        if not near.any():
            continue
        jumped.add(output.name)
        at = tuple(int(i) for i in np.unravel_index(int(near.argmax()), near.shape))
        instr = _culprit(ray, lo, hi, output.k, at, float(near[at]))
        sides = float(a[at]), float(b[at])
        yield (output, instr.loc), _Jump(output, at, sides, hi.t, instr)


def _distance(a: Any, b: Any) -> np.ndarray[Any, Any]:
    """|a - b|; 0 where both are one infinity or NaN, infinite where only one is."""
    a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
    with np.errstate(invalid="ignore"):
        d = np.abs(a - b)
    same = (a == b) | (np.isnan(a) & np.isnan(b))
    return np.where(same, 0.0, np.where(np.isnan(d), np.inf, d))


def _culprit(ray: _Ray, lo: _Point, hi: _Point, k: int, at: tuple[int, ...], jump: float) -> Instr:
    """The instruction whose decisions, changed alone, make at least half of the jump."""
    lines: dict[int, Decisions] = {}
    for key, decision in lo.decisions.items():
        other = hi.decisions.get(key, decision)
        if other != decision:
            lines.setdefault(key[0].loc, {})[key] = other
    suspects = [next(iter(changed))[0] for changed in lines.values()]
    if len(suspects) > 1:
        for instr, changed in itertools.islice(
            zip(suspects, lines.values(), strict=True), _SUSPECTS
        ):
            value = ray.at(lo.t, changed).values[k]
            if float(_distance(value, lo.values[k])[at]) >= jump / 2:
                return instr
        for instr in suspects:
            if instr.op in _DECISIONS and _DECISIONS[instr.op].follow is None:
                return instr
    return suspects[0]
