"""A decoder of GIF files, written from the format's specification."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Frame = NDArray[np.uint8]


@dataclass
class Image:
    """One image of a GIF: its box, its delay in hundredths, and the screen after it."""

    box: tuple[int, int, int, int]
    delay: int
    screen: Frame


def blocks(data: bytes, at: int) -> tuple[bytes, int]:
    """Join the sub-blocks that start at `at`; the second result is where they end."""
    joined = b""
    while data[at]:
        joined += data[at + 1 : at + 1 + data[at]]
        at += 1 + data[at]
    return joined, at + 1


def expand(data: bytes, bits: int) -> list[int]:
    """Undo LZW as the GIF89a specification's appendix F describes it."""
    clear = 1 << bits
    stream, left = int.from_bytes(data, "little"), 8 * len(data)
    width = bits + 1
    table: dict[int, tuple[int, ...]] = {}
    before: int | None = None
    out: list[int] = []
    while True:
        code = stream & ((1 << width) - 1)
        stream >>= width
        left -= width
        assert left >= 0, "the data ended without an end code"
        if code == clear:
            table = {i: (i,) for i in range(clear)} | {clear: (), clear + 1: ()}
            width, before = bits + 1, None
            continue
        if code == clear + 1:
            return out
        if before is None:
            entry = table[code]
        else:
            entry = table[code] if code in table else (*table[before], table[before][0])
            if len(table) < 4096:
                table[len(table)] = (*table[before], entry[0])
                if len(table) == 1 << width and width < 12:
                    width += 1
        out.extend(entry)
        before = code


def decode(path: Path) -> tuple[list[Image], bool]:
    """All images of a GIF, and whether it loops for ever."""
    data = path.read_bytes()
    assert data[:6] == b"GIF89a"
    wide, high, flags = struct.unpack("<HHB", data[6:11])
    colours = 2 << (flags & 7)
    palette = np.frombuffer(data[13 : 13 + 3 * colours], np.uint8).reshape(-1, 3)
    screen = np.zeros((high, wide, 3), np.uint8)
    at, images, loops = 13 + 3 * colours, [], False
    delay, transparent = 0, -1
    while data[at : at + 1] != b";":
        if data[at] == 0x21:
            body, end = blocks(data, at + 2)
            if data[at + 1] == 0xF9:
                control, delay, index = struct.unpack("<BHB", body)
                assert control >> 2 & 7 == 1, "what was drawn must stay"
                transparent = index if control & 1 else -1
            loops |= body == b"NETSCAPE2.0\x01\x00\x00"
            at = end
            continue
        left, top, w, h, _ = struct.unpack("<HHHHB", data[at + 1 : at + 10])
        packed, end = blocks(data, at + 11)
        pixels = np.array(expand(packed, data[at + 10])).reshape(h, w)
        drawn = pixels != transparent
        screen[top : top + h, left : left + w][drawn] = palette[pixels[drawn]]
        images.append(Image((left, top, w, h), delay, screen.copy()))
        at = end
    assert at == len(data) - 1
    return images, loops
