"""A row of the table of primitives."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from .prim_rules import Jvp, Transpose
from .types import Scalar


@dataclass(frozen=True, eq=False)
class Prim:
    """One row. `kinds` has a letter an operand and one for the result, as in "ff>f":
    f float, i int, b bool, n either number, t any scalar; equal letters are equal types."""

    name: str
    kinds: str
    evaluate: Callable[..., Any]
    llvm: Callable[[Scalar], str]
    literal: tuple[
        Callable[[Scalar], str], ...
    ] = ()  # its form where that operand is a literal number
    jvp: Jvp | None = None
    transpose: Transpose | None = None  # (E, args, which operand is linear, cotangent)
    linear: tuple[int, ...] = ()  # operands in which it is linear, taken one at a time
    domain: tuple[tuple[float, float], ...] = ()  # test samples, an interval an operand
    special: tuple[tuple[float, ...], ...] = ()  # further points with known derivative
