"""`certify FILE.py:FUNCTION`: from what is typed to a certificate, printed or written."""

from __future__ import annotations

import argparse
import inspect
from pathlib import Path
from typing import Any

import numpy as np

from ..console import say, working
from ..errors import SceneError
from ..scene.fields import near
from ..scene.finding import loaded
from .certificate import Certificate, certify
from .certificate_page import as_data, title, write_page
from .report import print_table, to_json
from .subject import parameters, subject
from .tools import TOOLS


def certify_function(arguments: argparse.Namespace) -> int:
    """Certify what was typed; 1 where it is wrong."""
    file, colon, name = arguments.function.rpartition(":")
    if not colon or not file.endswith(".py"):
        wanted = "wanted FILE.py:FUNCTION, as model.py:loss"
        raise SceneError(f"{arguments.function} names no function; {wanted}")
    f, values = _function(Path(file), name, dict(arguments.at or ()))
    with working(f"certifying {name}"):
        tool = TOOLS[arguments.by] if arguments.by else None
        found = certify(subject(name, f, values, tool, arguments.seed), arguments.seed)
    if arguments.json:
        print(to_json(as_data(found)))
    else:
        _print(found)
    if arguments.out:
        write_page(found, arguments.out)
        say(f"wrote {arguments.out}")
    return int(not found.right)


def _function(path: Path, name: str, typed: dict[str, str]) -> tuple[Any, dict[str, Any]]:
    """The function of a file, and the values it is tried at: those typed, its defaults, or the file's AT."""
    module = loaded(path)
    public = [n for n, v in vars(module).items() if callable(v) and not n.startswith("_")]
    f = getattr(module, name, None)
    if f is None:
        raise SceneError(f"{path} has no {name!r}{near(name, public)}")
    pair = callable(getattr(f, "value", None)) and callable(getattr(f, "vjp", None))
    if not pair and (not callable(f) or inspect.isclass(f)):
        wanted = "wanted a function, or an object with functions value and vjp"
        raise SceneError(f"{name} of {path} is {f!r:.60}; {wanted}")
    names = parameters(f)
    if not names:
        raise SceneError(f"{name} takes no arguments: there is nothing to differentiate it in")
    unknown = set(typed) - set(names)
    if unknown:
        raise SceneError(f"{name} takes no {min(unknown)!r}{near(min(unknown), names)}")
    known = {**_defaults(f), **getattr(module, "AT", {}), **typed}
    missing = [n for n in names if n not in known]
    if missing:
        ways = f"give --at {missing[0]}=1.0,2.0, a default, or AT = {{'{missing[0]}': ...}} in the file"
        raise SceneError(
            f"there is no place to try {name} at: {', '.join(missing)} is not known; {ways}"
        )
    return f, {n: _value(n, known[n]) for n in names}


def _defaults(f: Any) -> dict[str, Any]:
    of = f.value if hasattr(f, "vjp") else getattr(f, "__wrapped__", f)
    found = inspect.signature(of).parameters.values()
    return {p.name: p.default for p in found if p.default is not p.empty}


def _value(name: str, given: Any) -> Any:
    """Numbers, from text or an array."""
    try:
        if isinstance(given, str) and given.endswith(".npy"):
            return np.load(given, allow_pickle=False).astype(float)
        if isinstance(given, str):
            numbers = [float(part) for part in given.split(",")]
            return np.array(numbers) if "," in given else np.float64(numbers[0])
        return np.array(given, float)
    except (TypeError, ValueError):
        raise SceneError(
            f"{name} is {given!r}; wanted numbers, separated by commas, or a .npy"
        ) from None


def _print(found: Certificate) -> None:
    print(f"{found.subject.name}, differentiated by {found.subject.tool}: {title(found)}\n")
    print_table(
        [
            ["what was tried", "", "found"],
            *([f.check, f.verdict, f.measured] for f in found.findings),
        ]
    )
    for f in found.findings:
        if f.advice:
            print(f"\n{f.verdict}: {f.check}\n  {f.advice}")
