"""How values lie in memory."""

from __future__ import annotations

import struct

from ..ir.types import Array, Bool, Ref, Type

ALIGN = 64  # bytes: the scratch arena, and what lies in it, start at multiples of this


def memory_type(t: Type) -> str:
    """The LLVM type of a value of type `t` in memory."""
    if isinstance(t, Array):
        return f"[{t.n} x {memory_type(t.of)}]"
    if isinstance(t, Ref):
        return memory_type(t.of)
    return "i8" if t is Bool else t.llvm


def aligned(offset: int) -> int:
    """The first boundary that is not below an offset."""
    return -(-offset // ALIGN) * ALIGN


def float_bits(x: float) -> str:
    """A float as LLVM reads it, exactly."""
    return f"0x{struct.unpack('<Q', struct.pack('<d', x))[0]:016X}"
