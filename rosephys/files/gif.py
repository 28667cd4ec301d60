"""Writes animated GIFs (GIF89a) from frames of pixels; nothing beyond numpy is needed.

All frames share one palette of at most 255 colours; the 256th index is transparent. After the
first, a frame holds only the rectangle that changed, with unchanged pixels transparent, and a
frame that changes nothing only prolongs the one before it. If the frames have no more than 255
colours in all, they come back exactly; otherwise the palette is found by median cut (Heckbert,
SIGGRAPH 1982), always splitting the box with the largest squared error, and each colour is
dithered from two of it. The dither depends on the place alone, so what does not move does
not flicker.
"""

from __future__ import annotations

import heapq
import struct
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from rosephys.files.atomic import replacing

Bytes: TypeAlias = NDArray[np.uint8]
Floats: TypeAlias = NDArray[np.float64]
Codes: TypeAlias = NDArray[np.uint32]  # colours packed as 0xRRGGBB
Progress: TypeAlias = Callable[[int, int], object]  # is told how much is done, of how much

TRANSPARENT = 255
KEPT = 0xFF000000  # in place of a colour: the pixel stays as it was
LONGEST_DELAY = 65535  # hundredths of a second


@dataclass
class _Patch:
    """The rectangle that a frame changes: its corner, its packed colours, how long it stays."""

    left: int
    top: int
    colours: Codes  # (h, w), KEPT where nothing changes
    frames: int = 1


def write_gif(
    path: str | Path,
    frames: Iterable[Bytes],
    frame_seconds: float,
    progress: Progress = lambda done, total: None,
) -> None:
    """Write `frames`, each (h, w, 3) of 0 .. 255 and all of one size, as a looping GIF.

    Each frame is shown for `frame_seconds`, kept to hundredths over the whole film. The file
    appears complete or not at all. Once all frames are known, `progress` is told how many of the
    images are packed. Raises `ValueError` for no frames, a frame of another shape or type, or a
    time under 0.01 s; `OSError` if the file cannot be written.
    """
    with replacing(path) as beside:
        beside.write_bytes(gif(frames, frame_seconds, progress))


def gif(
    frames: Iterable[Bytes],
    frame_seconds: float,
    progress: Progress = lambda done, total: None,
) -> bytes:
    """The bytes that `write_gif` writes."""
    if not frame_seconds >= 0.01:
        raise ValueError(f"a GIF cannot show a frame for less than 0.01 s, got {frame_seconds}")
    patches = _differences(frames)
    if not patches:
        raise ValueError("a GIF needs at least one frame")
    size = patches[0].colours.shape
    known, counts = _colour_counts(patches)
    palette = _palette(known, counts)
    mixtures = _mixtures(known, palette)
    parts = [_header(size[1], size[0], palette)]
    clock = shown = 0
    for k, patch in enumerate(patches):
        progress(k, len(patches))
        clock += patch.frames
        delay = round(100 * frame_seconds * clock) - shown
        shown += delay
        indices = _indices(patch, known, mixtures)
        parts.append(_image(patch.left, patch.top, indices, min(delay, LONGEST_DELAY)))
    return b"".join([*parts, b";"])


def _differences(frames: Iterable[Bytes]) -> list[_Patch]:
    """What each frame changes; only these rectangles are kept in memory."""
    patches: list[_Patch] = []
    before: Codes | None = None
    for frame in frames:
        codes = _pack(frame)
        if before is None:
            patches.append(_Patch(0, 0, codes))
        else:
            if codes.shape != before.shape:
                raise ValueError(f"frames differ in size: {before.shape} and {codes.shape}")
            changed = codes != before
            rows, columns = np.flatnonzero(changed.any(1)), np.flatnonzero(changed.any(0))
            if not len(rows):
                patches[-1].frames += 1
                continue
            box = (slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1))
            colours = np.where(changed[box], codes[box], np.uint32(KEPT))
            patches.append(_Patch(int(columns[0]), int(rows[0]), colours))
        before = codes
    return patches


