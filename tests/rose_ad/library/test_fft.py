"""Fourier transforms and complex numbers against numpy, and their derivatives."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import rose_ad as ra
from tests.support.tables import (
    Row,
    batches_are_loops,
    close,
    derivatives_are_right,
    single_precision_stays,
)

DRAW = np.random.default_rng(0)


def pair(z: Any) -> tuple[Any, Any]:
    return (z.re, z.im) if isinstance(z, ra.Complex) else (np.real(z), np.imag(z))


def agrees(ours: Callable[..., Any], numpys: Callable[..., Any], *z: Any) -> None:
    """Traced and not, numpy's."""
    parts = [v for x in z for v in pair(x)]

    def of_parts(*p: Any) -> Any:
        return pair(ours(*(ra.Complex(p[k], p[k + 1]) for k in range(0, len(p), 2))))

    expected = pair(numpys(*z))
    close(ra.fn(of_parts)(*parts), expected, 1e-13)


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 6, 8, 16, 31, 64])
@pytest.mark.parametrize("norm", ["backward", "ortho", "forward"])
def test_transforms(n: int, norm: Any) -> None:
    z = DRAW.normal(size=(2, n)) + 1j * DRAW.normal(size=(2, n))
    agrees(lambda z: ra.fft.fft(z, norm=norm), lambda z: np.fft.fft(z, norm=norm), z)
    agrees(lambda z: ra.fft.ifft(z, norm=norm), lambda z: np.fft.ifft(z, norm=norm), z)
    agrees(lambda z: ra.fft.rfft(z.re, norm=norm), lambda z: np.fft.rfft(z.real, norm=norm), z)
    length = max(2 * n - 1, 1)
    close(ra.fn(lambda re, im: ra.fft.irfft(ra.Complex(re, im), length, norm=norm))(z.real, z.imag),
          np.fft.irfft(z, length, norm=norm), 1e-13)  # fmt: skip


@pytest.mark.parametrize("n", [3, 6, 9])
def test_lengths_and_axes(n: int) -> None:
    z = DRAW.normal(size=(6, 3)) + 1j * DRAW.normal(size=(6, 3))
    agrees(lambda z: ra.fft.fft(z, n, axis=0), lambda z: np.fft.fft(z, n, axis=0), z)
    agrees(lambda z: ra.fft.fftshift(ra.fft.ifftshift(z), 0),
           lambda z: np.fft.fftshift(np.fft.ifftshift(z, 1), 0), z)  # fmt: skip
    eager = ra.fft.fft(z, n, 0)
    close(eager.numpy(), np.fft.fft(z, n, 0), 1e-13)
    close(ra.fft.irfft(ra.fft.rfft(z.real, axis=0), 6, axis=0), z.real, 1e-13)
    np.testing.assert_array_equal(ra.fft.fftfreq(n, 0.1), np.fft.fftfreq(n, 0.1))


def power(re: Any, im: Any) -> Any:
    z = ra.fft.fft(ra.Complex(re, im))
    return z.re * z.re * z.im + z.im


@pytest.mark.parametrize("n", [5, 8])
def test_derivatives(n: int) -> None:
    row: Row = (power, None, (DRAW.normal(size=n), DRAW.normal(size=n)))
    derivatives_are_right(row, 1e-6)
    single_precision_stays(row, 1e-4)
    batches_are_loops(row, 1e-11)


@pytest.mark.parametrize("n", [5, 8])
def test_the_transpose_is_the_transform(n: int) -> None:
    """Its matrix is symmetric, so the cotangents are transformed as the values are, but for conjugation."""
    re, im, a, b = DRAW.normal(size=(4, n))
    pull = ra.vjp(lambda re, im: pair(ra.fft.fft(ra.Complex(re, im))), re, im)[1]
    expected = np.fft.fft(a - 1j * b)
    close(pull((a, b)), (expected.real, -expected.imag), 1e-13)


UNARY: dict[str, Any] = {
    "neg": lambda z: -z, "conj": lambda z: z.conj(), "cube": lambda z: z**3, "inverse square": lambda z: z**-2,
    "from the left": lambda z: 2.0 - z + (1 + 2j) * z, "over": lambda z: 1.0 / z, "entry": lambda z: z[2],
}  # fmt: skip
OWN: dict[str, tuple[Any, Any]] = {
    "exp": (lambda z: z.exp(), np.exp), "log": (lambda z: z.log(), np.log),
    "sqrt": (lambda z: z.sqrt(), np.sqrt),
    "abs": (lambda z: ra.Complex.of(abs(z)), abs), "angle": (lambda z: ra.Complex.of(z.angle()), np.angle),
}  # fmt: skip


@pytest.mark.parametrize("name", [*UNARY, *OWN])
def test_complex_functions(name: str) -> None:
    z = DRAW.normal(size=5) + 1j * DRAW.normal(size=5)
    ours, numpys = OWN.get(name) or (UNARY[name], UNARY[name])
    agrees(ours, numpys, z)


@pytest.mark.parametrize("op", ["+", "-", "*", "/"])
def test_complex_arithmetic(op: str) -> None:
    z, w = (DRAW.normal(size=5) + 1j * DRAW.normal(size=5) for _ in range(2))
    f = eval(f"lambda z, w: z {op} w")
    agrees(f, f, z, w)
    weights = np.arange(1.0, 6.0)
    g = eval(f"lambda z: weights {op} z", {"weights": weights})
    agrees(g, g, z)


def test_the_gradient_of_a_function_of_a_complex_number() -> None:
    """Of |z^2| at 3 + 4i, in both parts: 2 (re, im)."""
    found = ra.grad(lambda z: abs(z * z))(ra.Complex(3.0, 4.0))
    close((found.re, found.im), (6.0, 8.0), 1e-13)


def test_what_is_refused() -> None:
    with pytest.raises(ra.TypeMismatch, match="no norm"):
        ra.fft.fft(np.ones(3), norm="half")
    with pytest.raises(ra.TypeMismatch, match="a Python int"):
        ra.Complex(1.0, 2.0) ** 0.5
    with pytest.raises(ra.TypeMismatch, match="no complex number"):
        ra.Complex.of("i")
