"""The arguments of calls from other programs: their structure, and the function that takes them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..api.derive import vjp
from ..api.function import Fn, Specialised
from ..api.python_function import fn
from ..base.tree import Static, Structure, flatten
from ..ir.types import Type, array_type, scalar_of, shape_of
from ..tracing.values import type_of


def flatten_foreign(x: Any, kind: type) -> tuple[list[Any], Structure]:
    """As `flatten`, with values of type `kind` (another program's arrays) as leaves too."""
    numbers, structure = flatten(x)
    rest = iter(numbers)
    leaves: list[Any] = []

    def visit(s: Structure) -> Structure:
        if s.kind is None or (s.kind is Static and isinstance(s.keys[0], kind)):
            leaves.append(next(rest) if s.kind is None else s.keys[0])
            return Structure(None)
        return s._replace(children=tuple(map(visit, s.children)))

    return leaves, visit(structure)


def call_structure(args: Structure) -> Structure:
    """The structure of a call with these positional arguments, of which `args` is that of the tuple."""
    return Structure(tuple, (), (args, flatten({})[1]))


def backward_of(f: Fn) -> Fn:
    """(primals, cotangent of the value) -> cotangents of the primals."""

    def backward(primals: tuple[Any, ...], ct: Any) -> Any:
        return vjp(f, *primals)[1](ct)

    backward.__name__ = f"{f.__name__}.vjp"
    return f.derived.get("backward") or f.derived.setdefault("backward", fn(backward))


def specialised(f: Fn, args: Structure, types: Sequence[Type]) -> Specialised:
    """The function for positional arguments of that structure, and of types that are converted to its own."""
    call = call_structure(args)
    return f.specialise(call, f.argument_types(call, types))


def leaf_type(shape: tuple[int, ...], dtype: Any) -> Type:
    """The type that an array of that shape and dtype has as an argument."""
    return array_type(shape, scalar_of(type_of(np.zeros((), dtype)[()])))


def array_shape(t: Type) -> tuple[tuple[int, ...], np.dtype[Any]]:
    """The shape and dtype of a result."""
    return shape_of(t), scalar_of(t).dtype
