"""Calling compiled code from Python: a C function that checks its arguments and makes its results.

One such function, the LLVM text in caller_text.py, serves all programs. It reads a plan of the program, an
array of words, takes numbers of Python and numpy and numpy arrays that are exactly what the program wants,
and gives MISS for all others; these are for its caller to convert. It reads Python's and numpy's objects by
their layout in memory, so there is none where python_layout.py does not know that; ctypes then does the work.
"""

from __future__ import annotations

import ctypes
import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import numpy as np

from ..ir.types import Scalar, Value, scalar_of, shape_of
from ..lower.memory_layout import aligned
from . import python_layout as layout
from .caller_text import ARRAY, ENTRY, KINDS, PYTHON, TEXT
from .jit import Code, machine_code

_FASTCALL = 0x80  # METH_FASTCALL


class _Miss:
    """What a native function gives for arguments that it does not take as they are."""


MISS: Final = _Miss()


class _Plan(np.ndarray[Any, Any]):
    """The words that describe a program to the caller; what they point to lives as long."""

    keep: tuple[Any, ...]


def native(
    code: Code,
    params: Sequence[Value],
    results: Sequence[Value],
    scratch: int,
    fail: Callable[[int], Any],
) -> Callable[..., Any] | None:
    """`code` as a function of a leaf for each parameter; None where that cannot be made.

    It returns its result, or a tuple where there is not just one, or MISS. A status of the code other than 0 is
    given to `fail`, which raises.
    """
    caller = _caller()
    if caller is None:
        return None
    values = [*params, *results]
    scratch = aligned(scratch)
    idle: list[Any] = []  # arenas that no call uses
    frame = scratch + 8 * (2 * len(values) + len(results))
    words = [code.address, len(params), len(results), scratch, frame, id(idle), id(fail)]
    shapes = [n for t in values for n in shape_of(t)]
    end = len(words) + 4 * len(values)
    plan = np.empty(end + len(shapes), np.uint64).view(_Plan)
    plan.keep = (caller, code, idle, fail)
    shape = plan.ctypes.data + 8 * end
    for t in values:
        rank = len(shape_of(t))
        kind = KINDS[t] if isinstance(t, Scalar) else ARRAY
        words += [kind, id(scalar_of(t).dtype), rank, shape]
        shape += 8 * rank
    plan[:] = words + shapes
    return caller.function(plan)


class _Method(ctypes.Structure):
    """PyMethodDef."""

    _fields_ = (
        ("name", ctypes.c_char_p),
        ("address", ctypes.c_void_p),
        ("flags", ctypes.c_int),
        ("doc", ctypes.c_char_p),
    )


class _Caller:
    """The C function, linked."""

    def __init__(self, imports: Mapping[str, int]) -> None:
        # optimising takes ten times as long, and saves a tenth of the time of a call
        self._code = Code(machine_code(TEXT, levels=(0, 0))[0], ENTRY, imports)
        self._method = _Method(b"call", self._code.address, _FASTCALL, None)
        self._new = ctypes.PYFUNCTYPE(
            ctypes.py_object, ctypes.c_void_p, ctypes.py_object, ctypes.c_void_p
        )(("PyCFunction_NewEx", ctypes.pythonapi))

    def function(self, plan: _Plan) -> Callable[..., Any]:
        """The C function with a plan for its `self`."""
        out: Callable[..., Any] = self._new(ctypes.addressof(self._method), plan, None)
        return out


@functools.cache
def _caller() -> _Caller | None:
    table = layout.numpy_functions()
    if table is None or not layout.is_known():
        return None
    objects = {
        "rose_miss": MISS,
        "rose_true": True,
        "rose_false": False,
        "rose_float": float,
        "rose_int": int,
        "rose_ndarray": np.ndarray,
        "rose_float64": np.float64,
        "rose_float32": np.float32,
        "rose_int64": np.int64,
        "rose_bool": np.bool_,
        "rose_bytes": np.dtype(np.uint8),
    }
    functions = {name: layout.address(name) for name in PYTHON}
    return _Caller({**{name: id(x) for name, x in objects.items()}, **functions, **table})
