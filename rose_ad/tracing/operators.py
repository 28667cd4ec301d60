"""Operators that are made of loops and indices: what `x @ y`, `a[key]`, `a.T` and numpy's functions do to
traced values, and what any operator does to an accumulator.

Loops and indices are functions of traced values, so the values cannot import them: they are installed here.
"""

from __future__ import annotations

from typing import Any, NoReturn

from .accumulator import Accumulator, Part, unread
from .arrays import matrix_transpose, permute_dims
from .as_numpy import METHODS, OF_NUMBERS, array_function, universal_function
from .indexing import getitem
from .linalg import matmul
from .updates import At
from .values import INSTALLED, Traced

_BINARY = "add sub mul matmul truediv floordiv mod pow and or xor lshift rshift".split()
_OPERATORS = {f"__{right}{name}__" for name in _BINARY for right in ("", "r")} | {
    f"__{name}__"
    for name in "neg pos abs invert lt le gt ge eq ne bool float int index array".split()
}


def _install_on_accumulators() -> None:
    """What an operator does to an accumulator it does to its value; a part of one has no value yet."""

    def on_value(name: str) -> Any:
        return lambda self, *others, **options: getattr(self.freeze(), name)(*others, **options)

    def on_part(self: Part, *_: Any) -> NoReturn:
        unread()

    for name in _OPERATORS:
        if getattr(Traced, name, None) is not getattr(object, name, None):
            setattr(Accumulator, name, on_value(name))
            setattr(Part, name, on_part)
    for name in METHODS | OF_NUMBERS:
        setattr(Accumulator, name, on_value(name))


def _install_methods() -> None:
    for name, f in (METHODS | OF_NUMBERS).items():
        setattr(Traced, name, f)


INSTALLED.update(
    matmul=matmul,
    transpose=permute_dims,
    matrix_transpose=matrix_transpose,
    getitem=getitem,
    at=At,
    ufunc=universal_function,
    array_function=array_function,
)
_install_methods()
_install_on_accumulators()
