"""Mutation testing: python -m tests.mutants rose_ad/rewrite rose_ad/ad --count 100 --seed 0

A mutant is the code with one small fault: another operator, a constant off by one, a condition turned round, a
statement left out. It is killed when a test fails, or runs for many times as long. One that survives is a line
that no test needs: the line is told, for it is either a gap in the tests or a fault that changes nothing.

Tests mirror the tree, so those of a file are tried first, then those of its folder, then generated programs.
"""

from __future__ import annotations

import argparse
import ast
import copy
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
COPIED = ("rose_ad", "rosephys", "scenes", "tests", "docs", "pyproject.toml")
GENERATED = ("tests/rose_ad/test_generated.py", "tests/rose_ad/test_fuzz.py")
PATIENCE = 8  # times as long as the tests took on the code as it is, and a mutant hangs
_OTHER: dict[type[Any], type[Any]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Add, ast.Div: ast.Mult, ast.FloorDiv: ast.Mult,
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In, ast.And: ast.Or,
    ast.Or: ast.And, ast.BitOr: ast.BitAnd, ast.BitAnd: ast.BitOr, ast.Mod: ast.Mult,
}  # fmt: skip


@dataclass(frozen=True)
class Mutant:
    """A file in which one expression is another."""

    file: str
    line: int
    was: str
    now: str
    text: str


@dataclass(frozen=True)
class Site:
    """An expression of a file, and one fault that may be made in it."""

    file: str
    node: ast.expr
    fault: Callable[[Any], str | None]

    def mutant(self) -> Mutant | None:
        """The file with that fault; None where it would change nothing."""
        now = self.fault(copy.deepcopy(self.node))
        if now is None:
            return None
        lines = (ROOT / self.file).read_text().encode().splitlines(keepends=True)
        n = self.node
        first, last = n.lineno - 1, (n.end_lineno or n.lineno) - 1
        head, tail = lines[first][: n.col_offset], lines[last][n.end_col_offset :]
        # as many lines as before, so that lines in messages stay what they are
        spliced = head + f"({now}{chr(10) * (last - first)})".encode() + tail
        text = b"".join([*lines[:first], spliced, *lines[last + 1 :]]).decode()
        return Mutant(self.file, n.lineno, ast.unparse(n), now, text)


def sites(file: str) -> Iterator[Site]:
    """Where a file may have a fault, and which."""
    for node in ast.walk(ast.parse((ROOT / file).read_text())):
        if isinstance(node, ast.BinOp | ast.BoolOp) and type(node.op) in _OTHER:
            yield Site(file, node, _operator)
        if isinstance(node, ast.Compare) and type(node.ops[0]) in _OTHER:
            yield Site(file, node, _comparison)
        if isinstance(node, ast.Constant) and type(node.value) in (int, float, bool):
            yield Site(file, node, _constant)
        if isinstance(node, ast.If | ast.While | ast.IfExp):
            yield Site(file, node.test, lambda test: f"not ({ast.unparse(test)})")
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            yield Site(file, node.value, lambda _: "None")
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not | ast.USub):
            yield Site(file, node, lambda signed: ast.unparse(signed.operand))


def _operator(node: ast.BinOp | ast.BoolOp) -> str | None:
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr) and _is_type(node):
        return None
    node.op = _OTHER[type(node.op)]()
    return ast.unparse(node)


def _is_type(node: ast.BinOp) -> bool:
    """Whether `a | b` is a union of types, whose other operator means nothing."""
    sides = [ast.unparse(s) for s in (node.left, node.right)]
    return "None" in sides or all(s.split(".")[-1][:1].isupper() for s in sides)


def _comparison(node: ast.Compare) -> str:
    node.ops[0] = _OTHER[type(node.ops[0])]()
    return ast.unparse(node)


def _constant(node: ast.Constant) -> str:
    return repr(not node.value if isinstance(node.value, bool) else node.value + 1)


# ---- Trying them ----


class Trial:
    """A copy of the project in which mutants are tried."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in COPIED:
            source = ROOT / name
            if source.is_dir():
                shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(source, folder / name)
        self.took: dict[str, float] = {}  # by tests: seconds on the code as it is

    def killed(self, mutant: Mutant) -> str:
        """What killed a mutant: a test file or folder, or "" where it survived."""
        path = self.folder / mutant.file
        right = path.read_text()
        for tests in self.tests(mutant.file):
            if tests not in self.took:
                begin = time.perf_counter()
                if self.run(tests, None):
                    raise SystemExit(f"{tests} fails on the code as it is")
                self.took[tests] = time.perf_counter() - begin
        path.write_text(mutant.text)
        try:
            for tests in self.tests(mutant.file):
                if self.run(tests, PATIENCE * self.took[tests] + 60):
                    return tests
            return ""
        finally:
            path.write_text(right)

    def run(self, tests: str, limit: float | None) -> bool:
        """Whether some of these tests fail, or go on and on."""
        command = [sys.executable, "-m", "pytest", "-q", "-x", "-n", "0", "-m", "not slow"]
        environment = os.environ | {
            "PYTHONPATH": str(self.folder),
            "ROSE_AD_CACHE": str(self.folder / "cache"),
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        try:
            done = subprocess.run(
                [*command, "-p", "no:cacheprovider", *tests.split()],
                cwd=self.folder, env=environment, capture_output=True, timeout=limit,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            return True
        return done.returncode not in (0, 5)  # 5: there was nothing to run

    def tests(self, file: str) -> list[str]:
        """The tests of a file, from the nearest on."""
        folder = Path("tests") / Path(file).parent
        near = folder / f"test_{Path(file).stem}.py"
        found = [str(near)] if (self.folder / near).exists() else []
        found += [str(folder)] if (self.folder / folder).is_dir() else [str(folder.parent)]
        if file.startswith("rose_ad"):
            found.append(" ".join(GENERATED))
        return found


def sample(places: Sequence[str], count: int, seed: int) -> list[Mutant]:
    """Some of the mutants of these files and folders, drawn with a seed."""
    files: list[Path] = []
    for place in places:
        path = ROOT / place
        files += [path] if path.is_file() else sorted(path.rglob("*.py"))
    every = [site for f in files for site in sites(str(f.relative_to(ROOT)))]
    random.Random(seed).shuffle(every)
    found = (site.mutant() for site in every)
    return list(islice((m for m in found if m is not None), count))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("places", nargs="+", metavar="FILE_OR_FOLDER")
    parser.add_argument("--count", type=int, default=40)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--least", type=float, default=0.0, help="the share that must be killed")
    given = parser.parse_args()
    chosen = sample(given.places, given.count, given.seed)
    survived = []
    with tempfile.TemporaryDirectory() as folder:
        trial = Trial(Path(folder))
        for k, mutant in enumerate(chosen, 1):
            by = trial.killed(mutant)
            survived += [] if by else [mutant]
            fate = f"killed by {by}" if by else "SURVIVES"
            where = f"{mutant.file}:{mutant.line}"
            print(
                f"{k}/{len(chosen)} {where}: {mutant.was:.60} -> {mutant.now:.60}: {fate}",
                flush=True,
            )
    share = 1 - len(survived) / max(len(chosen), 1)
    print(f"{len(chosen)} mutants, {share:.0%} killed")
    for m in survived:
        print(f"  {m.file}:{m.line}: {m.was} -> {m.now}")
    return int(share < given.least)


if __name__ == "__main__":
    sys.exit(main())
