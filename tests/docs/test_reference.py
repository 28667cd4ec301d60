"""The reference is what its command writes, and has all that is exported."""

from __future__ import annotations

from pathlib import Path

import rose_ad
import rosephys
from docs.examples.reference import page

REFERENCE = Path(__file__).parents[2] / "docs" / "reference.md"


def test_the_reference_is_that_of_the_docstrings() -> None:
    """`python docs/examples/reference.py docs` writes it anew."""
    assert REFERENCE.read_text(encoding="utf-8") == page()


def test_it_has_what_is_exported_and_says_something_of_each() -> None:
    text = REFERENCE.read_text(encoding="utf-8")
    for package in (rosephys, rose_ad):
        for name in package.__all__:
            entry = text.split(f"### {name}\n")[1].split("\n```\n")[0]
            assert len(entry.splitlines()) > 4, name


def test_it_depends_on_no_run() -> None:
    assert " at 0x" not in page() and page() == page()
