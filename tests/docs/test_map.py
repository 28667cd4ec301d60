"""The map in docs/design.md names every folder, and whatever path a page or a docstring names is there."""

from __future__ import annotations

import io
import re
import tokenize
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TOP = ("benchmarks", "docs", "rose_ad", "rosephys", "scenes", "tests")
PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "benchmarks" / "README.md",
    *sorted((ROOT / "docs").glob("*.md")),
]
SOURCES = [
    p
    for folder in ("benchmarks", "docs/examples", "rose_ad", "rosephys", "scenes")
    for p in sorted((ROOT / folder).rglob("*.py"))
]
THEIRS = {
    "my_scene.py",
    "strike.py",
    "./strike.py",
    "probe.py",
    "walk.py",
    "./walk.py",
    "model.py",
    "FILE.py",
    "scenes/swing.py",
    "main.c",
}  # what a user would write
PATH = re.compile(r"[\w./-]*\w\.(?:py|c|mjs|md|toml)\b|[\w.-]+(?:/[\w.-]+)*/(?![\w.*])")


@cache
def files() -> tuple[str, ...]:
    """Whatever can be named, folders with a slash at the end."""
    found = [p.name for p in ROOT.iterdir() if p.is_file()]
    for top in TOP:
        inside = [ROOT / top, *(ROOT / top).rglob("*")]
        kept = [p for p in inside if "__pycache__" not in p.parts]
        found += [f"{p.relative_to(ROOT)}{'/' if p.is_dir() else ''}" for p in kept]
    return tuple(found)


def named(path: str, beside: Path) -> list[str]:
    """What a path may mean: from the folder of who names it, or the end of a path from the root."""
    if (ROOT / path).exists() or (beside / path).exists():
        return [path]
    found = [f for f in files() if f.endswith(f"/{path}")]
    return [f for f in found if not f.startswith("tests/")] or found  # which mirror the others


def folders(top: str) -> set[str]:
    return {f for f in files() if f.startswith(f"{top}/") and f.endswith("/")}


def the_map() -> str:
    page = (ROOT / "docs" / "design.md").read_text()
    return page.split("## The map")[1].split("\n## ")[0]


@pytest.mark.parametrize("top", TOP)
def test_the_map_names_every_folder(top: str) -> None:
    wanted = folders(top)
    if top == "tests":  # its folders are those of the packages again
        wanted = {f for f in wanted if f.removeprefix("tests/") not in files()} | {"tests/"}
    else:
        wanted -= {f"{p}/" for p in TOP if p in ("rose_ad", "rosephys")}  # they are its headings
    missing = {f for f in wanted if f"`{f}`" not in the_map()}
    assert not missing


def test_the_tests_mirror_the_packages() -> None:
    for package in ("rose_ad", "rosephys"):
        for folder in folders(f"tests/{package}"):
            assert folder.removeprefix("tests/") in files(), folder


def test_the_index_names_every_page() -> None:
    index = (ROOT / "docs" / "README.md").read_text()
    missing = [p.name for p in (ROOT / "docs").glob("*.md") if f"]({p.name})" not in index]
    assert missing == ["README.md"]


def mentioned(page: str) -> Iterator[str]:
    """The paths in the code, within lines and in blocks, and in the links of a page."""
    prose = re.sub(r"^```.*?^```", "", page, flags=re.S | re.M)
    for code in re.findall(r"`([^`\n]+)`", prose):
        yield from (m.group() for m in PATH.finditer(code) if not code.startswith("--"))
    for line in re.findall(r"^    .*", prose, re.M):  # commands
        yield from re.findall(rf"(?:{'|'.join(TOP)})/[\w./-]+", line)
    for link in re.findall(r"\]\(([^)#\s]+)", prose):
        if "://" not in link:
            yield link


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_paths_of_a_page_are_there(page: Path) -> None:
    """A path says which file is meant: no two end so."""
    wrong = {}
    for path in mentioned(page.read_text()):
        found = named(path, page.parent)
        if len(found) != 1 and path not in THEIRS:
            wrong[path] = found
    assert not wrong


def words(source: str) -> Iterator[str]:
    """The comments and strings of a file of Python."""
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type in (tokenize.COMMENT, tokenize.STRING):
            yield token.string


def test_paths_in_docstrings_and_comments_are_there() -> None:
    wrong = set()
    for source in SOURCES:
        for text in words(source.read_text()):
            for path in re.findall(r"(?<![\w{}.])[\w/]*\w\.py\b", text):
                if path not in THEIRS and not named(path, source.parent):
                    wrong.add(f"{source.relative_to(ROOT)}: {path}")
    assert not wrong
