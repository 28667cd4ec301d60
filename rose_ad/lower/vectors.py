"""What is done with vectors of some width, in lanes and in short loops alike."""

from __future__ import annotations

from ..ir.types import F32, F64, I64, Scalar
from .writer import Writer

ADD = {F64: "fadd reassoc contract", F32: "fadd reassoc contract", I64: "add"}  # adds commute
_SUFFIX = {F64: "f64", F32: "f32", I64: "i64"}


def splat(f: Writer, t: Scalar, width: int, value: str) -> str:
    """A scalar in every entry of a vector."""
    kind = f"<{width} x {t.llvm}>"
    one = f.assign(f"insertelement {kind} poison, {t.llvm} {value}, i64 0")
    zeros = f"<{width} x i32> zeroinitializer"
    return f.assign(f"shufflevector {kind} {one}, {kind} poison, {zeros}")


def total(f: Writer, t: Scalar, width: int, value: str) -> str:
    """The sum of the entries of a vector."""
    kind, name = f"<{width} x {t.llvm}>", f"v{width}{_SUFFIX[t]}"
    out = f.fresh("v")
    if t is I64:
        f.write([f"{out} = call i64 @llvm.vector.reduce.add.{name}({kind} {value})"])
    else:
        start = f"{t.llvm} -0.0"
        called = f"@llvm.vector.reduce.fadd.{name}({start}, {kind} {value})"
        f.write([f"{out} = call reassoc {t.llvm} {called}"])
    return out


def halved(f: Writer, t: Scalar, width: int, value: str) -> str:
    """The sum of the two halves of a vector."""
    kind, half = f"<{width} x {t.llvm}>", width // 2
    parts = []
    for start in (0, half):
        entries = ", ".join(f"i32 {start + k}" for k in range(half))
        picked = f"{kind} {value}, {kind} poison, <{half} x i32> <{entries}>"
        parts.append(f.assign(f"shufflevector {picked}"))
    return f.assign(f"{ADD[t]} <{half} x {t.llvm}> {parts[0]}, {parts[1]}")
