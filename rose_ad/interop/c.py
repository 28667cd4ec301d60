"""Compiled functions as C function pointers.

    int64_t f(const void *const *arguments_then_results, void *scratch)

takes the address of each argument's leaf, then of the place for each result's leaf: arrays row by row,
doubles, floats, int64_t, and bools as bytes. `scratch` is memory of the call's own, on a boundary of 64 bytes.
Its result is 0, or tells which index left its array; memory outside an array is never touched.
"""

from __future__ import annotations

import ctypes
from typing import Any

from ..api.pipeline import lowered
from ..api.python_function import as_fn
from ..base.errors import MemoryLimit, TypeMismatch
from ..base.source import here
from ..base.tree import flatten
from ..ir.core import Function
from ..ir.types import F64, Array, Type
from ..lower.lower import ENTRY, LoweredProgram
from ..native.jit import Code, machine_code
from ..native.program import linked
from ..tracing.values import type_of
from .signatures import specialised

_STACK = 1 << 18  # bytes of scratch that `scalar` and `vector` may take from the caller's stack
_C_ENTRY = "rose_c_entry"


class Pointer:
    """A compiled function for C. The code lives as long as this value, and as `function`.

    address         of the function
    function        the same for ctypes
    scratch_bytes   how much scratch a call needs, 0 for none
    arguments       the types of the arguments' leaves
    results         the types of the results' leaves
    """

    def __init__(self, ir: Function) -> None:
        program = lowered(ir)
        code = linked(machine_code(program.text)[0], ENTRY, program)
        kind = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_void_p, ctypes.c_void_p)
        self.address: int = code.address
        self.function = _keeping(kind(code.address), code)
        self.scratch_bytes = program.scratch_bytes
        self.arguments: tuple[Type, ...] = tuple(p.type for p in ir.params)
        self.results: tuple[Type, ...] = tuple(r.type for r in ir.results)
        self._lowered: LoweredProgram = program

    def failure(self, status: int) -> BaseException:
        """The error that a status which is not 0 stands for: OutOfRange, or what Python raised."""
        return self._lowered.checks[status - 1].error()


def pointer(f: Any, *example: Any) -> Pointer:
    """`f` for arguments of the structure and types of these, as the C function this module describes."""
    leaves, args = flatten(example)
    return Pointer(specialised(as_fn(f), args, [type_of(x) for x in leaves]).ir)


def scalar(f: Any) -> Any:
    """`double f(double)`, for ctypes, cffi and scipy.LowLevelCallable. NaN where an index left its array.

    Any number of threads may call it. MemoryLimit where it would need more than 256 KiB of scratch, which it
    takes from the stack; TypeMismatch where f is not a function of a Real to a Real.
    """
    ir = specialised(as_fn(f), flatten((0.0,))[1], [F64]).ir
    head = f"define double @{_C_ENTRY}(double %x) {{\n  %argument = alloca double\n"
    return _wrapped(
        ir,
        head + "  store double %x, ptr %argument\n  br label %run\n",
        ctypes.CFUNCTYPE(ctypes.c_double, ctypes.c_double),
    )


def vector(f: Any, n: int) -> Any:
    """`double f(int n, double *x)` for vectors of length n; NaN where it is called with another length.

    Otherwise as `scalar`.
    """
    ir = specialised(as_fn(f), flatten((0.0,))[1], [Array(n, F64)]).ir
    return _wrapped(
        ir,
        f"define double @{_C_ENTRY}(i32 %n, ptr %argument) {{\n"
        f"  %fits = icmp eq i32 %n, {n}\n  br i1 %fits, label %run, label %failure\n",
        ctypes.CFUNCTYPE(ctypes.c_double, ctypes.c_int, ctypes.POINTER(ctypes.c_double)),
    )


def _wrapped(ir: Function, head: str, kind: Any) -> Any:
    """A C function that calls the entry, and gives its result or NaN."""
    if [r.type for r in ir.results] != [F64]:
        found = ", ".join(repr(r.type) for r in ir.results)
        raise TypeMismatch(f"{ir.name} gives ({found}) where C wants one double", ir.loc)
    program = lowered(ir)
    if program.scratch_bytes > _STACK:
        raise MemoryLimit(
            f"{ir.name} needs {program.scratch_bytes:,} bytes of scratch, more than fit on the stack",
            here(),
            "ra.interop.c.pointer, whose caller gives the scratch",
        )
    text = f"""{program.text}
{head}
run:
  %scratch = alloca [{program.scratch_bytes + 1} x i8], align 64
  %result = alloca double
  %pointers = alloca [2 x ptr]
  %second = getelementptr ptr, ptr %pointers, i64 1
  store ptr %argument, ptr %pointers
  store ptr %result, ptr %second
  %status = call i64 @{ENTRY}(ptr %pointers, ptr %scratch)
  %value = load double, ptr %result
  %failed = icmp ne i64 %status, 0
  br i1 %failed, label %failure, label %success
success:
  ret double %value
failure:
  ret double 0x7FF8000000000000
}}
"""
    code = linked(machine_code(text)[0], _C_ENTRY, program)
    return _keeping(kind(code.address), code)


def _keeping(function: Any, code: Code) -> Any:
    """A ctypes function that keeps its code in memory."""
    function.code = code
    return function
