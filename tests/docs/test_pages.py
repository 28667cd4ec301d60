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
    "mujoco",
    "pinocchio",
)  # the extras of pyproject.toml
BLOCK = re.compile(
    r"^```python\n(.*?)^```\n(?:\n```text\n(.*?)^```)?", re.DOTALL | re.MULTILINE
)  # and what it prints, where that is shown


def blocks() -> list[Any]:
    """The blocks of all pages, each with the line of its page that it begins on."""
    found = []
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for block in BLOCK.finditer(text):
            line = text[: block.start()].count("\n") + 2
            name = f"{page.relative_to(ROOT)}:{line}"
            found.append(pytest.param(block[1], block[2], id=name))
    return found


@pytest.mark.parametrize(("code", "shown"), blocks())
def test_a_block_runs_by_itself(
    code: str,
    shown: str | None,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """And prints what is shown below it."""
    monkeypatch.chdir(tmp_path)
    for name in FURTHER:
        monkeypatch.setitem(sys.modules, name, None)
    file = Path("example.py")  # there, for what is printed shows its lines
    file.write_text(code, encoding="utf-8")
    exec(compile(code, str(file.absolute()), "exec", dont_inherit=True), {"__name__": "page"})
    if shown is not None:
        assert capsys.readouterr().out.replace(f"{tmp_path}/", "").strip() == shown.strip()
