"""Fourier transforms of `Complex` arrays along an axis: `ra.fft.fft(x)`.

A length that is a power of two takes n log n steps (Stockham's order, radix 2), any other three of the next
power of two that fits (Bluestein 1970). The derivative is the transposed transform, at the same price.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from ..api.python_function import fn
from ..base.errors import TypeMismatch
from ..base.source import here
from ..base.tree import is_traced
from ..tracing.arrays import concat, flip, moveaxis, pad, reshape, roll
from ..tracing.control import build
from ..tracing.indexing import axis_of
from ..tracing.linalg import stacked
from ..tracing.values import lift
from .complexes import Complex, parts


def fft(x: Any, n: int | None = None, axis: int = -1, norm: str = "backward") -> Complex:
    """The sums of x_j exp(-2 pi i j k / n) over j, for each k; of x cut to n, or with zeros. x is real or
    Complex.

    `norm` is numpy's: which way is divided by n, "forward" or "backward", or "ortho" both by its root.
    """
    return _transform(x, n, axis, norm, inverse=False)


def ifft(x: Any, n: int | None = None, axis: int = -1, norm: str = "backward") -> Complex:
    """The inverse of `fft`."""
    return _transform(x, n, axis, norm, inverse=True)


def rfft(x: Any, n: int | None = None, axis: int = -1, norm: str = "backward") -> Complex:
    """`fft` of a real x, without the second half, which is the first one's conjugate; of length n // 2 + 1."""
    z = fft(x, n, axis, norm)
    count = z.shape[axis] // 2 + 1
    return parts(lambda v: moveaxis(moveaxis(v, axis, 0)[:count], 0, axis), z)


