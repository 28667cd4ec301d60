"""What is imported from a file: a model, and what of the file is not in it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, TypedDict
from xml.parsers import expat

import numpy as np

from rosephys.errors import ArgumentError

from ..quantities import NumpyArray
from ..rigid.body3d import rotation_matrix
from .model import Model


@dataclass(frozen=True)
class Imported:
    """A model, the names of its actuators, and what was left out, a line each: what only contact would need."""

    model: Model
    actuators: tuple[str, ...]
    left_out: tuple[str, ...]


class Weight(TypedDict, total=False):
    """What a link weighs: arguments of `Link`."""

    mass: float
    centre: NumpyArray
    inertia: NumpyArray


class Element(NamedTuple):
    """An element of an XML file."""

    tag: str
    above: tuple[str, ...]  # the tags that it stands in
    attributes: dict[str, str]
    file: str
    line: int

    def told(self, why: str) -> str:
        """A line about it, that says where it is."""
        name = next((f" {k}={v!r}" for k, v in self.attributes.items() if k == "name"), "")
        return f"{self.file}:{self.line}: <{self.tag}{name}>: {why}"


def read(source: str | Path) -> tuple[str, str]:
    """The text of a file, and its name; or the text that is given, which begins with '<'.

    Raises ArgumentError for a file that is not there, or cannot be read.
    """
    if isinstance(source, str) and source.lstrip().startswith("<"):
        return source, "text"
    try:
        return Path(source).read_text(encoding="utf-8"), str(source)
    except (OSError, UnicodeDecodeError) as error:
        raise ArgumentError(f"cannot read {source}: {error}") from None


def elements(text: str, file: str) -> list[Element]:
    """All elements, in their order. Raises ArgumentError for what is not XML."""
    found: list[Element] = []
    above: list[str] = []
    parser = expat.ParserCreate()

    def start(tag: str, attributes: dict[str, str]) -> None:
        found.append(Element(tag, tuple(above), attributes, file, parser.CurrentLineNumber))
        above.append(tag)

    parser.StartElementHandler = start
    parser.EndElementHandler = lambda tag: above.pop() and None
    try:
        parser.Parse(text, True)
    except expat.ExpatError as error:
        raise ArgumentError(f"{file}: not XML: {error}") from None
    return found


def with_included(text: str, file: str) -> Iterator[Element]:
    """The same, with those of the files that it includes."""
    for element in elements(text, file):
        yield element
        name = element.attributes.get("file")
        if element.tag == "include" and name is not None and file != "text":
            yield from with_included(*read(Path(file).parent / name))


def refuse(wrong: list[str], leave_out: bool) -> None:
    """Raise ArgumentError for what changes the motion and is not supported, unless it may be left out."""
    if wrong and not leave_out:
        lines = "\n  ".join(wrong)
        raise ArgumentError(
            f"not supported:\n  {lines}\nleave_out=True imports the rest, which moves otherwise"
        )


def in_axes(q: NumpyArray, inertia: NumpyArray) -> NumpyArray:
    """An inertia (3, 3) that is given in axes turned by q, in those that q is given in."""
    axes = rotation_matrix(q)
    made = axes @ inertia @ axes.T
    return np.asarray(0.5 * (made + made.T))
