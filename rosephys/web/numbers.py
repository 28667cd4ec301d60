"""Many numbers in few bytes, exactly, for what packs a page: `page/numbers.js` reads them.

Each different number stands once, in the order in which they come, and then which of them comes where,
less the one before; both as their first bytes, their second bytes and so on. So what fields on grids have,
smooth parts, symmetry and few numbers, is seen by a packer that looks for equal bytes.
"""

from __future__ import annotations

import numpy as np

FEW = 256  # numbers, which may as well be written as text


def packed(numbers: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> bytes:
    """The bytes of some numbers: how many different ones there are, an unsigned number of 4 bytes, these, and
    where they come."""
    bits = (
        np.ascontiguousarray(numbers, "<f8").ravel().view("<u8")
    )  # so that -0.0 and NaN are told apart
    different, first, inverse = np.unique(bits, return_index=True, return_inverse=True)
    order = np.argsort(first)
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    steps = np.diff(rank[inverse.ravel()], prepend=0).astype("<i4")
    return b"".join(
        (np.array([len(order)], "<u4").tobytes(), _planes(different[order]), _planes(steps))
    )


def _planes(numbers: np.ndarray[tuple[int, ...], np.dtype[np.generic]]) -> bytes:
    """The bytes of numbers, all first ones before all second ones."""
    planes: bytes = numbers.view(np.uint8).reshape(len(numbers), -1).T.tobytes()
    return planes
