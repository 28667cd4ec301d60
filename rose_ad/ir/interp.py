"""The interpreter: what a program means, as plainly as it can be said. The oracle of every test."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..base.errors import OutOfRange, TooLong
from .core import Atom, Block, Const, Function, Instr, Var, rounded
from .ops import Visitor
from .prims import TABLE
from .types import F32, I64, Ref, Scalar, Type, scalar_of, shape_of, value_type


def interpret(function: Function, args: list[Any], most: int | None = None) -> list[Any]:
    """The results of a function for scalars and arrays, of Python or numpy.

    A reference is a numpy array that is added into in place, of shape () for scalars. Raises TooLong where more
    than `most` instructions would be needed.
    """
    env: dict[Var, Any] = {p: _given(x, p.type) for p, x in zip(function.params, args, strict=True)}
    run = Interpreter(env) if most is None else _Counted(env, [most])
    return run.block(function.block)


def _given(x: Any, t: Type) -> Any:
    """An argument as the interpreter computes with it: numpy's integers would overflow."""
    if isinstance(t, Ref):
        return x
    array = np.asarray(x, scalar_of(t).dtype)
    return array.item() if isinstance(t, Scalar) else array


def _zeros(t: Type) -> Any:
    t = value_type(t)
    return np.zeros(shape_of(t), scalar_of(t).dtype)


