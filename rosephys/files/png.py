"""Writes PNG pictures from pixels; nothing beyond numpy is needed.

Source: Portable Network Graphics (PNG) Specification, W3C, second edition, 2003.
"""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rosephys.files.atomic import replacing

Bytes = NDArray[np.uint8]


def write_png(path: str | Path, pixels: Bytes) -> None:
    """Write pixels, (h, w, 3) of 0 .. 255, as a PNG that appears complete or not at all.

    Raises OSError if it cannot be written.
    """
    try:
        with replacing(path) as beside:
            beside.write_bytes(png(pixels))
    except OSError as error:
        raise OSError(f"{path} cannot be written: {error.strerror or error}") from None


def png(pixels: Bytes) -> bytes:
    """The bytes that `write_png` writes."""
    high, wide = pixels.shape[:2]
    header = struct.pack(">IIBBBBB", wide, high, 8, 2, 0, 0, 0)  # 8 bits each of red, green, blue
    rows = np.insert(pixels.reshape(high, 3 * wide), 0, 0, axis=1)  # none of them is filtered
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows.tobytes())), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(*chunk) for chunk in chunks)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
