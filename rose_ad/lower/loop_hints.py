"""What LLVM is told to leave out, so that it does not take long over what gains nothing.

Left alone, LLVM writes the bodies of short loops out once for each iteration, and asks of every loop whether its
iterations can be done side by side. Both pay where a body is small. Elsewhere the program grows, is no faster, and
takes up to a third longer to compile.
"""

from __future__ import annotations

import os

from .module import Module

_WRITTEN_OUT = int(os.environ.get("XU", 1000))  # lines: what all iterations of a loop are together that may be unrolled
_UNKNOWN = int(os.environ.get("XN", 60))
_MANY = int(os.environ.get("XV", 0))  # iterations that are worth vectors
_X = os.environ.get("XP", "0") == "1"


def at_latch(module: Module, times: int | None, lines: int, accesses: str = "") -> str:
    """What is appended to the branch back to the head of a loop, whose body has so many lines and is run so many
    times, if that is known; `accesses` are those that are parallel."""
    hints = [accesses] if accesses else []
    if lines > _UNKNOWN if times is None else times * lines > _WRITTEN_OUT:
        hints.append(module.metadata('!{!"llvm.loop.unroll.disable"}'))
    if (times is not None and times <= _MANY) or (_X and not accesses):
        hints.append(module.metadata('!{!"llvm.loop.vectorize.enable", i1 false}'))
    if not hints:
        return ""
    node = ", ".join(["@SELF", *hints])
    return f", !llvm.loop {module.metadata(f'distinct !{{{node}}}')}"