class Interpreter(Visitor):
    """One run of a function whose variables have the values `env`."""

    def __init__(self, env: dict[Var, Any]) -> None:
        self.env = env

    def value(self, a: Atom) -> Any:
        return a.value if isinstance(a, Const) else self.env[a]

    def block(self, block: Block, *args: Any) -> list[Any]:
        self.env.update(zip(block.params, args, strict=False))
        for instr in block.instrs:
            x = [self.value(a) for a in instr.args]
            if instr.op in TABLE:
                outs = [self.prim(instr, x)]
            else:
                outs = self.rows[instr.op](self, instr, x)
            self.env.update(zip(instr.outs, outs, strict=True))
        return [self.value(r) for r in block.results]

    def prim(self, instr: Instr, x: list[Any]) -> Any:
        out = TABLE[instr.op].evaluate(*x)
        if instr.outs[0].type is F32:
            return rounded(out)
        return (out + 2**63) % 2**64 - 2**63 if instr.outs[0].type is I64 else out

    def _index(self, instr: Instr, x: list[Any]) -> list[Any]:
        a, i = x
        if isinstance(instr.outs[0].type, Ref):
            return [a[i, ...]]
        out = a[i]
        return [out.item() if isinstance(instr.outs[0].type, Scalar) else out]

    def _check(self, instr: Instr, x: list[Any]) -> list[Any]:
        if not 0 <= x[0] < instr.length:
            raise OutOfRange(
                f"index {x[0]} is outside an array of length {instr.length}", instr.loc
            )
        return x

    def _reshape(self, instr: Instr, x: list[Any]) -> list[Any]:
        return [x[0].reshape(instr.shape)]

    def _pack(self, instr: Instr, x: list[Any]) -> list[Any]:
        t = instr.outs[0].type
        return [np.array(x, scalar_of(t).dtype).reshape(shape_of(t))]

    def _join(self, instr: Instr, x: list[Any]) -> list[Any]:
        return [
            np.concatenate([np.ravel(v) for v in x]).astype(scalar_of(instr.outs[0].type).dtype)
        ]

    def _slice(self, instr: Instr, x: list[Any]) -> list[Any]:
        span = instr.span
        return [x[0][span.start : span.start + span.length]]

    def _accum(self, instr: Instr, x: list[Any]) -> list[Any]:
        out = _zeros(instr.content)
        if x:
            out[...] = x[0]
        return [out]

    def _addto(self, instr: Instr, x: list[Any]) -> list[Any]:
        x[0][...] += x[1]
        return []

    def _freeze(self, instr: Instr, x: list[Any]) -> list[Any]:
        return [x[0].item() if x[0].shape == () else x[0]]

    def _build(self, instr: Instr, x: list[Any]) -> list[Any]:
        (body,) = instr.blocks
        low, high = x or (0, instr.length)
        outs = [_zeros(o.type) for o in instr.outs]
        for i in range(low, high):
            for out, row in zip(outs, self.block(body, i), strict=True):
                out[i] = row
        return outs

    def _filter(self, instr: Instr, x: list[Any]) -> list[Any]:
        (body,) = instr.blocks
        low, high = x or (0, instr.length)
        rows = [_zeros(o.type) for o in instr.outs[2:]]
        found = []
        for i in range(low, high):
            keep, *values = self.block(body, i)
            if keep:
                found.append(i)
            for row, value in zip(rows, values, strict=True):
                row[i] = value
        kept = np.zeros(instr.length, np.int64)
        kept[: len(found)] = found
        return [kept, len(found), *rows]

    def _scan(self, instr: Instr, x: list[Any]) -> list[Any]:
        how = instr.steps
        steps = range(x[0] if how.counted else how.n)
        carries = x[1:] if how.counted else x
        ys = [_zeros(o.type) for o in instr.outs[len(carries) :]]
        for i in reversed(steps) if how.reverse else steps:
            carries = self._step(instr, i, carries, ys)
        return [*carries, *ys]

    def _while(self, instr: Instr, x: list[Any]) -> list[Any]:
        ys = [_zeros(o.type) for o in instr.outs[len(x) : -1]]
        i = 0
        while i < instr.length and self.goes_on(instr, x):
            x = self._step(instr, i, x, ys)
            i += 1
        return [*x, *ys, i]

    def goes_on(self, instr: Instr, carries: list[Any]) -> bool:
        """Whether a while loop takes another step."""
        return bool(self.block(instr.blocks[1], *carries)[0])

    def _rewind(self, instr: Instr, x: list[Any]) -> list[Any]:
        how = instr.steps
        steps = list(range(x[0] if how.counted else how.n))
        step, back = instr.blocks
        carries = x[1:] if how.counted else x
        kept = [carries[: len(step.results)]]
        cts = carries[len(step.results) :]
        order = steps[::-1] if how.reverse else steps
        for i in order[:-1]:
            kept.append(self.block(step, i, *kept[-1]))
        for i in reversed(order):
            cts = self.block(back, i, *kept.pop(), *cts)
        return cts

    def _step(self, instr: Instr, i: int, carries: list[Any], ys: list[Any]) -> list[Any]:
        results = self.block(instr.blocks[0], i, *carries)
        count = len(carries)
        for y, row in zip(ys, results[count:], strict=True):
            y[i] = row
        return results[:count]

    def _cond(self, instr: Instr, x: list[Any]) -> list[Any]:
        return self.block(instr.blocks[0] if x[0] else instr.blocks[1])

    def _host(self, instr: Instr, x: list[Any]) -> list[Any]:
        out: list[Any] = instr.host.values([np.asarray(v) for v in x])
        return [v.item() if v.shape == () else v for v in out]

    def _call(self, instr: Instr, x: list[Any]) -> list[Any]:
        return self.inside(dict(zip(instr.callee.params, x, strict=True))).block(instr.callee.block)

    def inside(self, env: dict[Var, Any]) -> Interpreter:
        """The run of a function that this one calls."""
        return type(self)(env)


class _Counted(Interpreter):
    """A run that ends after so many instructions, which it and those it calls count down in `left`."""

    def __init__(self, env: dict[Var, Any], left: list[int]) -> None:
        super().__init__(env)
        self.left = left

    def block(self, block: Block, *args: Any) -> list[Any]:
        self.left[0] -= len(block.instrs)
        if self.left[0] < 0:
            raise TooLong("the interpreter would need more instructions than it was allowed")
        return super().block(block, *args)

    def inside(self, env: dict[Var, Any]) -> Interpreter:
        return _Counted(env, self.left)
