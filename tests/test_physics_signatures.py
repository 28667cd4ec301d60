"""Signatures of physics say what they take and give: a Scalar, an Array, a struct, but not Any."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import rosephys.physics

PHYSICS = Path(rosephys.physics.__file__).parent
# what the others are is said in one, and is Any at the bottom; what is given to them may be anything
TYPES = {PHYSICS / name for name in ("quantities.py", "checked.py", "wanted.py")}

# (file, function, parameter or "return"): why
ALLOWED = {
    ("fields/grid.py", "each_cell", "return"): "one field, or as many as `value` gives numbers",
    ("mechanics/knots.py", "linear_between", "return"): "a number or an array, as a knot is",
}


def annotations(source: str) -> Iterator[tuple[str, str, ast.expr | None]]:
    """The functions, with the names and annotations of their parameters and results."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef):
            a = node.args
            for parameter in (*a.posonlyargs, *a.args, *a.kwonlyargs, a.vararg, a.kwarg):
                if parameter is not None and parameter.arg != "self":
                    yield node.name, parameter.arg, parameter.annotation
            yield node.name, "return", node.returns


def says_nothing(annotation: ast.expr | None) -> bool:
    """Whether there is no annotation, or Any somewhere in it."""
    if annotation is None:
        return True
    names = (n for n in ast.walk(annotation) if isinstance(n, ast.Name | ast.Attribute))
    return any((n.id if isinstance(n, ast.Name) else n.attr) == "Any" for n in names)


def found() -> set[tuple[str, str, str]]:
    return {
        (path.relative_to(PHYSICS).as_posix(), function, name)
        for path in PHYSICS.rglob("*.py")
        if path not in TYPES
        for function, name, annotation in annotations(path.read_text())
        if says_nothing(annotation)
    }


def test_no_signature_says_any() -> None:
    assert not found() - ALLOWED.keys()


def test_what_is_allowed_is_there() -> None:
    assert not ALLOWED.keys() - found()


@pytest.mark.parametrize("wrong", ["x: Any", "x", "*x: tuple[Any, int]", "*, x: list[typing.Any]"])
def test_the_test_sees(wrong: str) -> None:
    signature = list(annotations(f"def outer() -> int:\n    def f({wrong}) -> Any: ..."))
    assert [(f, name) for f, name, a in signature if says_nothing(a)] == [
        ("f", "x"),
        ("f", "return"),
    ]
