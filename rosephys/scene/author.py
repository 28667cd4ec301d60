"""Where a scene's author wrote what is wrong with it."""

from __future__ import annotations

import ast
import inspect
import linecache
import sys
from collections.abc import Callable, Iterator
from types import CodeType, FrameType
from typing import Any

from rosephys.errors import Slip


def slip(cls: type, member: str, what: str, at: str = "") -> Slip:
    """The error that what a class says of a member cannot be; `at` is the place, where it is known."""
    name = f"{cls.__name__}.{member}" if member else cls.__name__
    return Slip(f"{name}: {what}, {at or place(cls, member)}")


def place(cls: type, member: str = "") -> str:
    """FILE:LINE where a class, or what it says of a member, was written; the class where it says nothing."""
    owner = next((c for c in cls.__mro__[:-1] if member in vars(c)), cls)
    if owner.__module__.startswith("rosephys."):  # the author has left it as it was
        owner, member = cls, ""
    code = code_of(vars(owner).get(member))
    file = getattr(sys.modules.get(owner.__module__), "__file__", None)
    if code is not None and (file is None or code.co_filename == file):
        return f"{code.co_filename}:{code.co_firstlineno}"
    return f"{file}:{_line(file, owner.__name__, member)}" if file else f"module {owner.__module__}"


def place_of_return(method: Callable[..., Any], *arguments: Any) -> str:
    """FILE:LINE where a method returns for these arguments: it is called once more, and watched."""
    code = code_of(method)
    if code is None:
        return ""
    line = code.co_firstlineno

    def watch(frame: FrameType, event: str, _: Any) -> None:
        nonlocal line
        if event == "return" and frame.f_code is code:
            line = frame.f_lineno

    before = sys.getprofile()
    sys.setprofile(watch)
    try:
        method(*arguments)
    except Exception:  # it does not return a second time: the line where it begins will do
        line = code.co_firstlineno
    finally:
        sys.setprofile(before)
    return f"{code.co_filename}:{line}"


def code_of(member: Any) -> CodeType | None:
    """The code of a function, a method, or what a property calls."""
    inner = getattr(member, "fget", member)
    inner = inspect.unwrap(inner) if callable(inner) else getattr(inner, "__func__", None)
    found = getattr(inner, "__code__", None)
    return found if isinstance(found, CodeType) else None


def _line(file: str, name: str, member: str) -> int:
    """The line on which a class gives a member its value; the first of the class, or 1, where there is none."""
    try:
        module = ast.parse("".join(linecache.getlines(file)))
    except (SyntaxError, ValueError):
        return 1
    classes = [n for n in ast.walk(module) if isinstance(n, ast.ClassDef) and n.name == name]
    if not classes:
        return 1
    for node in classes[-1].body:
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        names = {n.id for t in targets if t for n in ast.walk(t) if isinstance(n, ast.Name)}
        if member in names:
            return node.lineno
    return classes[-1].lineno


def names_in(code: CodeType | None) -> Iterator[str]:
    """The names that code uses, of globals, attributes and what encloses it; those of the functions within
    included."""
    if code is not None:
        yield from (*code.co_names, *code.co_freevars)
        for inner in code.co_consts:
            yield from names_in(inner if isinstance(inner, CodeType) else None)
