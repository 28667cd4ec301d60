"""Double precision, and twice that, as LLVM text: what the functions of `libm` are written over.

Nothing is contracted: sums and products in twice the precision rest on what each rounding leaves behind.
"""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

from ..ir.elementary import ROUND
from ..lower.elementary_text import Lines, Number
from ..lower.memory_layout import float_bits

Bit: TypeAlias = str
"""The name of an i1."""
_ROOT_HALF = 0x3FE6A09E667F3BCD  # the bits of the root of 1/2
_NORMAL, _LIFT = 2.0**-1022, 54


class Double(NamedTuple):
    """A number in twice the precision: a double, and what is left of it (Dekker 1971)."""

    high: Number
    low: Number


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

    def test(self, how: str, x: Number, y: Number | float) -> Bit:
        """A comparison, as LLVM calls it: olt, oeq, uno."""
        return self.assign(f"fcmp {how} double {x.name}, {self.operand(y)}").name

    def less(self, x: Number, y: Number | float) -> Bit:
        """Whether x < y."""
        return self.test("olt", x, y)

    def greater(self, x: Number, y: Number | float) -> Bit:
        """Whether x > y."""
        return self.test("ogt", x, y)

    def equal(self, x: Number, y: Number | float) -> Bit:
        """Whether x = y."""
        return self.test("oeq", x, y)

    def both(self, a: Bit, b: Bit) -> Bit:
        """Whether both hold."""
        return self.assign(f"and i1 {a}, {b}").name

    def either(self, a: Bit, b: Bit) -> Bit:
        """Whether one of them holds."""
        return self.assign(f"or i1 {a}, {b}").name

    def choose(self, bit: Bit, x: Number | float, y: Number | float) -> Number:
        """x where the bit is set, else y."""
        given = f"double {self.operand(x)}, double {self.operand(y)}"
        return self.assign(f"select i1 {bit}, {given}")

    def bit(self, k: Number, n: int) -> Bit:
        """The bit 2^n of an integer, of size below 2^51."""
        bits = self.bits(k + ROUND)
        shifted = self.assign(f"lshr i64 {bits}, {n}").name
        return self.assign(f"trunc i64 {shifted} to i1").name

    def is_negative(self, x: Number) -> Bit:
        """Whether it has a minus sign, as -0.0 has."""
        return self.assign(f"icmp slt i64 {self.bits(x)}, 0").name

    # ---- Bits ----

    def bits(self, x: Number) -> str:
        """The bits of a double, as the name of an i64."""
        return self.assign(f"bitcast double {x.name} to i64").name

    def of_bits(self, bits: str) -> Number:
        """The double that has these bits."""
        return self.assign(f"bitcast i64 {bits} to double")

    def parts(self, x: Number) -> tuple[Number, Number]:
        """k and m for positive, finite x: x = 2^k m, m from the root of 1/2 to that of 2."""
        tiny = self.less(x, _NORMAL)
        bits = self.bits(self.choose(tiny, x * 2.0**_LIFT, x))
        above = self.assign(f"sub i64 {bits}, {_ROOT_HALF}").name
        k = self.assign(f"ashr i64 {above}, 52").name
        shift = self.assign(f"shl i64 {k}, 52").name
        m = self.of_bits(self.assign(f"sub i64 {bits}, {shift}").name)
        exponent = self.assign(f"sitofp i64 {k} to double")
        return self.choose(tiny, exponent - float(_LIFT), exponent), m

    def upper(self, x: Number) -> Number:
        """x with the lower half of its digits cleared, so that products of such are exact."""
        kept = self.assign(f"and i64 {self.bits(x)}, {-(1 << 27)}").name
        return self.of_bits(kept)

    # ---- Twice the precision ----

    def sum(self, x: Number, y: Number) -> Double:
        """x + y, exactly (Knuth 1969)."""
        high = x + y
        part = high - x
        return Double(high, (x - (high - part)) + (y - part))

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
