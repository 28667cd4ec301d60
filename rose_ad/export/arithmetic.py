"""Double precision, and twice that, as LLVM text: what the functions of `libm` are written over.

Nothing is contracted: sums and products in twice the precision rest on what each rounding leaves behind.
"""

from __future__ import annotations

from ..ir.straight_line import Double, exact_sum
from ..lower.elementary_text import Bit, Lines, Number
from ..lower.memory_layout import float_bits


class Arithmetic(Lines):
    """A function of doubles that is being written."""

    def __init__(self) -> None:
        super().__init__(1)

    def two(self, op: str, x: Number, y: Number | float) -> Number:
        return self.assign(f"{op} double {x.name}, {self.operand(y)}")

    def number(self, x: float) -> Number:
        """A constant."""
        return Number(self, float_bits(x))

    def root(self, x: Number) -> Number:
        """The square root."""
        return self.assign(f"call double @llvm.sqrt.f64(double {x.name})")

    def floor(self, x: Number) -> Number:
        """The greatest integer that is not greater."""
        return self.assign(f"call double @llvm.floor.f64(double {x.name})")

    # ---- Comparing and choosing ----

    def both(self, a: Bit, b: Bit) -> Bit:
        """Whether both hold."""
        return self.assign(f"and i1 {a}, {b}").name

    def either(self, a: Bit, b: Bit) -> Bit:
        """Whether one of them holds."""
        return self.assign(f"or i1 {a}, {b}").name

    def is_negative(self, x: Number) -> Bit:
        """Whether it has a minus sign, as -0.0 has."""
        return self.assign(f"icmp slt i64 {self.bits(x)}, 0").name

    # ---- Bits ----

    def upper(self, x: Number) -> Number:
        """x with the lower half of its digits cleared, so that products of such are exact."""
        kept = self.assign(f"and i64 {self.bits(x)}, {-(1 << 27)}").name
        return self.of_bits(kept)

    # ---- Twice the precision ----

    def sum(self, x: Number, y: Number) -> Double:
        """x + y, exactly (Knuth 1969)."""
        return exact_sum(x, y)

    def product(self, x: Number, y: Number) -> Double:
        """x y, exactly but for a last digit of the rest (Dekker 1971)."""
        high = x * y
        x0, y0 = self.upper(x), self.upper(y)
        x1, y1 = x - x0, y - y0
        return Double(high, ((x0 * y0 - high) + x0 * y1 + x1 * y0) + x1 * y1)

    def times(self, x: Double, y: Double) -> Double:
        """x y to twice the precision."""
        found = self.product(x.high, y.high)
        return Double(found.high, found.low + (x.high * y.low + x.low * y.high))
