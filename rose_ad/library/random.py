"""Random numbers that are functions of a key and a place: Threefry-2x32 with 20 rounds.

    k = ra.random.key(0)
    a, b = ra.random.split(k)
    ra.random.normal(a, (3,))

A key is a pair of Ints of 32 bits. The same key gives the same numbers, compiled or not, in lanes, and on
every machine; so take a new one, by `split` or `fold_in`, for each use. Keys, Ints and uniform numbers are
the same to the bit (and those of JAX, which has the same generator), normal ones to rounding of the
logarithm. There is nothing random left to differentiate: the gradient of loc + scale * normal(key) in loc and
scale is that of a product. Salmon, Moraes, Dror, Shaw 2011, Parallel random numbers: as easy as 1, 2, 3.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ..base.errors import TypeMismatch
from ..base.source import here
from ..base.tree import is_traced
from ..tracing.annotations import Real, Real32
from ..tracing.arrays import reshape, take
from ..tracing.control import build
from ..tracing.indexing import Shape, as_shape
from ..tracing.numeric import astype, maximum
from ..tracing.sorting import argsort
from ..tracing.values import lift
from .normal import normal_quantile

_WORD = 0xFFFFFFFF
_ROTATIONS = (13, 15, 26, 6), (17, 29, 16, 24)
_PARITY = 0x1BD11BDA


def threefry(key: tuple[Any, Any], counter: tuple[Any, Any]) -> tuple[Any, Any]:
    """Two random words of 32 bits, of a key and a counter of two such words. Elementwise."""
    schedule = (*key, key[0] ^ key[1] ^ _PARITY)
    x, y = ((c + k) & _WORD for c, k in zip(counter, key, strict=True))
    for group in range(5):
        for by in _ROTATIONS[group % 2]:
            x = (x + y) & _WORD
            y = x ^ (((y << by) | (y >> (32 - by))) & _WORD)
        x = (x + schedule[(group + 1) % 3]) & _WORD
        y = (y + schedule[(group + 2) % 3] + (group + 1)) & _WORD
    return x, y


def key(seed: Any) -> Any:
    """The key of a seed, an Int; of shape (2,)."""
    return _stacked(seed >> 32 & _WORD, seed & _WORD)


def split(key: Any, num: int = 2) -> Any:
    """`num` keys, (num, 2), as if drawn at random from a key, which is not to be used again."""
    return _drawn(key, num, lambda x, y: _stacked(x, y))


def fold_in(key: Any, data: Any) -> Any:
    """The key that belongs to an Int, the number of a step, say; other Ints give others."""
    x, y = threefry(_words(key), (data >> 32 & _WORD, data & _WORD))
    return _stacked(x, y)


def bits(key: Any, shape: Shape = ()) -> Any:
    """Ints of which all 64 bits are random."""
    return _shaped(key, shape, lambda x, y: x << 32 | y)


def uniform(
    key: Any, shape: Shape = (), low: Any = 0.0, high: Any = 1.0, *, dtype: Any = Real
) -> Any:
    """Numbers from `low` to below `high`, each of 2^52 (of 2^23 in Real32) equally likely."""
    if _single(dtype):
        unit = _shaped(key, shape, lambda x, y: ((x ^ y) >> 9) * 2.0**-23)
    else:
        unit = _shaped(key, shape, lambda x, y: (x << 20 | y >> 12) * 2.0**-52)
    return maximum(
        astype(unit, np.float32 if _single(dtype) else np.float64) * (high - low) + low, low
    )


def normal(key: Any, shape: Shape = (), *, dtype: Any = Real) -> Any:
    """Numbers of the standard normal distribution: quantiles of uniform ones."""
    drawn = normal_quantile(
        _shaped(key, shape, lambda x, y: ((x << 20 | y >> 12) + 0.5) * 2.0**-52)
    )
    return astype(drawn, np.float32 if _single(dtype) else np.float64)


def integers(key: Any, shape: Shape, low: Any, high: Any) -> Any:
    """Ints from `low` to below `high`. One is more likely than another by at most (high - low) / 2^63."""
    return low + _shaped(key, shape, lambda x, y: x << 31 | y >> 1) % (high - low)


def permutation(key: Any, x: Any) -> Any:
    """The numbers below x in random order, or the rows of an array x."""
    whole = isinstance(x, int)
    rows = x if isinstance(x, int) else len(x)
    order = argsort(_shaped(key, rows, lambda x, y: x << 31 | y >> 1))
    return order if whole else take(x, order)


def _single(dtype: Any) -> bool:
    if dtype not in (Real, Real32):
        raise TypeMismatch(f"random numbers of type {dtype!r}", here(), "ra.Real or ra.Real32")
    return bool(dtype is Real32)


def _words(key: Any) -> tuple[Any, Any]:
    shape = lift(key).shape if is_traced(key) else np.shape(key)
    if shape != (2,):
        raise TypeMismatch(f"a key has the shape (2,), not {shape}", here(), "ra.random.key(0)")
    return key[0], key[1]


def _stacked(x: Any, y: Any) -> Any:
    return lift([x, y]) if is_traced((x, y)) else np.stack([x, y], axis=-1)


def _shaped(key: Any, shape: Shape, of: Callable[[Any, Any], Any]) -> Any:
    """What is made of two random words, for each entry of a shape."""
    sizes = as_shape(shape)
    return reshape(_drawn(key, math.prod(sizes), of), sizes)


def _drawn(key: Any, n: int, of: Callable[[Any, Any], Any]) -> Any:
    words = _words(key)
    if is_traced(key):
        return build(n, lambda i: of(*threefry(words, (0, i))))
    i = np.arange(n)
    return of(*threefry((np.int64(words[0]), np.int64(words[1])), (i >> 32, i & _WORD)))
