"""What a Python function means: its code, and what that refers to.

Two functions of one meaning are traced to the same program, so that `ra.grad(f)(x)` in a Python loop, or with a
lambda written there, is compiled once. What is not fully understood has no meaning that could be compared: what
draws random numbers, say, or holds traced values.
"""

from __future__ import annotations

import types
from collections.abc import Hashable, Iterator
from typing import Any

import numpy as np

from .static import Looking, Same, Unchanging

_PURE = ("rose_ad", "numpy", "math", "operator", "builtins", "functools", "typing", "__future__")
_SLOTS = types.GetSetDescriptorType, types.MemberDescriptorType
_MOST = 1 << 16  # bytes of arrays: functions of more are not kept for this


class _Unclear(Exception):
    pass


def meaning(f: Any) -> Hashable:
    """What is equal for functions that do the same; None where that cannot be told."""
    if not isinstance(f, types.FunctionType | types.MethodType):
        return None
    try:
        return _Meaning().at(f)
    except _Unclear:
        return None


class _Meaning(Looking):
    def __init__(self) -> None:
        super().__init__()
        self.names: frozenset[str] = frozenset()  # of what the code that is looked at refers to
        self.bytes = 0

    def at_array(self, a: np.ndarray[Any, Any]) -> Hashable:
        self.bytes += a.nbytes
        if self.bytes > _MOST or type(a) is not np.ndarray:
            raise _Unclear
        return super().at_array(a)

    def at_object(self, x: Any) -> Hashable:
        made = (vars(c).get("__new__") for c in type(x).__mro__ if c is not object)
        if any(isinstance(new, types.BuiltinFunctionType) for new in made):
            raise _Unclear  # it holds more than its attributes
        return self.at(type(x)), self.at(vars(x))

    def at_other(self, x: Any) -> Hashable:
        if isinstance(x, types.FunctionType):
            return Same(x) if _is_pure(x.__module__) else self._at_function(x)
        if isinstance(x, types.ModuleType):
            return Same(x), self._at_module(x)
        if isinstance(x, type):
            return Same(x), tuple(map(self._at_class, x.__mro__))
        if isinstance(x, property):
            return self.at(x.fget)
        if isinstance(x, staticmethod | classmethod):
            return self.at(x.__func__)
        pure = isinstance(x, types.BuiltinFunctionType) and _is_pure(x.__module__)
        if pure or isinstance(x, Unchanging | np.ufunc | np.dtype) or type(x) is object:
            return Same(x)
        raise _Unclear

    def beyond(self) -> Hashable:
        raise _Unclear

    def _at_module(self, m: types.ModuleType) -> Hashable:
        """What the code refers to of a module."""
        if _is_pure(m.__name__):
            if "random" in m.__name__:
                raise _Unclear
            parts = [n for n in self.names if isinstance(vars(m).get(n), types.ModuleType)]
        else:
            parts = [n for n in self.names if n in vars(m)]
        return tuple((n, self.at(vars(m)[n])) for n in sorted(parts))

    def _at_class(self, c: type) -> Hashable:
        if _is_pure(c.__module__):
            return None
        return tuple((n, self.at(v)) for n, v in vars(c).items() if not isinstance(v, _SLOTS))

    def _at_function(self, f: types.FunctionType) -> Hashable:
        outside, self.names = self.names, frozenset(_names(f.__code__))
        try:
            known = {n: f.__globals__[n] for n in sorted(self.names) if n in f.__globals__}
            given = f.__defaults__, f.__kwdefaults__, repr(f.__annotations__)
            code = f.__code__.co_filename, f.__code__
            return code, self.at(known), self.at(given), self._cells(f)
        finally:
            self.names = outside

    def _cells(self, f: types.FunctionType) -> Hashable:
        try:
            values = [cell.cell_contents for cell in f.__closure__ or ()]
        except ValueError:  # not filled yet
            raise _Unclear from None
        return tuple(map(self.at, values))


def _is_pure(module: str | None) -> bool:
    """Whether what a module defines gives the same for the same."""
    return module is not None and module.partition(".")[0] in _PURE


def _names(code: types.CodeType) -> Iterator[str]:
    yield from code.co_names
    for c in code.co_consts:
        if isinstance(c, types.CodeType):
            yield from _names(c)
