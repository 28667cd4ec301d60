"""Functions and files are short enough to be read: none over 60 lines, or 500, but with reason."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from statistics import median

ROOT = Path(__file__).parents[1]
PACKAGES = ("rose_ad", "rosephys", "scenes")
LONG_FUNCTION, LONG_FILE, MEDIAN = 60, 500, 8
# a file: why it is one
REASONS = {
    "rose_ad/tracing/values.py": "a traced value has some sixty operators, and each says what it does",
}


def files() -> Iterator[Path]:
    for package in PACKAGES:
        yield from sorted((ROOT / package).rglob("*.py"))


def functions() -> Iterator[tuple[str, int]]:
    """Each function as `file:line name`, and its lines, decorators left out."""
    for path in files():
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                name = f"{path.relative_to(ROOT)}:{node.lineno} {node.name}"
                yield name, (node.end_lineno or node.lineno) - node.lineno + 1


def test_functions_are_short() -> None:
    lengths = dict(functions())
    assert not {name: n for name, n in lengths.items() if n > LONG_FUNCTION}
    assert median(lengths.values()) <= MEDIAN


def test_files_are_short_or_say_why_not() -> None:
    long = {
        str(path.relative_to(ROOT))
        for path in files()
        if len(path.read_text().splitlines()) > LONG_FILE
    }
    assert long == set(REASONS)
