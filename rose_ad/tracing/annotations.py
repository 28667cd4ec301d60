"""What users write for types: Real, Real32, Int, Bool, Vec[n, T], and structs.

An annotated parameter is converted to its type (an Int given for a Real becomes one) and its shape is checked;
the type of any other is that of the argument.
"""

from __future__ import annotations

import contextlib
import dataclasses
import inspect
from collections.abc import Callable
from types import FunctionType
from typing import TYPE_CHECKING, Any

import numpy as np

from ..base.errors import RoseError, TypeMismatch
from ..base.source import here
from ..ir.types import F32, F64, I64, Array, Scalar, Type, Value, scalar_of, shape_of
from ..ir.types import Bool as _Bool

if TYPE_CHECKING:
    # to a type checker a traced number is like a float, and an array like anything
    Real = Any
    Real32 = Any
    Int = Any
    Bool = Any
    Vec = Any
    Static = Any
else:
    Real = F64
    Real32 = F32
    Int = I64
    Bool = _Bool

    class Static:
        """A parameter that is known while tracing: for each of its values a function is traced anew."""

    class Vec:
        """`Vec[n, T]`: n values of type T. Without n and T, any array."""

        def __init__(self, n: int, of: Any) -> None:
            self.n, self.of = n, of

        def __class_getitem__(cls, key: Any) -> Vec:
            if not isinstance(key, tuple) or len(key) != 2 or not isinstance(key[0], int):
                raise RoseError(
                    "write Vec[n, T] with an int n and a type T, as in Vec[3, Real]", here()
                )
            if key[0] < 0:
                raise RoseError(f"a Vec of negative length: {key[0]}", here())
            return cls(*key)

        def __repr__(self) -> str:
            return f"Vec[{self.n}, {self.of!r}]"


def static_names(f: Callable[..., Any]) -> tuple[str, ...]:
    """The parameters that are annotated as Static, also where annotations are kept as they were written."""
    given = getattr(f, "__annotations__", {}).items()
    return tuple(
        name
        for name, a in given
        if name != "return" and (a is Static or str(a).rpartition(".")[2] == "Static")
    )


def value_type_of(annotation: Any) -> Value:
    """The IR type that an annotation of a number or an array means."""
    if isinstance(annotation, Scalar | Array):
        return annotation
    if annotation is float:
        return F64
    if annotation is int:
        return I64
    if annotation is bool:
        return _Bool
    if not TYPE_CHECKING and isinstance(annotation, Vec):
        return Array(annotation.n, value_type_of(annotation.of))
    raise TypeMismatch(
        f"{annotation!r} is not a type of rose_ad", here(), "Real, Int, Bool or Vec[n, T]"
    )


def _is_numeric(annotation: Any) -> bool:
    if isinstance(annotation, Scalar | Array) or annotation in (float, int, bool):
        return True
    return not TYPE_CHECKING and isinstance(annotation, Vec) and _is_numeric(annotation.of)


def leaf_types(annotation: Any, prefix: tuple[int, ...] = ()) -> list[Type | None] | None:
    """The types an annotation gives to the leaves of a value, None for those it leaves open; None if it
    says nothing of the structure."""
    if _is_numeric(annotation):
        t: Type = value_type_of(annotation)
        for n in reversed(prefix):
            assert not isinstance(t, Scalar) or n >= 0
            t = Array(n, t)
        return [t]
    if not TYPE_CHECKING and isinstance(annotation, Vec):
        return leaf_types(annotation.of, (*prefix, annotation.n))
    if isinstance(annotation, type) and dataclasses.is_dataclass(annotation):
        hints = _hints(annotation)
        out: list[Type | None] = []
        for f in dataclasses.fields(annotation):
            inner = leaf_types(hints.get(f.name), prefix)
            if inner is None:
                return None
            out += inner
        return out
    return None


def ones_of(annotation: Any, prefix: tuple[int, ...] = ()) -> Any:
    """A value of a type whose leaves `leaf_types` knows, of ones; an array of them with that shape."""
    if isinstance(annotation, type) and dataclasses.is_dataclass(annotation):
        hints = _hints(annotation)
        return annotation(*(ones_of(hints[f.name], prefix) for f in dataclasses.fields(annotation)))
    if not TYPE_CHECKING and isinstance(annotation, Vec):
        return ones_of(annotation.of, (*prefix, annotation.n))
    t = value_type_of(annotation)
    return np.ones((*prefix, *shape_of(t)), scalar_of(t).dtype)[()]


def _hints(of: Any) -> dict[str, Any]:
    try:
        return inspect.get_annotations(of, locals=_enclosed(of), eval_str=True)
    except Exception:
        return {}  # names that are not known at run time: types are then taken from the arguments


def _enclosed(of: Any) -> dict[str, Any] | None:
    """What a function refers to of the functions around it, where an annotation kept as text finds its names;
    None for anything else."""
    if not isinstance(of, FunctionType):
        return None
    out = {}
    for name, cell in zip(of.__code__.co_freevars, of.__closure__ or (), strict=True):
        with contextlib.suppress(ValueError):  # which has no value yet
            out[name] = cell.cell_contents
    return out


def parameter_types(f: Callable[..., Any]) -> dict[str, list[Type | None]]:
    """For each annotated parameter, the types of its leaves."""
    hints = _hints(f)
    out = {}
    for name, parameter in inspect.signature(f).parameters.items():
        types = leaf_types(hints.get(name))
        many = parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
        if types is not None and not many:
            out[name] = types
    return out


def checked(given: Type, wanted: Type | None, name: str, loc: int) -> Type:
    """The type of an argument's leaf, given its annotation; TypeMismatch where they do not fit."""
    if wanted is None or given is wanted:
        return given
    widens = scalar_of(wanted) in (F64, F32) or scalar_of(given) is _Bool
    if shape_of(given) != shape_of(wanted) or not (widens or scalar_of(given) is scalar_of(wanted)):
        raise TypeMismatch(f"argument {name} is {given!r}, but is declared {wanted!r}", loc)
    return wanted