def _pack(frame: Bytes) -> Codes:
    if frame.dtype != np.uint8 or frame.ndim != 3 or frame.shape[2] != 3 or not frame.size:
        raise ValueError(f"a frame is (h, w, 3) of uint8, got {frame.shape} of {frame.dtype}")
    if max(frame.shape[:2]) > 65535:
        raise ValueError("a GIF is at most 65535 pixels wide and high")
    red, green, blue = np.moveaxis(frame.astype(np.uint32), 2, 0)
    return np.asarray(red << 16 | green << 8 | blue, np.uint32)


# ---- The palette ---------------------------------------------------------------------------


def _colour_counts(patches: list[_Patch]) -> tuple[Codes, NDArray[np.int64]]:
    """Every colour that is drawn, in ascending order, and at how many pixels."""
    found = [np.unique(p.colours[p.colours != KEPT], return_counts=True) for p in patches]
    known, place = np.unique(np.concatenate([f[0] for f in found]), return_inverse=True)
    counts = np.bincount(place, weights=np.concatenate([f[1] for f in found]))
    return known, counts.astype(np.int64)


def _unpack(codes: Codes) -> Floats:
    return np.stack([codes >> 16 & 255, codes >> 8 & 255, codes & 255], axis=1).astype(float)


def _palette(known: Codes, counts: NDArray[np.int64]) -> Bytes:
    """At most 255 colours (n, 3) that stand for the `known` ones."""
    rgb = _unpack(known)
    if len(known) <= TRANSPARENT:
        return rgb.astype(np.uint8)
    # The root keeps a small bright ball from being outvoted by a large dull table.
    weight = np.sqrt(counts)
    order = count(1)  # settles equal errors: arrays do not compare
    boxes = [(0.0, 0, np.arange(len(known)))]
    while len(boxes) < TRANSPARENT:
        _, _, members = heapq.heappop(boxes)
        for half in _halves(rgb, weight, members):
            heapq.heappush(boxes, (-_error(rgb, weight, half).sum(), next(order), half))
    means = [np.average(rgb[box], axis=0, weights=weight[box]) for _, _, box in boxes]
    return np.round(means).astype(np.uint8)


def _error(rgb: Floats, weight: Floats, members: NDArray[Any]) -> Floats:
    """The squared error, by channel, of one colour in place of all these."""
    inside, share = rgb[members], weight[members]
    return np.asarray(share @ (inside - np.average(inside, axis=0, weights=share)) ** 2)


def _halves(rgb: Floats, weight: Floats, members: NDArray[Any]) -> list[NDArray[Any]]:
    """A box of colours cut at the median of its most spread channel."""
    axis = int(_error(rgb, weight, members).argmax())
    along = members[np.argsort(rgb[members, axis], kind="stable")]
    middle = np.searchsorted(np.cumsum(weight[along]), weight[along].sum() / 2)
    return np.split(along, [int(np.clip(middle, 1, len(along) - 1))])


def _mixtures(known: Codes, palette: Bytes) -> tuple[Bytes, Bytes, Floats]:
    """For each known colour, the two palette colours to mix it from, and the second's share.

    The first is the nearest; the second is the one with which a mixture comes closest, less a
    little for the contrast between the two, which would show as grain.
    """
    rgb, shades = _unpack(known), palette.astype(float)
    square = (shades**2).sum(axis=1)
    apart = square[:, None] + square - 2 * shades @ shades.T
    near, far = np.empty((2, len(known)), np.uint8)
    share = np.empty(len(known))
    for start in range(0, len(known), 4096):
        here = slice(start, start + 4096)
        # |c - a - t (b - a)|^2 for every b, at the t in 0 .. 1/2 that makes it least.
        first = (square - 2 * rgb[here] @ shades.T).argmin(axis=1)
        off = rgb[here] - shades[first]
        along = off @ shades.T - (off * shades[first]).sum(axis=1)[:, None]
        reach = np.maximum(apart[first], 1e-9)
        part = np.clip(along / reach, 0, 0.5)
        second = (part * (part * reach - 2 * along) + 0.04 * reach).argmin(axis=1)
        rows = np.arange(len(first))
        near[here], far[here], share[here] = first, second, part[rows, second]
    return near, far, share


