"""Every Python block in the documentation runs by itself, as it stands, and needs no further package."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
# what interop.md needs may not be installed: test_interop.py runs it, block by block
PAGES = [
    ROOT / "README.md",
    *sorted(p for p in (ROOT / "docs").glob("*.md") if p.name != "interop.md"),
]
FURTHER = (
    "scipy",
    "cma",
    "jax",
    "torch",
    "matplotlib",
    "imageio_ffmpeg",
    "pyarrow",
    "distributed",
    "gymnasium",
)  # the extras of pyproject.toml
BLOCK = re.compile(r"^```python\n(.*?)^```", re.DOTALL | re.MULTILINE)


def blocks() -> list[Any]:
    """The blocks of all pages, each with the line of its page that it begins on."""
    found = []
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for block in BLOCK.finditer(text):
            line = text[: block.start()].count("\n") + 2
            name = f"{page.relative_to(ROOT)}:{line}"
            found.append(pytest.param(page, line, block[1], id=name))
    return found


@pytest.mark.parametrize(("page", "line", "code"), blocks())
def test_a_block_runs_by_itself(
    page: Path, line: int, code: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in FURTHER:
        monkeypatch.setitem(sys.modules, name, None)
    text = "\n" * (line - 1) + code
    exec(compile(text, str(page), "exec", dont_inherit=True), {"__name__": "page"})
