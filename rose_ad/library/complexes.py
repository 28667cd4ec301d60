"""Complex numbers as pairs of Reals, or of arrays of one shape: a structure with arithmetic.

There is no complex type of entries: arrays of numpy's complex128 are no arguments; `Complex.of` takes them
apart, and `.numpy()` puts a result together. Derivatives are those of the two parts, so a gradient is the
pair of derivatives in them, which is the conjugate of what JAX calls the gradient. There is no power but that
of Python ints, no ordering, and no complex linear algebra.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..base.errors import TypeMismatch
from ..base.source import here
from ..base.tree import is_traced, struct
from ..tracing import numeric
from ..tracing.values import lift


@struct
class Complex:
    """re + i im."""

    re: Any
    im: Any

    __array_ufunc__ = None  # an array times a Complex is a Complex

    @staticmethod
    def of(z: Any) -> Complex:
        """Of a Complex, a real number or array, or a complex one of numpy."""
        if isinstance(z, Complex):
            return z
        if is_traced(z):
            return Complex(z, 0.0 * lift(z))
        array = np.asarray(z)
        if array.dtype.kind not in "cfiub":
            raise TypeMismatch(f"a {type(z).__name__} is no complex number", here())
        return Complex(array.real[()] * 1.0, array.imag[()] * 1.0)

    def numpy(self) -> Any:
        """A complex array, or number, of numpy; outside a traced function."""
        return np.asarray(self.re) + 1j * np.asarray(self.im)

    @property
    def shape(self) -> tuple[int, ...]:
        """That of both parts."""
        return lift(self.re).shape if is_traced(self.re) else np.shape(self.re)

    def __getitem__(self, key: Any) -> Complex:
        return Complex(self.re[key], self.im[key])

    def __neg__(self) -> Complex:
        return Complex(-self.re, -self.im)

    def __add__(self, other: Any) -> Complex:
        o = Complex.of(other)
        return Complex(self.re + o.re, self.im + o.im)

    def __sub__(self, other: Any) -> Complex:
        return self + (-Complex.of(other))

    def __rsub__(self, other: Any) -> Complex:
        return Complex.of(other) - self

    def __mul__(self, other: Any) -> Complex:
        o = Complex.of(other)
        return Complex(self.re * o.re - self.im * o.im, self.re * o.im + self.im * o.re)

    def __truediv__(self, other: Any) -> Complex:
        o = Complex.of(other)
        size = o.re * o.re + o.im * o.im
        above = self * o.conj()
        return Complex(above.re / size, above.im / size)

    def __rtruediv__(self, other: Any) -> Complex:
        return Complex.of(other) / self

    def __pow__(self, n: int) -> Complex:
        if not isinstance(n, int):
            raise TypeMismatch("a power of a Complex is a Python int", here(), "exp(y * log(z))")
        if n < 0:
            return 1.0 / self ** (-n)
        out = Complex(0.0 * self.re + 1.0, 0.0 * self.im)
        for bit in bin(n)[2:]:
            out = out * out * self if bit == "1" else out * out
        return out

    def __abs__(self) -> Any:
        """The distance from 0, whose derivative there is 0."""
        return numeric.hypot(self.re, self.im)

    __radd__ = __add__
    __rmul__ = __mul__

    def conj(self) -> Complex:
        """re - i im."""
        return Complex(self.re, -self.im)

    def angle(self) -> Any:
        """In (-pi, pi], from the real axis."""
        return numeric.atan2(self.im, self.re)

    def exp(self) -> Complex:
        """e^re (cos im + i sin im)."""
        return polar(numeric.exp(self.re), self.im)

    def log(self) -> Complex:
        """The principal logarithm, log |z| + i angle."""
        return Complex(numeric.log(abs(self)), self.angle())

    def sqrt(self) -> Complex:
        """The root on the right of the imaginary axis."""
        return polar(numeric.sqrt(abs(self)), 0.5 * self.angle())


def polar(size: Any, angle: Any) -> Complex:
    """The number of that size and angle."""
    return Complex(size * numeric.cos(angle), size * numeric.sin(angle))


def parts(f: Callable[[Any], Any], z: Complex) -> Complex:
    """A linear function with real coefficients of both parts."""
    return Complex(f(z.re), f(z.im))
