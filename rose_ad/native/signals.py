"""What compiled code asks in long loops: whether what handles a signal in Python has raised.

Python runs its handlers in the main thread, and only when asked. The answer is another number than 0 where one
has raised; the exception is then set in the thread, for whoever called the compiled code.
"""

from __future__ import annotations

import functools
import platform
from typing import Final

from ..lower.interrupts import POLL
from .jit import Code, machine_code
from .python_layout import address

_PYTHON: Final = ("PyGILState_Ensure", "PyErr_CheckSignals", "PyGILState_Release")

# a clock that is read in nanoseconds, and how far it goes from one look to the next: some ten milliseconds
_CLOCK: Final = "cycle" if platform.machine().lower() in ("x86_64", "amd64") else "steady"
_BETWEEN: Final = 30_000_000 if _CLOCK == "cycle" else 1_000_000

_TEXT: Final = f"""
declare i32 @PyGILState_Ensure()
declare i32 @PyErr_CheckSignals()
declare void @PyGILState_Release(i32)
declare i64 @llvm.read{_CLOCK}counter()

@last = internal global i64 0

define i64 @{POLL}() {{
  %now = call i64 @llvm.read{_CLOCK}counter()
  %last = load i64, ptr @last
  %passed = sub i64 %now, %last
  %early = icmp ult i64 %passed, {_BETWEEN}
  br i1 %early, label %no, label %look
no:
  ret i64 0
look:
  store i64 %now, ptr @last
  %state = call i32 @PyGILState_Ensure()
  %raised = call i32 @PyErr_CheckSignals()
  call void @PyGILState_Release(i32 %state)
  %answer = sext i32 %raised to i64
  ret i64 %answer
}}
"""


@functools.cache
def poll() -> Code:
    """The function, linked."""
    return Code(machine_code(_TEXT, levels=(0, 0))[0], POLL, {n: address(n) for n in _PYTHON})
