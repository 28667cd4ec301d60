"""Pictures as SVG: every shape there is, at its place, and well-formed whatever is written in it."""

from __future__ import annotations

import xml.etree.ElementTree as xml
from pathlib import Path

import numpy as np
import pytest

from rosephys import Arrow, Ellipses, Picture, SceneError, Text
from rosephys.files.svg import svg, write_svg
from tests.docs.test_examples import example

NAME = "{http://www.w3.org/2000/svg}"
VIEW = (-10.0, -10.0, 10.0, 10.0)


def drawn(*shapes: object) -> xml.Element:
    return xml.fromstring(svg(Picture(shapes, VIEW), (200, 200)))  # type: ignore[arg-type]


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_every_shape_is_written(theme: str) -> None:
    picture = example("shapes").shapes()
    tree = xml.fromstring(svg(picture, (720, 460), theme))
    kinds = {part.tag.removeprefix(NAME) for part in tree}
    assert kinds == {"rect", "circle", "ellipse", "line", "polyline", "polygon", "text", "image"}
    assert "nan" not in xml.tostring(tree).decode()


def test_an_ellipse_is_where_it_is() -> None:
    (found,) = drawn(Ellipses(np.array([(2.0, 3.0)]), np.array([(4.0, 1.0)]), "good", "dim")).iter(
        f"{NAME}ellipse"
    )
    assert [float(found.get(k, "nan")) for k in ("cx", "cy", "rx", "ry")] == [
        120.0,
        70.0,
        40.0,
        10.0,
    ]


def test_an_arrow_ends_where_it_points() -> None:
    tip = next(drawn(Arrow((0.0, 0.0), (5.0, 0.0), "dim")).iter(f"{NAME}polygon"))
    assert tip.get("points", "").split()[0] == "150,100"


def test_words_may_have_any_sign() -> None:
    text = "<&>\"' é →"
    (found,) = drawn(Text((0.0, 0.0), text, "text")).iter(f"{NAME}text")
    assert found.text == text


def test_what_cannot_be_is_told(tmp_path: Path) -> None:
    empty = Picture((), VIEW)
    with pytest.raises(SceneError, match="there is no theme 'blue'"):
        svg(empty, (10, 10), "blue")
    with pytest.raises(OSError, match="cannot be written"):
        write_svg(tmp_path / "no" / "x.svg", empty, (10, 10))
