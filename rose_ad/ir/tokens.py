"""The text of a program, line by line and token by token, as the parser reads it."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, NoReturn

from ..base.errors import ParseError

_TOKEN = re.compile(
    r"""\s*(?: (?P<variable> %\w+)
      | (?P<number> -?(?: (?:inf|nan(?:\#[0-9a-f]{16})?) (?![\w.<(\#])
                        | \d+ (?:\.\d*)? (?:e[+-]?\d+)? (?!\w) ))
      | (?P<string> "(?:[^"\\]|\\.)*")
      | (?P<sign> -> | \+= | [=()\[\]{},:&@])
      | (?P<word> (?!\d)[\w<>.]+ (?:\#\d+)?) )""",
    re.VERBOSE,
)

_INTEGER = re.compile(r"-?\d{1,19}")


class Tokens:
    """The tokens of the current line, of which the next is looked at and taken."""

    def __init__(self, text: str) -> None:
        self.lines = text.splitlines()
        self.number = 0  # of the current line, from 1
        self.tokens: list[tuple[str, str]] = []  # of the current line
        self.at = 0  # the next token

    def fail(self, what: str) -> NoReturn:
        """ParseError at the current line."""
        raise ParseError(what, max(self.number, 1))

    def more(self) -> bool:
        """Go on to the next line that is not blank; False where there is none."""
        for number in range(self.number, len(self.lines)):
            if self.lines[number].strip():
                self.number = number + 1
                self.tokens, self.at = self.split(self.lines[number].rstrip()), 0
                return True
        return False

    def split(self, line: str) -> list[tuple[str, str]]:
        tokens, position = [], 0
        while position < len(line):
            found = _TOKEN.match(line, position)
            if found is None:
                self.fail(f"{line[position:].strip()[:20]!r} is not understood")
            kind = str(found.lastgroup)
            tokens.append((kind, found[kind]))
            position = found.end()
        return tokens

    def next_line(self) -> None:
        if not self.more():
            self.fail("expected '}', found the end of the text")

    def kind(self, ahead: int = 0) -> str:
        k = self.at + ahead
        return self.tokens[k][0] if k < len(self.tokens) else "end"

    def text(self, ahead: int = 0) -> str:
        k = self.at + ahead
        return self.tokens[k][1] if k < len(self.tokens) else ""

    def accept(self, *texts: str) -> bool:
        """Pass over these tokens if they are the next."""
        found = all(self.text(k) == t for k, t in enumerate(texts))
        self.at += len(texts) if found else 0
        return found

    def expect(self, text: str) -> None:
        if not self.accept(text):
            self.unexpected(f"'{text}'")

    def unexpected(self, wanted: str) -> NoReturn:
        self.fail(f"expected {wanted}, found {self.text() or 'the end of the line'}")

    def take(self, kind: str, wanted: str) -> str:
        if self.kind() != kind:
            self.unexpected(wanted)
        self.at += 1
        return self.text(-1)

    def listed(self, open: str, close: str, item: Callable[[], Any]) -> list[Any]:
        """`open item, item, ... close`"""
        self.expect(open)
        items: list[Any] = []
        while not self.accept(close):
            if items:
                self.expect(",")
            items.append(item())
        return items

    def integer(self) -> int:
        text = self.take("number", "an integer")
        if not _INTEGER.fullmatch(text) or not -(2**63) <= int(text) < 2**63:
            self.fail(f"expected an integer of 64 bits, found {text[:30]}")
        return int(text)

    def length(self) -> int:
        n = self.integer()
        if n < 0:
            self.fail(f"expected a length, found {n}")
        return n

    def variables(self) -> list[str]:
        """The names before `=`, if there is one."""
        names: list[str] = []
        if self.kind() == "variable" and self.text(1) in {",", "="}:
            while not self.accept("="):
                if names:
                    self.expect(",")
                names.append(self.take("variable", "a variable"))
        return names