def _thresholds(order: int) -> Floats:
    """Bayer's matrix (2^order square): every share of a flat area is spread evenly."""
    matrix = np.zeros((1, 1))
    for _ in range(order):
        matrix = np.block([[4 * matrix, 4 * matrix + 2], [4 * matrix + 3, 4 * matrix + 1]])
    return (matrix + 0.5) / matrix.size


def _indices(patch: _Patch, known: Codes, mixtures: tuple[Bytes, Bytes, Floats]) -> Bytes:
    """The palette index of every pixel of a patch, dithered by its place on the screen."""
    near, far, share = mixtures
    rows, columns = np.nonzero(patch.colours != KEPT)
    place = np.searchsorted(known, patch.colours[rows, columns])
    matrix = _thresholds(3)
    limit = matrix[(rows + patch.top) % len(matrix), (columns + patch.left) % len(matrix)]
    indices = np.full(patch.colours.shape, TRANSPARENT, np.uint8)
    indices[rows, columns] = np.where(share[place] > limit, far[place], near[place])
    return indices


# ---- The file ------------------------------------------------------------------------------


def _header(width: int, height: int, palette: Bytes) -> bytes:
    table = np.zeros((256, 3), np.uint8)
    table[: len(palette)] = palette
    screen = b"GIF89a" + struct.pack("<HHBBB", width, height, 0xF7, 0, 0)
    return screen + table.tobytes() + b"!\xff\x0bNETSCAPE2.0\x03\x01\x00\x00\x00"


def _image(left: int, top: int, indices: Bytes, delay: int) -> bytes:
    """One frame: how it is shown, where it lies, and its pixels."""
    high, wide = indices.shape
    control = b"!\xf9\x04" + struct.pack("<BHBB", 0x05, delay, TRANSPARENT, 0)
    place = b"," + struct.pack("<HHHHB", left, top, wide, high, 0)
    data = _compress(indices.tobytes())
    blocks = [data[i : i + 255] for i in range(0, len(data), 255)]
    body = b"".join(bytes([len(block)]) + block for block in blocks)
    return control + place + b"\x08" + body + b"\x00"


def _compress(pixels: bytes) -> bytes:
    """Lempel-Ziv-Welch with codes of 9 to 12 bits, as GIF packs them (lowest bit first)."""
    clear, end, first, full = 256, 257, 258, 4096
    codes, resets = [clear], [0]
    table: dict[int, int] = {}
    following = first
    prefix = pixels[0]
    for symbol in pixels[1:]:
        key = prefix << 8 | symbol
        code = table.get(key)
        if code is not None:
            prefix = code
            continue
        codes.append(prefix)
        prefix = symbol
        if following < full:
            table[key] = following
            following += 1
        else:
            resets.append(len(codes))
            codes.append(clear)
            table.clear()
            following = first
    codes += [prefix, end]
    return _pack_bits(np.array(codes), _widths(len(codes), resets))


def _widths(count: int, resets: list[int]) -> NDArray[Any]:
    """How many bits each code takes: the reader's table has grown by one after each but two.

    A clear code is written at the width reached before it; the code after it, at 9 bits,
    adds nothing to the table yet.
    """
    place = np.arange(count)
    since = place - np.array(resets)[np.searchsorted(resets, place, side="left") - 1]
    since[0] = 0
    entries = 258 + np.maximum(since - 2, 0)
    return np.asarray(np.clip(np.ceil(np.log2(entries + 1)), 9, 12), int)


def _pack_bits(codes: NDArray[Any], widths: NDArray[Any]) -> bytes:
    bit = np.arange(12)
    bits = (codes[:, None] >> bit & 1).astype(np.uint8)
    return np.packbits(bits[bit < widths[:, None]], bitorder="little").tobytes()
