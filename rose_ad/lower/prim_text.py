"""The LLVM forms of primitives on vectors, made from the scalar ones of the table.

A form is text, so this is a matter of its words: types and intrinsics get their vector names, literals are
repeated in every lane, and a call of libm, which has no vector form, is made for one lane after the other.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from ..ir.core import Const, Instr
from ..ir.prims import TABLE
from ..ir.types import F32, Scalar
from .elementary_text import vector_call

_WORDS = re.compile(
    r"(?P<flag>\bi1 0\b)"  # an argument that must stay a literal
    r"|(?P<name>@[\w.]+)"
    r"|(?P<type>\b(?:double|float|i64|i1)\b)"
    r"|(?P<literal>(?<![\w.{@])(?:-?\d+(?:\.\d+)?|true)(?![\w.}]))"
)


def written(instr: Instr) -> str:
    """The LLVM form of a primitive with these operands."""
    row, t = TABLE[instr.op], instr.args[-1].type
    assert isinstance(t, Scalar)
    for simpler, a in zip(row.literal, instr.args, strict=False):
        if isinstance(a, Const) and a.value == a.value:
            return simpler(t)
    return row.llvm(t)


def scalar_form(template: str, t: Scalar, result: str, operands: Sequence[str]) -> list[str]:
    """The lines of a primitive on operands of scalar type `t`."""
    suffix, kind = (".f32", "f") if t is F32 else (".f64", "")
    return template.format(*operands, r=result, t=t.llvm, f=kind, s=suffix).split("\n")


def vector_form(
    template: str, t: Scalar, width: int, result: str, operands: Sequence[str]
) -> list[str] | None:
    """The lines of a primitive on vectors of `width` lanes; None where it calls a function of libm."""
    suffix, kind = (".f32", "f") if t is F32 else (".f64", "")
    elementary = vector_call(template, width)
    if elementary is not None:
        return [elementary.format(*operands, r=result, t=t.llvm, f=kind)]
    text = template.replace("{t}", t.llvm).replace("{s}", suffix)
    if re.search(r"@(?!llvm\.)", text):
        return None
    lines = [_widened(line, width) for line in text.split("\n")]
    return [line.format(*operands, r=result) for line in lines]


def _widened(line: str, width: int) -> str:
    latest = ""

    def replace(word: re.Match[str]) -> str:
        nonlocal latest
        text = word.group()
        if word.lastgroup == "name":
            return re.sub(r"\.(i64|f64|f32)\b", rf".v{width}\1", text)
        if word.lastgroup == "type":
            latest = text
            return f"<{width} x {text}>"
        if word.lastgroup == "literal":
            return f"splat ({latest} {text})"
        return text

    return _WORDS.sub(replace, line)
