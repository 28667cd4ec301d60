"""What was given: the shape of a value, the kind of its numbers, and a word for it in an error."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np

import rose_ad as ra


def told(x: Any) -> str:
    """What something is, in a word or two for an error."""
    if x is None or isinstance(x, (str, bytes, type)):
        return repr(x) if len(repr(x)) < 40 else repr(x)[:36] + "..."
    if is_dataclass(x):
        return f"a {type(x).__name__}"
    shape = shape_of(x)
    if shape is not None and not is_word(x):
        plain = isinstance(x, (int, float, np.generic)) or (
            isinstance(x, (tuple, list)) and not is_traced(x) and np.size(x) <= 6
        )
        if plain:
            return " ".join(repr(x).split())
        truth = is_leaf(x) and kind_of(x) == "b"
        one, several = ("True or False", "truth values") if truth else ("a number", "numbers")
        return f"{several} of shape {shape}" if shape else one
    if isinstance(x, np.ndarray):
        return f"an array of {x.dtype}"
    size = f" of {len(x)}" if isinstance(x, (tuple, list, dict)) else ""
    return f"{'an' if type(x).__name__[0] in 'aeiou' else 'a'} {type(x).__name__}{size}"


def is_word(x: Any) -> bool:
    """Whether it is text."""
    return isinstance(x, (str, bytes))


def shape_of(x: Any) -> tuple[int, ...] | None:
    """The shape of a number, an array or nested rows of them; None for what is none, or has no shape."""
    if isinstance(x, (tuple, list)):
        rows = {shape_of(row) for row in x}
        if not rows:
            return (0,)
        (row, *others) = rows
        return None if others or row is None else (len(x), *row)
    if not is_leaf(x) or np.ma.is_masked(x) or kind_of(x) not in {"b", "i", "f"}:
        return None
    return tuple(x.shape) if hasattr(x, "shape") else ()


def is_leaf(x: Any) -> bool:
    """Whether it is a number, an array or a traced value."""
    leaves = ra.flatten(x)[0]
    return len(leaves) == 1 and leaves[0] is x


def is_traced(x: Any) -> bool:
    """Whether it is a value that is known only when the compiled function runs, or holds such."""
    return any(hasattr(leaf, "as_traced") for leaf in ra.flatten(x)[0])


def kind_of(x: Any) -> str:
    """Of a number or an array: "b", "i" or "f" for truth values, whole numbers and others; numpy's letter for
    what is none of these."""
    dtype = x.scalar.dtype if hasattr(x, "as_traced") else np.asarray(x).dtype
    return "i" if np.dtype(dtype).kind == "u" else str(np.dtype(dtype).kind)


def parts(x: Any) -> dict[str, Any]:
    """The parts of a value, by how each is written after its name; none of what is one piece."""
    if is_leaf(x):
        return {}
    if is_dataclass(x) and not isinstance(x, type):
        return {f".{f.name}": getattr(x, f.name) for f in fields(x)}
    if isinstance(x, dict):
        return {f"[{key!r}]": part for key, part in x.items()}
    return {f"[{k}]": part for k, part in enumerate(x)} if isinstance(x, (tuple, list)) else {}


def leaves(x: Any, name: str) -> Iterator[tuple[str, Any]]:
    """The numbers, arrays and constants of a value, each with its name: "State.arms[0].angle"."""
    inside = parts(x)
    if not inside:
        yield name, x
    for key, part in inside.items():
        yield from leaves(part, name + key)
