"""A compiled function: numpy in, numpy out."""

from __future__ import annotations

import contextlib
import ctypes
import functools
import time
from collections.abc import Sequence
from typing import Any, NoReturn

import numpy as np

from ..base.errors import MemoryLimit
from ..base.memory import memory_limit
from ..base.source import name_of
from ..ir.core import Function
from ..ir.types import F32, Scalar, Value, scalar_of, shape_of, value_type
from ..lower.failures import Check, HostCheck
from ..lower.interrupts import POLL
from ..lower.lower import ENTRY, LoweredProgram
from ..lower.memory_layout import ALIGN, aligned
from ..lower.writer import made_at
from .caller import MISS, native
from .jit import Code, machine_code
from .signals import poll

_FUNCTION = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_void_p, ctypes.c_void_p)
_CALLBACK = ctypes.CFUNCTYPE(None, ctypes.c_void_p)


class Program:
    """Machine code for a function, with the scratch memory of its calls. Safe to call from many threads.

    `lowered` is the function in LLVM, work on which `began` at that reading of the clock. `native`, where there
    is one, takes a leaf for each parameter: see `caller`.
    """

    def __init__(self, function: Function, lowered: LoweredProgram, began: float) -> None:
        self.function, self.lowered = function, lowered
        _check_memory(lowered)
        _check_results(function)
        data, self.from_cache = machine_code(lowered.text)
        self._code = linked(data, ENTRY, lowered)
        self._entry = _FUNCTION(self._code.address)
        params = [value_type(p.type) for p in function.params]
        self._results = [value_type(r.type) for r in function.results]
        self._pointers = ctypes.c_void_p * (len(params) + len(self._results))
        self._idle: list[np.ndarray[Any, Any]] = []  # scratch memory for ctypes that no call uses
        fail = functools.partial(_failed, lowered.checks)
        self.native = native(self._code, params, self._results, self.scratch_bytes, fail)
        self.compile_seconds = time.perf_counter() - began

    @property
    def scratch_bytes(self) -> int:
        """The scratch memory one call uses, in bytes."""
        return self.lowered.scratch_bytes

    def __call__(self, args: Sequence[np.ndarray[Any, Any]]) -> Sequence[Any]:
        """The results for C-contiguous arrays of the parameters' types, of rank 0 for scalars.

        Results are arrays, and float, int, bool or np.float32 for scalars. Raises OutOfRange where an index
        left its array, and NanFound if made to look for NaNs.
        """
        out: Any = MISS if self.native is None else self.native(*args)
        if out is MISS:
            return self._through_ctypes(args)
        return (out,) if len(self._results) == 1 else out

    def _through_ctypes(self, args: Sequence[np.ndarray[Any, Any]]) -> list[Any]:
        outs = [np.empty(shape_of(t), scalar_of(t).dtype) for t in self._results]
        pointers = self._pointers(*[a.ctypes.data for a in args], *[o.ctypes.data for o in outs])
        arena = self._take()
        try:
            status = self._entry(ctypes.addressof(pointers), aligned(arena.ctypes.data))
        except SystemError as error:  # so ctypes says that an exception is set: see `signals`
            raise error.__cause__ or error from None
        self._idle.append(arena)
        if status:
            _failed(self.lowered.checks, status)
        return list(map(_result, outs, self._results))

    def _take(self) -> np.ndarray[Any, Any]:
        with contextlib.suppress(IndexError):
            return self._idle.pop()
        return np.empty(self.scratch_bytes + ALIGN, np.uint8)


def linked(data: bytes, entry: str, lowered: LoweredProgram) -> Code:
    """Machine code with the Python functions that it calls back and the arrays that it reads, which live as
    long."""
    callbacks = [_CALLBACK(host.callback) for host in lowered.hosts]
    addresses = [ctypes.cast(c, ctypes.c_void_p).value or 0 for c in callbacks]
    symbols = {f"rose_host{k}": a for k, a in enumerate(addresses)}
    if lowered.signals:
        symbols[POLL] = poll().address
    symbols |= {name: a.ctypes.data for name, a in lowered.kept.items()}
    code = Code(data, entry, symbols)
    code.used += [*callbacks, *lowered.kept.values()]
    return code


def _result(a: np.ndarray[Any, Any], t: Value) -> Any:
    if isinstance(t, Scalar):
        return a[()] if t is F32 else a.item()
    return a


def _failed(checks: Sequence[Check], status: int) -> NoReturn:
    """Raise what a status word other than 0 means."""
    error = checks[status - 1].error()
    for check in checks:  # what else was raised is of this call, too
        if isinstance(check, HostCheck):
            check.host.take_error()
    raise error


def _check_results(function: Function) -> None:
    limit, types = memory_limit(), [r.type for r in function.results]
    needed = sum(value_type(t).size for t in types)
    if needed <= limit:
        return
    largest = max(function.results, key=lambda r: value_type(r.type).size)
    raise MemoryLimit(
        f"the results of this function take {needed:,} bytes, more than the limit of {limit:,}",
        made_at(largest, function.loc),
        "return less, or raise the limit (ROSE_AD_MEMORY, in bytes)",
    )


def _check_memory(lowered: LoweredProgram) -> None:
    limit = memory_limit()
    if lowered.scratch_bytes <= limit:
        return
    size, location = lowered.arrays[0]
    rest = "".join(f"\n  {n:,} bytes at {name_of(at)}" for n, at in lowered.arrays[1:4])
    raise MemoryLimit(
        f"this function needs {lowered.scratch_bytes:,} bytes of scratch memory, more than the limit of "
        f"{limit:,}; the largest array, {size:,} bytes, is made here{rest and ', then' + rest}",
        location,
        "take fewer steps at once, or raise the limit (ROSE_AD_MEMORY, in bytes)",
    )
