"""docs/coming_from.md: the names that are NumPy's are listed as they are, and every name that it mentions
exists."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

import rose_ad as ra

PAGE = Path(__file__).parents[2] / "docs" / "coming_from.md"
BEGIN, END = "<!-- by tests/docs/test_coming_from.py -->\n", "<!-- end -->"
# of the same name, but not the same thing: a loop, conditions and arrays that are said otherwise
OTHERWISE = {"trace"}


def shared(ours: ModuleType, numpys: ModuleType) -> list[str]:
    """The public functions that have numpy's names."""
    names = (n for n in ours.__all__ if callable(getattr(numpys, n, None)))
    return sorted(n for n in names if not isinstance(getattr(ours, n), ModuleType | type))


def lists() -> str:
    """What stands on the page between the marks."""
    parts = [("ra", ra, np), ("ra.linalg", ra.linalg, np.linalg)]
    out = []
    for name, ours, numpys in parts:
        text = f"`{name}`: " + " ".join(f"`{n}`" for n in shared(ours, numpys))
        out.append(textwrap.fill(text, 118, break_long_words=False))
    return "\n\n".join(out) + "\n"


@pytest.mark.skipif(not hasattr(np, "vecdot"), reason="the lists are those of NumPy 2")
def test_the_lists_are_those_of_the_library() -> None:
    text = PAGE.read_text(encoding="utf-8")
    between = text[text.index(BEGIN) + len(BEGIN) : text.index(END)]
    assert between == lists(), f"put this there:\n{lists()}"


def test_every_name_exists() -> None:
    names = set(re.findall(r"`ra\.([\w.]+)", PAGE.read_text(encoding="utf-8")))
    assert len(names) > 60
    for name in names:
        found: object = ra
        for part in name.split("."):
            found = getattr(found, part)
