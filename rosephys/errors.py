"""What can go wrong, and how a person is told."""

from __future__ import annotations

import ast
import builtins
import difflib
import inspect
import linecache
import sys
import sysconfig
import traceback
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType

import rose_ad as ra


class SceneError(Exception):
    """A scene that cannot be found or made, or a field that does not exist or does not take a value."""


class Slip(SceneError):
    """What a scene's author wrote that cannot be: one line that ends with its place."""


class ArgumentError(SceneError, ValueError):
    """What a function was given and cannot take: the argument, what came, what is wanted."""


class OptimizeError(Exception):
    """A descent that cannot go on; what it had found so far has been yielded."""


class NotFiniteError(Exception):
    """A loss or a gradient that is not a finite number, and where that began."""


class FilmError(Exception):
    """A film that cannot be written: there is no encoder, or it has no use for these frames."""


class SweepError(Exception):
    """A sweep that cannot go on: what it has computed is kept."""


METHODS = (  # of a scene
    *("initial", "step", "loss", "residuals", "cost", "constraints", "end_constraints", "guesses"),
    *("picture", "tracks", "limits", "invariants"),
)
OF_WORLDS = ("world", "drive")  # of a scene that describes a world
BY_STEP = ("step", "cost", "constraints")  # those that take the number of the step


def describe(error: BaseException) -> str:
    """What went wrong in words for people: the class and the method of a scene, and the author's own line."""
    own = _own(error)
    if not own and isinstance(error, RuntimeError) and error.__cause__ is not None:
        return describe(error.__cause__)  # a generator of ours that a StopIteration came through
    if isinstance(error, SyntaxError) and error.filename:
        text = (error.text or "").strip()
        return f"{type(error).__name__}: {error.msg}, {error.filename}:{error.lineno}\n    {text}"
    if isinstance(error, ra.RoseError):
        return _rose(error, own)
    known = isinstance(error, (Slip, OptimizeError, NotFiniteError, FilmError, SweepError))
    if known or not own or (isinstance(error, SceneError) and _spoken(error, own)):
        return _without_line(error)
    kind = "" if isinstance(error, SceneError) else f"{type(error).__name__}: "
    what = " ".join(f"{kind}{error}".split()).rstrip(":")
    return f"{_owner(own)}{what}{_meant(error, own)}, {_line(own)}"


def _meant(error: BaseException, own: list[TracebackType]) -> str:
    """What an unknown name may have been meant for, as Python says it only where it prints an error itself."""
    name: str | None = getattr(error, "name", None)
    known: Iterable[str] = ()
    if isinstance(error, NameError):
        frame = own[-1].tb_frame
        known = (*frame.f_locals, *frame.f_globals, *dir(builtins))
    elif isinstance(error, AttributeError):
        known = dir(error.obj)
    elif isinstance(error, ImportError) and str(error).startswith("cannot import name "):
        known, name = dir(sys.modules.get(name or "")), str(error).split("'")[1]
    public = sorted({other for other in known if not other.startswith("_")})
    close = difflib.get_close_matches(name or "", public, 1)
    return f"; did you mean {close[0]}?" if close and "did you mean" not in str(error) else ""


def _rose(error: ra.RoseError, own: list[TracebackType]) -> str:
    """An error of the compiler's: what, where, the line itself, what to write instead."""
    at, *more = str(error)[len(error.what) :].strip("\n").splitlines() or [""]
    place = at.removeprefix("  at ")
    foreign = not at.startswith("  at ") or _is_library(place.rpartition(":")[0])
    if foreign and own:  # said of a line of ours: the author's own is meant
        place, *more = [*_line(own).splitlines(), *(m for m in more if m.startswith("  instead"))]
    elif foreign:
        return str(error)
    owner, (kind, method) = _owner(own), ("", None) if own else _method(place)
    if method is not None:  # said as the compiled code ran: none of the author's is being called
        owner = f"{kind}.{method.name}: "
        rows = _rows(method, int(place.rpartition(":")[2]))
        if rows and isinstance(error, ra.OutOfRange):
            more = [*(m for m in more if not m.startswith("  instead")), f"  instead: {rows}"]
    return "\n".join([f"{owner}{error.what}, {place}", *more])


