"""`vmap`: a function of one becomes a function of many, run side by side in SIMD lanes.

The batch is a `build` over its members whose length is marked (ir.Lanes), so every derivative of it, and of
functions that call it, is that of a loop. Lowering runs the members of such a loop in the lanes of vectors.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..base.errors import TypeMismatch
from ..base.lazy import lazy
from ..base.source import here
from ..base.tree import Static, Structure, flatten, unflatten
from ..ir.core import Atom, Function, Lanes
from ..ir.types import Type, Value, array_type, scalar_of, shape_of
from ..lower.lanes.divergence import divergence
from ..tracing.arrays import moveaxis
from ..tracing.trace import Trace, tracing
from ..tracing.values import lift, type_of, wrap
from .function import Fn, Signature, Specialised, derived
from .python_function import as_fn

Axes = Any  # an int, None, or a structure of these


def vmap(f: Any, in_axes: Axes = 0, out_axes: Axes = 0, threads: int = 1) -> Fn:
    """`f` for many at once: each argument gets a batch axis, and so does each result. As in JAX.

    `in_axes` says which axis of the arguments that is: one int for all, a tuple with an entry for each, or
    structures of such; None for what all members of the batch share. Keyword arguments have axis 0.
    `out_axes` says where it is put in the results; None for a result that is the same for all.

    With `threads`, a call from outside a traced function splits the batch into as many parts and runs them at
    the same time.

    Raises TypeMismatch where nothing is mapped, sizes differ or there is no such axis.
    """
    base = as_fn(f)
    key = "vmap", in_axes, out_axes, repr((in_axes, out_axes)), threads
    return derived(base, key, lambda: _Batched(base, in_axes, out_axes, threads))


class _Batched(Fn):
    def __init__(self, base: Fn, in_axes: Axes, out_axes: Axes, threads: int) -> None:
        super().__init__(f"{base.__name__}.vmap")
        if threads < 1:
            raise TypeMismatch(f"threads must be at least 1: {threads}", here())
        self.base, self.in_axes, self.out_axes, self.threads = base, in_axes, out_axes, threads
        self.static_in = base.static_in

    # -------------------------------------------------------------------------------------- types

    def argument_types(self, structure: Structure, types: Sequence[Type]) -> Sequence[Type]:
        axes = self._argument_axes(structure, types)
        wanted = self.base.argument_types(structure, _rows(types, axes))
        return [array_type(shape_of(t), scalar_of(w)) for t, w in zip(types, wanted, strict=True)]

    def _argument_axes(self, structure: Structure, types: Sequence[Type]) -> list[int | None]:
        """The axis of each leaf that is mapped, counted from the front; None for those that are not."""
        args, kwargs = structure.children
        spec = self.in_axes
        if isinstance(spec, list):
            spec = tuple(spec)
        if isinstance(spec, tuple) and len(spec) != len(args.children):
            raise TypeMismatch(
                f"in_axes has {len(spec)} entries, but {self.base.__name__} was called with "
                f"{len(args.children)} arguments",
                here(),
            )
        given = [*_spread(spec, args, "in_axes"), *_spread(0, kwargs, "in_axes")]
        axes = [_from_front(a, shape_of(t)) for a, t in zip(given, types, strict=True)]
        if all(a is None for a in axes):
            raise TypeMismatch(
                f"no argument of {self.__name__} is mapped, so the size of the batch is not known",
                here(),
                "an axis in in_axes for one argument at least",
            )
        self._size(types, axes)
        return axes

    def _size(self, types: Sequence[Type], axes: Sequence[int | None]) -> int:
        sizes = {shape_of(t)[a]: None for t, a in zip(types, axes, strict=True) if a is not None}
        if len(sizes) != 1:
            found = " and ".join(map(str, sizes))
            raise TypeMismatch(
                f"the mapped arguments of {self.__name__} have batches of different sizes: {found}",
                here(),
                "the same length along every mapped axis, or None in in_axes for what is not mapped",
            )
        return next(iter(sizes))

    # ------------------------------------------------------------------------------------- making

    def make(self, structure: Structure, types: Sequence[Type]) -> Specialised:
        axes = self._argument_axes(structure, types)
        n = self._size(types, axes)
        base = self.base.specialise(structure, _rows(types, axes))
        out_axes = self._result_axes(base, axes)
        trace = Trace(self.__name__)
        b = trace.builder
        b.loc = base.ir.loc
        params = [b.block.param(t) for t in types]
        captured = [b.block.param(v.type) for v in base.captured]
        with tracing(trace):
            batched = [
                p if a is None else moveaxis(wrap(p), a, 0).atom
                for p, a in zip(params, axes, strict=True)
            ]
            b.loc = base.ir.loc
            inner = b.loop(0, n - 1)
            i = inner.block.params[0]
            members = [
                p if a is None else inner.index(p, i) for p, a in zip(batched, axes, strict=True)
            ]
            inner.block.results = inner.call(base.ir, [*members, *captured])
            outs = b.build(Lanes(n), inner.block)
            b.block.results = tuple(_at_axis(o, a) for o, a in zip(outs, out_axes, strict=True))
        return Specialised(
            Function(self.__name__, b.block, base.ir.loc), base.result, base.captured
        )

    def _result_axes(self, base: Specialised, axes: Sequence[int | None]) -> list[int | None]:
        given = _spread(self.out_axes, base.result, "out_axes")
        mapped = [a is not None for a in axes] + [False] * len(base.captured)
        varying = divergence(base.ir, tuple(mapped))
        found: list[int | None] = []
        for a, r in zip(given, base.ir.results, strict=True):
            found.append(_from_front(a, (0, *shape_of(r.type)), "out_axes"))
            if a is None and r in varying:
                raise TypeMismatch(
                    f"out_axes is None for a result of {self.base.__name__} that differs from one member "
                    f"of the batch to the next",
                    base.ir.loc,
                    "an axis for it",
                )
        return found

    # ------------------------------------------------------------------------------------ threads

    def __getstate__(self) -> dict[str, Any]:
        return {k: v for k, v in super().__getstate__().items() if k not in {"_pools", "_plans"}}

    @lazy
    def _pools(self) -> dict[int, ThreadPoolExecutor]:
        return {}

    def _pool(self) -> ThreadPoolExecutor:
        """The threads of this process: the child of a fork has none of its parent's."""
        process = os.getpid()
        known = self._pools.get(process)
        return known or self._pools.setdefault(process, ThreadPoolExecutor(self.threads))

    @lazy
    def _part(self) -> Fn:
        """The same for a part of the batch, in one thread."""
        return _Batched(self.base, self.in_axes, self.out_axes, 1)

    @lazy
    def _plans(self) -> dict[Signature, _Plan]:
        return {}

    def _run(self, leaves: list[Any], structure: Structure) -> Any:
        if self.threads == 1:
            return super()._run(leaves, structure)
        types = [type_of(leaf) for leaf in leaves]
        key = structure, tuple(types)
        plan = self._look_up(self._plans, key) or self._planned(structure, types)
        self._plans[key] = plan
        parts = [
            unflatten(structure, [_cut(x, a, part) for x, a in zip(leaves, plan.axes, strict=True)])
            for part in plan.parts
        ]
        # each in the context of this call, which says how it is to be compiled
        pool = self._pool()
        tasks = [pool.submit(copy_context().run, self._part, *a, **k) for a, k in parts]
        found = [flatten(task.result())[0] for task in tasks]
        whole = [
            values[0] if a is None else np.concatenate(values, a)
            for a, values in zip(plan.result_axes, zip(*found, strict=True), strict=True)
        ]
        return unflatten(plan.result, whole)

    def _planned(self, structure: Structure, types: Sequence[Type]) -> _Plan:
        """How a batch is taken apart, with its parts traced and compiled here, so that errors say where."""
        axes = self._argument_axes(structure, types)
        n = self._size(types, axes)
        count = min(self.threads, n) or 1
        parts = [slice(n * k // count, n * (k + 1) // count) for k in range(count)]
        for part in parts:
            rows = [
                t if a is None else _of_length(t, a, part.stop - part.start)
                for t, a in zip(types, axes, strict=True)
            ]
            self._part._program(structure, self.argument_types(structure, rows))
        base = self.base.specialise(structure, _rows(self.argument_types(structure, types), axes))
        return _Plan(axes, parts, base.result, self._result_axes(base, axes))


@dataclass(frozen=True)
class _Plan:
    """How a batch is taken apart for threads: the axes of its arguments, the parts along them, and how
    the results of the parts are put together."""

    axes: Sequence[int | None]
    parts: Sequence[slice]
    result: Structure
    result_axes: Sequence[int | None]


def _cut(leaf: Any, axis: int | None, part: slice) -> Any:
    """A part of an array along an axis; what is not mapped, whole."""
    return leaf if axis is None else np.asarray(leaf)[(slice(None),) * axis + (part,)]


def _of_length(t: Type, axis: int, n: int) -> Value:
    """The type of an array with another length along an axis."""
    shape = shape_of(t)
    return array_type((*shape[:axis], n, *shape[axis + 1 :]), scalar_of(t))


def _rows(types: Sequence[Type], axes: Sequence[int | None]) -> list[Value]:
    """The types of one member of the batch."""
    return [
        array_type(tuple(n for k, n in enumerate(shape_of(t)) if k != a), scalar_of(t))
        for t, a in zip(types, axes, strict=True)
    ]


def _spread(spec: Axes, structure: Structure, name: str) -> list[int | None]:
    """The axis of each leaf of a structure; an int or None holds for all leaves below it."""
    if spec is None or (isinstance(spec, int) and not isinstance(spec, bool)):
        return [spec] * _leaves(structure)
    children: list[Any] | None = None
    if isinstance(spec, dict) and set(spec) == set(structure.keys):
        children = [spec[k] for k in structure.keys]
    elif isinstance(spec, tuple | list):
        children = list(spec)
    elif dataclasses.is_dataclass(spec) and spec.__class__ is structure.kind:
        children = [getattr(spec, k) for k in structure.keys]
    if children is None or len(children) != len(structure.children) or structure.kind is Static:
        raise TypeMismatch(
            f"{name} {spec!r} does not fit what it is for",
            here(),
            "an int or None, or the same structure with an int or None for each leaf",
        )
    return [
        a
        for child, inner in zip(children, structure.children, strict=True)
        for a in _spread(child, inner, name)
    ]


def _leaves(structure: Structure) -> int:
    return 1 if structure.kind is None else sum(map(_leaves, structure.children))


def _from_front(axis: int | None, shape: tuple[int, ...], name: str = "in_axes") -> int | None:
    """An axis counted from the front."""
    if axis is None:
        return None
    if not -len(shape) <= axis < len(shape):
        what = "a number" if not shape else f"an array of shape {shape}"
        raise TypeMismatch(
            f"{name} has axis {axis}, but there is {what}",
            here(),
            "None for what is not mapped" if name == "in_axes" else "",
        )
    return axis % len(shape)


def _at_axis(out: Atom, axis: int | None) -> Atom:
    """A result whose batch axis, the first, is moved to its place, or dropped."""
    value: Any = wrap(out)
    if axis is None:
        return value[0].atom  # type: ignore[no-any-return]
    return lift(moveaxis(value, 0, axis)).atom
