"""What compiled code checks as it runs, and the errors that failed checks become.

A check that fails leaves its number in the status word, if it is the first, and the code goes on; only where a
Python function raised, it returns.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from ..base.errors import NanFound, OutOfRange
from ..ir.host import Host
from ..ir.text import as_written


@dataclass(frozen=True)
class IndexCheck:
    """An index lies in an array of this length."""

    location: int
    length: int

    def error(self) -> BaseException:
        return OutOfRange(
            f"an index is outside its array of length {self.length}",
            self.location,
            "keep it in range, for instance with ra.clip(i, 0, n - 1)",
        )


@dataclass(frozen=True)
class NanCheck:
    """An operation of that function does not give NaN, unless it was given one."""

    location: int
    op: str
    function: str

    def error(self) -> BaseException:
        return NanFound(
            f"the first NaN of this call is the result of {as_written(self.op)} in {self.function}",
            self.location,
            "keep its operands in its domain; ra.where computes the side that is not chosen too, "
            "so choose the operand before the operation",
        )


@dataclass(frozen=True)
class HostCheck:
    """A Python function that is called back does not raise."""

    host: Host

    def error(self) -> BaseException:
        return self.host.take_error() or KeyboardInterrupt()  # which came before it had begun


Check: TypeAlias = "IndexCheck | NanCheck | HostCheck"
