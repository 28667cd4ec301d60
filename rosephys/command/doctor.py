"""`doctor`: what is installed here, what this machine can do, and whether what we make on it is right."""

from __future__ import annotations

import math
import os
import platform
import re
import tempfile
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

import rose_ad as ra

from ..console import working
from ..errors import describe
from .finding import Finding
from .report import print_found, print_table, to_json

Facts = list[tuple[str, str]]
_REQUIREMENT = re.compile(r"""([\w.-]+)[^;]*(?:;.*?extra == ['"](\w+)['"])?""")
_NOT_FOR_USERS = ("test", "docs")  # extras


def doctor(json: bool) -> int:
    """Print what is here and whether it works; 1 where something does not."""
    facts = {"this machine": _machine(), "installed": _installed(), "extras": _extras()}
    with working("a self-test"):
        findings = [tried(name, test) for name, test in TESTS.items()]
    failed = sum(f.verdict == "FAILED" for f in findings)
    if json:
        tests = [{"check": f.check, "verdict": f.verdict, "found": f.measured} for f in findings]
        print(to_json({k: dict(v) for k, v in facts.items()} | {"tests": tests, "failed": failed}))
        return int(failed > 0)
    for title, rows in facts.items():
        print_table([[title, ""], *map(list, rows)])
        print()
    print_found(findings)
    print(f"\n{failed} of {len(findings)} FAILED" if failed else "\neverything works")
    return int(failed > 0)


def tried(name: str, test: Callable[[], str]) -> Finding:
    """What a test finds; what it raises is a failure of it."""
    try:
        return Finding(name, "ok", test())
    except _Absent as error:
        return Finding(name, "note", str(error))
    except Exception as error:  # whatever it is: that is what is asked here
        return Finding(name, "FAILED", describe(error) or type(error).__name__)


class _Absent(Exception):
    """What cannot be tried here, and is no fault."""


# ---- What is here ----


def _machine() -> Facts:
    m = ra.machine()
    kept = f"{m.cache}, {m.objects} programs, {m.object_bytes / 1e6:.1f} MB"
    return [
        ("system", platform.platform()),
        ("processor", f"{m.processor}, {os.cpu_count()} cores"),
        ("vectors", " ".join(m.features) or "none"),
        ("cache", kept if m.cache else f"none, every program is compiled anew: {m.why_no_cache}"),
    ]


def _installed() -> Facts:
    m = ra.machine()
    rows = [("python", platform.python_version()), ("rosephys", _version("rosephys"))]
    rows += [("numpy", np.__version__), ("llvmlite", f"{m.llvmlite}, with LLVM {m.llvm}")]
    window = next((n for n in ("pygame", "pygame-ce") if _version(n) != _MISSING), "pygame")
    return [*rows, (window, _version(window))]


_MISSING = "not installed"


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return _MISSING


def _extras() -> Facts:
    """Of each package that some command may ask for: its version, or how it is installed."""
    try:
        needed = metadata.requires("rosephys") or []
    except metadata.PackageNotFoundError:
        return [("rosephys", "runs from its folder, not installed: its extras are not known")]
    rows = []
    for line in sorted(needed):
        package, extra = _REQUIREMENT.match(line).groups()  # type: ignore[union-attr]
        if extra and extra not in _NOT_FOR_USERS:
            found = _version(package)
            install = f'{found}: pip install "rosephys[{extra}]"'
            rows.append((f"{extra}: {package}", install if found == _MISSING else found))
    return rows


# ---- Whether it works ----


def _compiled() -> str:
    """Machine code does what the interpreter says the program means."""
    x = np.linspace(-2, 3, 37)
    told = ra.interpret(_wavy.trace(x), [x])[0]
    return _near(_wavy(x), told, 1e-12, "the interpreter")


@ra.fn
def _wavy(x: Any) -> Any:
    return ra.fori_loop(0, 50, lambda i, c: c + ra.sin(x * i) / (1 + ra.exp(c)), 0 * x)


def _gradient() -> str:
    """The gradient through a loop in which something bounces, against differences."""

    @ra.fn
    def flight(speed: ra.Real) -> ra.Real:
        def step(i: Any, carry: Any) -> Any:
            height, v = carry
            v = ra.cond(height + 0.01 * v < 0, lambda: -0.5 * v, lambda: v)
            return height + 0.01 * v, v

        return ra.fori_loop(0, 300, step, (1.0, -speed))[0]

    slope = (flight(1.0037 + 1e-6) - flight(1.0037 - 1e-6)) / 2e-6
    return _near(ra.grad(flight)(1.0037), slope, 1e-7, "differences")


def _lanes() -> str:
    """Many at once are the same as one after the other."""
    x = np.linspace(0, 1, 24).reshape(8, 3)
    one = ra.grad(lambda v: ra.sum(_wavy(v)))
    return _near(ra.vmap(one)(x), np.stack([one(row) for row in x]), 1e-12, "one by one")


def _scene() -> str:
    """The gradient of billiards through its collisions, against differences."""
    from ..scene.finding import find_scene
    from ..solve.problem import Problem

    problem = Problem(find_scene("billiards"))
    _, gradient = problem.value_and_gradient(problem.values)
    name = problem.controls[0]
    start, h = problem.values[name], 1e-6
    along = np.ones_like(start)
    ahead, behind = (problem.loss({**problem.values, name: start + s * along}) for s in (h, -h))
    return _near(np.sum(gradient[name]), (ahead - behind) / (2 * h), 1e-5, "differences")


def _kept() -> str:
    """A compiled program is kept, and found again."""
    m = ra.machine()
    if m.cache is None:
        raise _Absent(f"there is no cache: {m.why_no_cache}")
    add = ra.fn(lambda x: x + 0.25)
    add.lower(1.0)
    if not ra.fn(lambda x: x + 0.25).lower(1.0).program.from_cache:
        raise AssertionError(f"what was written to {m.cache} is not found again")
    return "a program is found again"


def _pictures() -> str:
    """A picture is drawn, and its file written."""
    from ..files.film import Film, still
    from ..scene.finding import find_scene
    from ..solve.problem import Problem

    problem = Problem(find_scene("billiards"))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "billiards.png"
        still(Film(problem, problem.values), path)
        return f"a picture of {path.stat().st_size:,} bytes"


def _window() -> str:
    """A window can be opened."""
    from ..window.viewer import display_problem

    unseen = display_problem()
    if unseen is not None:
        raise _Absent(f"no window can be opened: {unseen}; pictures, films and pages can be made")
    return "can be opened"


def _near(found: Any, wanted: Any, tolerance: float, of: str) -> str:
    off = float(np.max(np.abs(np.subtract(found, wanted)) / (1 + np.abs(wanted))))
    if not off <= tolerance or math.isnan(off):
        raise AssertionError(f"differs by {off:.2g} from {of}")
    return f"as {of}, to {max(off, 1e-16):.0e}"


TESTS: dict[str, Callable[[], str]] = {
    "compiled code": _compiled,
    "gradients": _gradient,
    "many at once": _lanes,
    "billiards": _scene,
    "cache": _kept,
    "pictures": _pictures,
    "window": _window,
}
