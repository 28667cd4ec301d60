"""Where the parts of Python's and numpy's objects lie in memory, and the addresses of their functions.

CPython's and numpy's layouts are part of their binary interfaces, but differ in builds without the global lock
or for debugging. They are looked at before they are relied on.
"""

from __future__ import annotations

import ctypes
import platform
import struct
import sys
from typing import Any

import numpy as np

_ABIS = (0x01000009, 0x02000000)  # numpy 1 and 2
_NUMPY = {"PyArray_Return": 76, "PyArray_NewFromDescr": 94}  # numbers in numpy's table of functions


def is_known() -> bool:
    """Whether objects lie as in the 64-bit CPython with a global lock. Only bytes that are theirs are read."""
    if platform.python_implementation() != "CPython" or object.__basicsize__ != 16:
        return False
    numbers = [
        (1.5, "d"), (np.float64(-2.25), "d"), (np.float32(0.75), "f"), (np.int64(-3), "q"), (np.True_, "?"),
    ]  # fmt: skip
    if any(type(x).__basicsize__ != 24 or _read(x, 16, kind) != x for x, kind in numbers):
        return False
    a = np.arange(24.0).reshape(2, 3, 4)
    misaligned = np.zeros(9, np.int8)[1:].view(np.int64)
    samples = [a, a[:, 1:, ::2], a[:0], a[0, 0, :1].reshape(()), misaligned]
    return np.ndarray.__basicsize__ >= 72 and all(map(_lies_as_known, samples))


def _lies_as_known(a: np.ndarray[Any, Any]) -> bool:
    offsets = [(8, "P"), (16, "P"), (24, "i"), (56, "P"), (64, "i")]
    found = [_read(a, offset, kind) for offset, kind in offsets]
    if found != [id(np.ndarray), a.ctypes.data, a.ndim, id(a.dtype), a.flags.num]:
        return False
    shape = _read(a, 32, "P")
    return a.ndim == 0 or [*(ctypes.c_int64 * a.ndim).from_address(shape)] == [*a.shape]


def _read(x: Any, offset: int, kind: str) -> Any:
    return struct.unpack(kind, ctypes.string_at(id(x) + offset, struct.calcsize(kind)))[0]


def address(name: str) -> int:
    """The address of a function of Python's C API."""
    found = ctypes.cast(getattr(ctypes.pythonapi, name), ctypes.c_void_p).value
    assert found is not None
    return found


def numpy_functions() -> dict[str, int] | None:
    """The addresses of numpy's C functions that are used; None where its binary interface is not known."""
    modules = ("numpy._core._multiarray_umath", "numpy.core._multiarray_umath")
    found = (getattr(sys.modules.get(name), "_ARRAY_API", None) for name in modules)
    capsule = next((c for c in found if c is not None), None)
    if capsule is None:
        return None
    pointer = ctypes.PYFUNCTYPE(ctypes.c_void_p, ctypes.py_object, ctypes.c_void_p)(
        ("PyCapsule_GetPointer", ctypes.pythonapi)
    )
    table = (ctypes.c_size_t * (1 + max(_NUMPY.values()))).from_address(pointer(capsule, None))
    version = ctypes.PYFUNCTYPE(ctypes.c_uint)(table[0])()
    if version not in _ABIS or table[2] != id(np.ndarray):
        return None
    return {name: table[number] for name, number in _NUMPY.items()}
