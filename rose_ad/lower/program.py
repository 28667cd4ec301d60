"""A compiled function: numpy in, numpy out."""

from __future__ import annotations

import ctypes
import os
import threading
import time
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..ir import Function
from ..source import MemoryLimit, name_of
from ..types import Type, scalar_of, shape_of, value_type
from . import cache
from .jit import Code, emit_object, identity
from .llvm import ENTRY, Lowered, lower, made_at

_CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_void_p)
_DEFAULT_LIMIT = 4 << 30  # bytes of scratch


class Program:
    """Machine code for a function, with the arenas that its calls use. Safe to call from many threads.

    With `nans`, the code looks for operations in which a NaN begins.
    """

    def __init__(self, function: Function, nans: bool = False) -> None:
        start = time.perf_counter()
        self.function = function
        self.lowered: Lowered = lower(function, nans)
        _check_memory(self.lowered)
        _check_results(function)
        name = cache.key(self.lowered.text, identity())
        data = cache.load(name)
        self.from_cache = data is not None
        if data is None:
            data = emit_object(self.lowered.text)
            cache.store(name, data)
        self._code = linked(data, ENTRY, self.lowered)
        self._entry = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_void_p, ctypes.c_void_p)(
            self._code.address
        )
        self._results = [_Result(r.type) for r in function.results]
        self._pointers = ctypes.c_void_p * (len(function.params) + len(function.results))
        self._idle: list[np.ndarray[Any, Any]] = []
        self._lock = threading.Lock()
        self.compile_seconds = time.perf_counter() - start

    @property
    def scratch_bytes(self) -> int:
        """The scratch memory one call uses, in bytes."""
        return self.lowered.scratch_bytes

    def __call__(self, args: list[np.ndarray[Any, Any]]) -> list[Any]:
        """Results, numpy arrays or scalars, for C-contiguous arrays of the parameters' types.

        Raises OutOfRange where an index left its array, and NanFound if made to look for NaNs.
        """
        outs = [np.empty(r.shape, r.dtype) for r in self._results]
        pointers = self._pointers(*[a.ctypes.data for a in args], *[o.ctypes.data for o in outs])
        arena = self._take()
        status = self._entry(ctypes.addressof(pointers), arena.ctypes.data)
        with self._lock:
            self._idle.append(arena)
        if status:
            raise self.lowered.checks[status - 1].error()
        return [o[()] for o in outs]

    def _take(self) -> np.ndarray[Any, Any]:
        with self._lock:
            if self._idle:
                return self._idle.pop()
        # one cache line more, so that the arena can start at one
        raw = np.empty(self.scratch_bytes + 64, np.uint8)
        offset = -raw.ctypes.data % 64
        return raw[offset : offset + self.scratch_bytes] if self.scratch_bytes else raw


def linked(data: bytes, entry: str, lowered: Lowered) -> Code:
    """Machine code with the Python functions that it calls back, which live as long."""
    callbacks = [_CALLBACK(host.callback) for host in lowered.hosts]
    addresses = [ctypes.cast(c, ctypes.c_void_p).value or 0 for c in callbacks]
    code = Code(data, entry, {f"rose_host{k}": a for k, a in enumerate(addresses)})
    code.callbacks += callbacks
    return code


@dataclass(init=False)
class _Result:
    shape: tuple[int, ...]
    dtype: np.dtype[Any]

    def __init__(self, t: Type) -> None:
        self.shape, self.dtype = shape_of(t), scalar_of(t).dtype


def memory_limit() -> int:
    """The most scratch memory a function may use, in bytes: ROSE_AD_MEMORY, or 4 GiB."""
    return int(os.environ.get("ROSE_AD_MEMORY", _DEFAULT_LIMIT))


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


def _check_memory(lowered: Lowered) -> None:
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
