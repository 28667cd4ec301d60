"""What a release says of itself, and what SECURITY.md promises of files."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

import rosephys

ROOT = Path(__file__).parents[2]
PICKLES = {"rosephys/sweeps/job.py"}  # for executors, which pickle what they are given


def test_the_citation_is_of_this_version() -> None:
    found: dict[str, Any] = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert found["version"] == rosephys.__version__
    assert {"cff-version", "message", "title", "authors"} <= set(found)
    assert f"## {found['version']}" in (ROOT / "CHANGELOG.md").read_text()


def calls(tree: ast.AST, name: str) -> Iterator[ast.Call]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == name:
            yield node


def unsafe(text: str) -> list[str]:
    """What reads a file in a way that may run what is in it."""
    tree = ast.parse(text)
    found = [
        f"line {call.lineno}"
        for call in calls(tree, "np.load")
        if not any(
            k.arg == "allow_pickle" and ast.unparse(k.value) == "False" for k in call.keywords
        )
    ]
    imported = [a.name for n in ast.walk(tree) if isinstance(n, ast.Import) for a in n.names]
    found += [name for name in imported if name in ("pickle", "shelve", "marshal", "dill")]
    return found + [n for f in ("eval", "exec") for n in [f] * len(list(calls(tree, f)))]


def test_what_is_loaded_is_data() -> None:
    files = (ROOT / "rosephys").rglob("*.py")
    wrong = {str(p.relative_to(ROOT)): unsafe(p.read_text()) for p in files}
    found = {name: what for name, what in wrong.items() if what}
    assert {n: w for n, w in found.items() if n not in PICKLES} == {}
    assert all(found[name] == ["pickle"] for name in PICKLES)


def test_what_is_planted_is_found() -> None:
    for line in (
        "np.load(path)",
        "np.load(path, allow_pickle=True)",
        "import pickle",
        "eval(text)",
    ):
        assert unsafe(line), line
    assert not unsafe("np.load(path, allow_pickle=False)")
