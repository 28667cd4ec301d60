"""A linker for one WebAssembly object: a module that imports nothing and has its memory planned.

    0           the stack, growing down: one that is too small meets the end of memory, and traps
    STACK       constants
    `heap`      what the caller plans: arguments, results and scratch

The module exports its memory, and the functions that are asked for. Numbers that the object leaves room for are
written as short as they are.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from .wasm_object import DATA, FUNCTION, GLOBAL, Relocation, Segment, Symbol, WasmObject, read

STACK = 1 << 20  # bytes
PAGE = 1 << 16
ALIGN = 64
# kinds of relocations: what stands there is an index or an address, as LEB128 or as a word
_FUNCTION_LEB, _ADDRESS_LEB, _ADDRESS_SLEB, _ADDRESS_WORD, _TYPE_LEB, _GLOBAL_LEB = 0, 3, 4, 5, 6, 7
_ROOM = 5  # bytes that an object leaves for a number


@dataclass(frozen=True)
class Linked:
    """An object whose data have places; `heap` is the first address after them."""

    object: WasmObject
    places: tuple[int, ...]  # of its segments
    heap: int


def placed(data: bytes) -> Linked:
    """An object file with its data placed. ValueError where it calls what is not in it."""
    found = read(data)
    if found.imported:
        raise ValueError(f"nothing here is called {', '.join(found.imported)}")
    places, at = [], STACK
    for segment in found.segments:
        at = _boundary(at, segment.align)
        places.append(at)
        at += len(segment.data)
    return Linked(found, tuple(places), _boundary(at, ALIGN))


def module(linked: Linked, exports: Sequence[str], end: int) -> bytes:
    """The module, with memory up to that address. KeyError for a function that is not there."""
    found = linked.object
    functions = {s.name: s.number for s in found.symbols if s.kind == FUNCTION and s.defined}
    named = [_text("memory") + b"\2\0"]
    named += [_text(name) + b"\0" + unsigned(functions[name]) for name in exports]
    stack = b"\x7f\1\x41" + signed(STACK) + b"\x0b"  # a mutable i32
    segments = [
        b"\0\x41" + signed(place) + b"\x0b" + _counted(_patched(linked, segment))
        for place, segment in zip(linked.places, found.segments, strict=True)
    ]
    sections = [
        (1, found.types),
        (3, _vector([unsigned(t) for t in found.functions])),
        (5, _vector([b"\0" + unsigned(-(-end // PAGE))])),
        (6, _vector([stack])),
        (7, _vector(named)),
        (10, _vector([_counted(body) for body in _bodies(linked)])),
    ]
    if segments:
        sections.append((11, _vector(segments)))
    return b"\0asm\1\0\0\0" + b"".join(bytes([k]) + _counted(part) for k, part in sections)


def _bodies(linked: Linked) -> Iterator[bytes]:
    """The functions' code, its numbers filled in."""
    holes = iter([*sorted(linked.object.relocations.get("CODE", []), key=lambda r: r.place), None])
    hole = next(holes)
    for place, code in linked.object.bodies:
        parts, at = [], 0
        while hole is not None and hole.place < place + len(code):
            start = hole.place - place
            parts += [code[at:start], _number(linked, hole)]
            at, hole = start + _ROOM, next(holes)
        yield b"".join([*parts, code[at:]])


def _number(linked: Linked, hole: Relocation) -> bytes:
    """What stands in a hole in code."""
    if hole.kind == _TYPE_LEB:
        return unsigned(hole.symbol)
    value = _value(linked, hole)
    return signed(value) if hole.kind == _ADDRESS_SLEB else unsigned(value)


def _patched(linked: Linked, segment: Segment) -> bytes:
    """A segment with the addresses that are in it."""
    out = bytearray(segment.data)
    for hole in linked.object.relocations.get("DATA", []):
        start = hole.place - segment.place
        if 0 <= start < len(out):
            out[start : start + 4] = _value(linked, hole).to_bytes(4, "little")
    return bytes(out)


def _value(linked: Linked, hole: Relocation) -> int:
    """The index or address that a hole asks for."""
    symbol: Symbol = linked.object.symbols[hole.symbol]
    wanted = {_FUNCTION_LEB: FUNCTION, _GLOBAL_LEB: GLOBAL}
    wanted |= dict.fromkeys((_ADDRESS_LEB, _ADDRESS_SLEB, _ADDRESS_WORD), DATA)
    if wanted.get(hole.kind) != symbol.kind:
        raise ValueError(f"a relocation of kind {hole.kind}, of {symbol.name or 'no name'}")
    if symbol.kind == DATA:
        return linked.places[symbol.number] + symbol.offset + hole.addend
    return symbol.number


def _boundary(at: int, align: int) -> int:
    return -(-at // align) * align


def unsigned(n: int) -> bytes:
    """A number as unsigned LEB128."""
    out = bytearray()
    while n >= 0x80:
        out.append(n & 0x7F | 0x80)
        n >>= 7
    return bytes([*out, n])


def signed(n: int) -> bytes:
    """A number as signed LEB128."""
    out = bytearray()
    while not -0x40 <= n < 0x40:
        out.append(n & 0x7F | 0x80)
        n >>= 7
    return bytes([*out, n & 0x7F])


def _counted(data: bytes) -> bytes:
    return unsigned(len(data)) + data


def _vector(parts: Sequence[bytes]) -> bytes:
    return unsigned(len(parts)) + b"".join(parts)


def _text(name: str) -> bytes:
    return _counted(name.encode())
