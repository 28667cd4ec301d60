"""Opaque functions: Python that compiled code calls back, with a derivative that the user gives."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ..base.errors import TypeMismatch
from ..base.source import here
from ..base.tree import Structure, flatten
from ..ir.builder import Builder
from ..ir.core import DerivativeRule, Function, Linearized
from ..ir.host import Host
from ..ir.types import F64, Type, array_type
from ..tracing.annotations import leaf_types
from .custom import custom_vjp
from .function import Fn, Specialised


def opaque(f: Callable[..., Any], result: Any, vjp: Any = None) -> Fn:
    """A Python or ctypes function that cannot be traced, called back from compiled code.

    It is given numbers and numpy arrays, which it must not change, and must return what `result` says: Real,
    Int, Bool, Vec[n, T], a shape such as (3, 2) of Reals, or a tuple of these. It should depend on its
    arguments alone: a call whose result is not used may be left out.

    `vjp(*args, ct)` gives its derivative: the cotangents of the arguments, a tuple (or one value for one
    argument), for the cotangent of the result. It is a Python function too, or an `Fn`, which can itself be
    differentiated. Without it, differentiating raises TypeMismatch.

    An exception that `f` raises ends the compiled function's call once it has run to its end.
    """
    base = _Opaque(f, _result_of(result))
    if vjp is None:
        return base
    name = base.__name__

    def value(*args: Any) -> Any:
        return base(*args)

    value.__name__ = name
    outer = custom_vjp(value)

    def backward(args: Any, ct: Any) -> Any:
        if isinstance(vjp, Fn):
            found = vjp(*args, ct)
        else:
            like = args[0] if len(args) == 1 else tuple(args)
            leaves, structure = flatten(like)
            types = [leaf.type for leaf in leaves]
            found = _Opaque(vjp, (types, structure))(*args, ct)
        return found if isinstance(found, tuple) and len(args) > 1 else (found,)

    outer.defvjp(lambda *args: (outer(*args), args), backward)
    return outer


def _result_of(result: Any) -> tuple[list[Type], Structure]:
    parts = result if isinstance(result, tuple) and not _is_shape(result) else (result,)
    types: list[Type] = []
    for part in parts:
        if _is_shape(part):
            types.append(array_type(part, F64))
        else:
            types += _known(part)
    marks = tuple(range(len(parts)))
    return types, flatten(marks if parts is result else 0)[1]


def _is_shape(x: Any) -> bool:
    return isinstance(x, tuple) and all(isinstance(n, int) for n in x)


def _known(annotation: Any) -> list[Type]:
    types = leaf_types(annotation)
    if types is None or len(types) != 1 or types[0] is None:
        raise TypeMismatch(
            f"{annotation!r} does not say what an opaque function returns",
            here(),
            "Real, Vec[n, Real], ...",
        )
    return [types[0]]


class _Opaque(Fn):
    def __init__(self, f: Callable[..., Any], result: tuple[list[Type], Structure]) -> None:
        super().__init__(getattr(f, "__name__", type(f).__name__))
        self.f, self.result = f, result

    def make(self, structure: Structure, types: Sequence[Type]) -> Specialised:
        results, result = self.result
        loc = here()
        host = Host(self.f, structure, types, results, result, loc)  # type: ignore[arg-type]
        b = Builder()
        b.loc = loc
        b.block.results = b.host(host, [b.block.param(t) for t in types])
        return Specialised(Function(self.__name__, b.block, loc, _NoDerivative(self)), result)


class _NoDerivative(DerivativeRule):
    def __init__(self, of: Fn) -> None:
        self.of = of

    def linearize(self, function: Function, mask: tuple[bool, ...]) -> Linearized:
        raise TypeMismatch(
            f"{self.of.__name__} is opaque and has no derivative",
            function.loc,
            "ra.opaque(f, result, vjp=...), or ra.stop_gradient of its arguments",
        )
