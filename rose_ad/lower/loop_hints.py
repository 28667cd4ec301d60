"""Which loops LLVM is told to leave rolled up.

Left alone, LLVM looks at every loop as if it were written out, and writes several iterations of long bodies
one after the other. That pays where all iterations together are short; elsewhere the program grows, is no
faster, and takes longer to compile.
"""

from __future__ import annotations

from .module import Module

_WRITTEN_OUT = 1000  # lines that all iterations may have together, where a loop is to be unrolled
_BODY = 60  # lines that one may have, where it is not known how many there are


def at_latch(module: Module, times: int | None, lines: int, accesses: str = "") -> str:
    """What is appended to the branch back to the head of a loop, whose body has so many lines and is run so
    many times, if that is known; `accesses` are those that are parallel, if any are."""
    notes = ["@SELF", accesses] if accesses else ["@SELF"]
    if lines > _BODY if times is None else times * lines > _WRITTEN_OUT:
        notes.append(module.metadata('!{!"llvm.loop.unroll.disable"}'))
    if len(notes) == 1:
        return ""
    node = ", ".join(notes)
    return f", !llvm.loop {module.metadata(f'distinct !{{{node}}}')}"