def _method(place: str) -> tuple[str, ast.FunctionDef | None]:
    """The class and the method in which FILE:LINE is; ("", None) if it is in none."""
    file, _, line = place.rpartition(":")
    try:
        module = ast.parse("".join(linecache.getlines(file)))
    except (SyntaxError, ValueError):
        return "", None
    for kind in (node for node in ast.walk(module) if isinstance(node, ast.ClassDef)):
        for part in kind.body:
            if isinstance(part, ast.FunctionDef) and _covers(part, int(line)):
                return kind.name, part
    return "", None


def _rows(method: ast.FunctionDef, line: int) -> str:
    """What to do about an array that is indexed on a line by the number of the step alone; "" if none is."""
    taken = method.args.args
    if method.name not in BY_STEP or not taken:
        return ""
    t = taken[-1].arg
    for node in ast.walk(method):
        if isinstance(node, ast.Subscript) and _covers(node, line):
            parts = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
            if _names(node.slice) == {t} == _names(parts[0]):
                array = ast.unparse(node.value).removesuffix(".at")
                return f"give {array} a row for each {ast.unparse(parts[0])}; {t} goes from 0 to steps - 1"
    return ""


def _names(expression: ast.expr) -> set[str]:
    return {node.id for node in ast.walk(expression) if isinstance(node, ast.Name)}


def _covers(node: ast.expr | ast.stmt, line: int) -> bool:
    return node.lineno <= line <= (node.end_lineno or node.lineno)


def _without_line(error: BaseException) -> str:
    """An error that says all there is to say, or that has no line of the user's own code in it."""
    if isinstance(error, OSError) and error.strerror:
        where = f"{error.filename}: " if error.filename else ""
        return f"{where}{error.strerror.lower()}"
    spoken = SceneError, OptimizeError, NotFiniteError, FilmError, SweepError, OSError
    if isinstance(error, spoken):
        return str(error) or type(error).__name__
    place = traceback.extract_tb(error.__traceback__)[-1]
    what = f"{type(error).__name__}: {error}"
    return f"{what}\n  {place.filename}:{place.lineno}: a bug in rosephys; please report it"


def _own(error: BaseException) -> list[TracebackType]:
    """Where an exception has come through the user's own code, the outermost first."""
    found, at = [], error.__traceback__
    while at is not None:
        if not _is_library(at.tb_frame.f_code.co_filename):
            found.append(at)
        at = at.tb_next
    return found


def _spoken(error: SceneError, own: list[TracebackType]) -> bool:
    """Whether a scene's own code says it to whoever uses the scene, or makes the scene and passes it on."""
    inside = any(at.tb_frame.f_code.co_name in (*METHODS, *OF_WORLDS) for at in own)
    return own[-1].tb_next is None or not inside


def _owner(own: list[TracebackType]) -> str:
    """The class and the method in which an exception was raised, as far as there are any, for a beginning."""
    for frame in (at.tb_frame for at in own):
        name, first = frame.f_code.co_name, frame.f_code.co_varnames[:1]
        kind = type(frame.f_locals.get(first[0])) if first else object
        method = inspect.unwrap(getattr(kind, name, lambda: None))  # not a function of that name
        if getattr(getattr(method, "fget", method), "__code__", None) is frame.f_code:
            return f"{kind.__name__}.{name}: "
        if "__qualname__" in frame.f_locals:  # the body of a class
            return f"{name}: "
    return ""


def _line(own: list[TracebackType]) -> str:
    """FILE:LINE of the innermost frame, and the line itself below."""
    (place,) = traceback.extract_tb(own[-1], limit=1)
    return f"{place.filename}:{place.lineno}" + (f"\n    {place.line}" if place.line else "")


def _is_library(filename: str) -> bool:
    """Whether a file is part of Python, of an installed package or of this one; no scene is."""
    here = Path(__file__).parent
    folders = [here, Path(str(ra.__file__)).parent]
    folders += [Path(sysconfig.get_path(kind)) for kind in ("stdlib", "purelib", "platlib")]
    parents = Path(filename).parents
    if here / "scenes" in parents:
        return False
    return filename.startswith("<") or any(folder in parents for folder in folders)
