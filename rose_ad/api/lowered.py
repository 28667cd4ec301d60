"""What a function was compiled to, as texts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..ir.core import Function
from ..native.program import Program
from .pipeline import compiled


@dataclass(frozen=True)
class Lowered:
    """A compiled function: `.ir .llvm .asm` are texts, `.memory` is its scratch memory in bytes.

    What is pickled is its IR, which is compiled for the machine where it is unpickled.
    """

    program: Program

    def __reduce__(self) -> Any:
        return _again, (self.program.function,)

    @property
    def ir(self) -> str:
        return str(self.program.function)

    @property
    def llvm(self) -> str:
        return self.program.lowered.text

    @property
    def asm(self) -> str:
        from ..native.jit import assembly

        return assembly(self.llvm)

    @property
    def memory(self) -> int:
        return self.program.scratch_bytes

    @property
    def compile_seconds(self) -> float:
        return self.program.compile_seconds


def _again(function: Function) -> Lowered:
    return Lowered(compiled(function))
