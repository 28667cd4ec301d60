"""What is in one WebAssembly object file, as LLVM writes it: the parts that `wasm_link` makes a module of.

The formats are the binary format of the WebAssembly specification, and the conventions for linking of its tools
(WebAssembly/tool-conventions, Linking.md).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

_CUSTOM, _TYPE, _IMPORT, _FUNCTION, _CODE, _DATA = 0, 1, 2, 3, 10, 11
_SYMBOLS, _SEGMENTS = 8, 5  # of the linking section
UNDEFINED, _NAMED = 0x10, 0x40  # flags of symbols
FUNCTION, DATA, GLOBAL = 0, 1, 2  # kinds of symbols
_WITH_ADDEND = {3, 4, 5, 8, 9}


class Symbol(NamedTuple):
    """A function or global by its number, or data by its segment and the offset in it."""

    kind: int
    name: str
    defined: bool
    number: int
    offset: int = 0


class Relocation(NamedTuple):
    """A place, counted from the start of a section's contents, that the linker fills in."""

    kind: int
    place: int
    symbol: int
    addend: int


class Segment(NamedTuple):
    """Data, where its bytes start in the section, and the boundary that it must lie on."""

    place: int
    data: bytes
    align: int


@dataclass
class WasmObject:
    """The parts of an object file."""

    types: bytes = b"\0"
    imported: list[str] = field(default_factory=list)  # functions
    functions: list[int] = field(default_factory=list)  # the types of those defined
    bodies: list[tuple[int, bytes]] = field(default_factory=list)  # their places, and code
    segments: list[Segment] = field(default_factory=list)
    symbols: list[Symbol] = field(default_factory=list)
    relocations: dict[str, list[Relocation]] = field(default_factory=dict)  # "CODE", "DATA"


class _Reader:
    """Bytes, read from the front."""

    def __init__(self, data: bytes, at: int = 0) -> None:
        self.data, self.at = data, at

    def byte(self) -> int:
        self.at += 1
        return self.data[self.at - 1]

    def number(self) -> int:
        """An unsigned LEB128 number."""
        out = shift = 0
        while True:
            b = self.byte()
            out |= (b & 0x7F) << shift
            shift += 7
            if b < 0x80:
                return out

    def signed(self) -> int:
        """A signed one."""
        start = self.at
        out = self.number()
        bits = 7 * (self.at - start)
        return out - (1 << bits) if out >> (bits - 1) & 1 else out

    def take(self, n: int) -> bytes:
        self.at += n
        return self.data[self.at - n : self.at]

    def text(self) -> str:
        return self.take(self.number()).decode()

    def more(self) -> bool:
        return self.at < len(self.data)


def read(data: bytes) -> WasmObject:
    """The parts of an object file; ValueError where it has what the programs here never need."""
    if data[:8] != b"\0asm\1\0\0\0":
        raise ValueError("not a WebAssembly object of version 1")
    out, aligns = WasmObject(), list[int]()
    for kind, section in _sections(_Reader(data, 8)):
        if kind == _TYPE:
            out.types = section.data
        elif kind == _IMPORT:
            out.imported = list(_imports(section))
        elif kind == _FUNCTION:
            out.functions = [section.number() for _ in range(section.number())]
        elif kind == _CODE:
            out.bodies = list(_bodies(section))
        elif kind == _DATA:
            out.segments = list(_segments(section))
        elif kind == _CUSTOM:
            name = section.text()
            if name == "linking":
                out.symbols, aligns = _linking(section)
            elif name.startswith("reloc."):
                out.relocations[name.removeprefix("reloc.")] = list(_relocations(section))
    out.segments = [s._replace(align=a) for s, a in zip(out.segments, aligns, strict=True)]
    return out


def _sections(file: _Reader) -> Iterator[tuple[int, _Reader]]:
    while file.more():
        kind = file.byte()
        yield kind, _Reader(file.take(file.number()))


def _imports(section: _Reader) -> Iterator[str]:
    for _ in range(section.number()):
        section.text()
        name, kind = section.text(), section.byte()
        if kind == 0:
            section.number()
            yield name
        elif kind in (
            1,
            2,
        ):  # a table, which is declared where it is not used either, or the memory
            section.take(kind % 2)
            for _ in range(1 + section.byte() % 2):
                section.number()
        elif kind == 3 and name == "__stack_pointer":
            section.take(2)
        else:
            raise ValueError(f"an import of {name}")


def _bodies(section: _Reader) -> Iterator[tuple[int, bytes]]:
    for _ in range(section.number()):
        size = section.number()
        yield section.at, section.take(size)


def _segments(section: _Reader) -> Iterator[Segment]:
    for _ in range(section.number()):
        if section.number() != 0 or section.byte() != 0x41:  # active, at an i32.const
            raise ValueError("a segment that is not placed")
        section.signed()
        section.byte()
        size = section.number()
        yield Segment(section.at, section.take(size), 1)


def _linking(section: _Reader) -> tuple[list[Symbol], list[int]]:
    """The symbols, and the boundaries of the segments."""
    symbols, aligns = list[Symbol](), list[int]()
    section.number()  # its version
    while section.more():
        kind = section.byte()
        part = _Reader(section.take(section.number()))
        if kind == _SYMBOLS:
            symbols = [_symbol(part) for _ in range(part.number())]
        elif kind == _SEGMENTS:
            for _ in range(part.number()):
                part.text()
                aligns.append(1 << part.number())
                part.number()
    return symbols, aligns


def _symbol(part: _Reader) -> Symbol:
    kind, flags = part.byte(), part.number()
    defined = not flags & UNDEFINED
    if kind == DATA:
        name = part.text()
        if not defined:
            return Symbol(kind, name, False, 0)
        index, offset, _ = part.number(), part.number(), part.number()
        return Symbol(kind, name, True, index, offset)
    index = part.number()
    named = kind != 3 and (defined or flags & _NAMED)  # 3 is a section, which debuggers ask for
    return Symbol(kind, part.text() if named else "", defined, index)


def _relocations(section: _Reader) -> Iterator[Relocation]:
    section.number()  # the section that they are in
    for _ in range(section.number()):
        kind, place, symbol = section.byte(), section.number(), section.number()
        yield Relocation(kind, place, symbol, section.signed() if kind in _WITH_ADDEND else 0)