def irfft(x: Any, n: int | None = None, axis: int = -1, norm: str = "backward") -> Any:
    """The real inverse of `rfft`, of length n, 2 (m - 1) by default."""
    z = parts(lambda v: moveaxis(v, axis, 0), Complex.of(x))
    length = 2 * (z.shape[0] - 1) if n is None else n
    half = length // 2 + 1
    z = parts(lambda v: _fitted(v, half, 0), z)
    # what has no partner is real
    alone = [0, length // 2] if length % 2 == 0 else [0]
    kept = np.ones((half,) + (1,) * (len(z.shape) - 1), _dtype(z.im))
    kept[alone] = 0.0
    im = z.im * kept
    rest = slice(1, length - half + 1)
    whole = Complex(concat([z.re, flip(z.re[rest], 0)]), concat([im, -flip(im[rest], 0)]))
    return moveaxis(_transform(whole, length, 0, norm, inverse=True).re, 0, axis)


def fftfreq(n: int, d: float = 1.0) -> Any:
    """The frequencies of the entries of `fft`, for samples d apart."""
    return np.fft.fftfreq(n, d)


def rfftfreq(n: int, d: float = 1.0) -> Any:
    """The frequencies of the entries of `rfft`, for samples d apart."""
    return np.fft.rfftfreq(n, d)


def fftshift(x: Any, axis: int = -1) -> Any:
    """The entries with frequency 0 in the middle."""
    return _shifted(x, axis, lambda n: n // 2)


def ifftshift(x: Any, axis: int = -1) -> Any:
    """The inverse of `fftshift`."""
    return _shifted(x, axis, lambda n: -(n // 2))


def _shifted(x: Any, axis: int, by: Any) -> Any:
    if isinstance(x, Complex):
        return parts(lambda v: _shifted(v, axis, by), x)
    shape = lift(x).shape if is_traced(x) else np.shape(x)
    return roll(x, by(shape[axis]), axis)


def _transform(x: Any, n: int | None, axis: int, norm: str, inverse: bool) -> Complex:
    if not is_traced(x):
        z = Complex.of(x)
        return _compiled(z.re, z.im, n, axis, norm, inverse)  # type: ignore[no-any-return]
    return _traced(Complex.of(x), n, axis, norm, inverse)


def _traced(z: Complex, n: int | None, axis: int, norm: str, inverse: bool) -> Complex:
    along = axis_of(axis, len(z.shape))
    z = parts(lambda v: moveaxis(lift(v) * 1.0, along, -1), z)
    length = z.shape[-1] if n is None else n
    z = parts(lambda v: _fitted(v, length, -1), z)
    if length < 1:
        raise TypeMismatch(f"a Fourier transform of length {length}", here())
    powers = {"backward": 1.0 if inverse else 0.0, "forward": 0.0 if inverse else 1.0, "ortho": 0.5}
    if norm not in powers:
        raise TypeMismatch(f"there is no norm {norm!r}", here(), "backward, ortho or forward")
    scale = float(length) ** -powers[norm]

    def one(*i: Any) -> Any:
        re, im = (v[i] if i else v for v in (z.re, z.im))
        re, im = _of_vector(im, re)[::-1] if inverse else _of_vector(re, im)
        return re * scale, im * scale

    out = Complex(*stacked(z.shape[:-1], one))
    return parts(lambda v: moveaxis(v, -1, along), out)


@functools.partial(fn, static=("n", "axis", "norm", "inverse"))
def _compiled(re: Any, im: Any, n: Any, axis: Any, norm: Any, inverse: Any) -> Complex:
    return _traced(Complex(re, im), n, axis, norm, inverse)


def _fitted(v: Any, n: int, axis: int) -> Any:
    """Cut to a length, or with zeros at the end."""
    rows = moveaxis(v, axis, 0)
    m = rows.shape[0]
    if m < n:
        rows = pad(rows, [(0, n - m)] + [(0, 0)] * (len(rows.shape) - 1))
    return moveaxis(rows[:n] if n < m else rows, 0, axis)


def _dtype(v: Any) -> Any:
    return lift(v).scalar.dtype if is_traced(v) else np.asarray(v).dtype


def _of_vector(re: Any, im: Any) -> tuple[Any, Any]:
    n = re.shape[0]
    return _radix_2(re, im) if n & (n - 1) == 0 else _bluestein(re, im)


def _radix_2(re: Any, im: Any) -> tuple[Any, Any]:
    """Stockham's autosort: halves of what is left are added and subtracted, and interleaved."""
    n = re.shape[0]
    left, done = n, 1
    while left > 1:
        half = left // 2
        turn = np.exp(-2j * np.pi * np.arange(half) / left)
        halves = (2, half, done)
        re, im = _butterflies(reshape(re, halves), reshape(im, halves), turn)
        left, done = half, 2 * done
    return reshape(re, (n,)), reshape(im, (n,))


def _butterflies(re: Any, im: Any, turn: Any) -> Any:
    half, done = re.shape[1:]
    like = _dtype(re)
    cos, sin = lift(turn.real.astype(like)), lift(turn.imag.astype(like))

    def pair(p: Any) -> Any:
        c, s = cos[p], sin[p]  # type: ignore[index]

        def entry(q: Any) -> Any:
            a, b, x, y = re[0, p, q], re[1, p, q], im[0, p, q], im[1, p, q]
            u, v = a - b, x - y
            return a + b, u * c - v * s, x + y, u * s + v * c

        first, second, third, fourth = build(done, entry)
        return lift([first, second]), lift([third, fourth])

    return build(half, pair)


def _bluestein(re: Any, im: Any) -> tuple[Any, Any]:
    """j k = (j² + k² - (k - j)²) / 2, so a transform is a convolution with a chirp."""
    n = re.shape[0]
    like = _dtype(re)
    size = 1 << (2 * n - 2).bit_length()
    k = np.arange(n)
    chirp = np.exp(-1j * np.pi * (k * k % (2 * n)) / n)
    around = np.zeros(size, complex)
    around[:n] = chirp.conj()
    around[size - n + 1 :] = chirp.conj()[:0:-1]
    spectrum = np.fft.fft(around) / size
    turn, by = (Complex(z.real.astype(like), z.imag.astype(like)) for z in (chirp, spectrum))
    z = Complex(re, im) * turn
    z = Complex(*_radix_2(_fitted(z.re, size, 0), _fitted(z.im, size, 0))) * by
    im, re = _radix_2(z.im, z.re)  # the inverse: with both parts exchanged
    z = Complex(re[:n], im[:n]) * turn
    return z.re, z.im
