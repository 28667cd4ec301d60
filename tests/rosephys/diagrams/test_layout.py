"""What is said holds in what is found; what cannot hold is named; what is asked wrongly is told with its
line."""

from __future__ import annotations

import re
import xml.etree.ElementTree as xml
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rosephys import Problem
from rosephys.diagrams import Diagram, DiagramError, Layout, Style, kinds, scene_of, write_page
from rosephys.scene.picture import Arrow, Polyline
from tests.support.words import covered


def distance(layout: Layout, one: Any, other: Any) -> float:
    return float(np.hypot(*(layout.centre(one) - layout.centre(other))))


def two_circles() -> tuple[Diagram, Any, Any]:
    d = Diagram()
    return d, d.circle("A"), d.circle("B")


def radius(layout: Layout, circle: Any) -> float:
    return float(layout.extent(circle)[0])


HOLDS: dict[str, tuple[Callable[..., None], Callable[[Layout, Any, Any], bool]]] = {
    "disjoint": (
        lambda d, a, b: d.disjoint(a, b, gap=12.0),
        lambda l, a, b: distance(l, a, b) >= radius(l, a) + radius(l, b) + 12 - 1e-3,
    ),
    "touching": (
        lambda d, a, b: d.touching(a, b),
        lambda l, a, b: abs(distance(l, a, b) - radius(l, a) - radius(l, b)) < 1e-3,
    ),
    "contains": (
        lambda d, a, b: d.contains(a, b, padding=4.0),
        lambda l, a, b: distance(l, a, b) + radius(l, b) + 4 <= radius(l, a) + 1e-3,
    ),
    "touching_within": (
        lambda d, a, b: d.touching_within(a, b),
        lambda l, a, b: abs(distance(l, a, b) + radius(l, b) - radius(l, a)) < 1e-3,
    ),
    "overlapping": (
        lambda d, a, b: d.overlapping(a, b),
        lambda l, a, b: (
            abs(radius(l, a) - radius(l, b)) < distance(l, a, b) < radius(l, a) + radius(l, b)
        ),
    ),
    "left_of": (
        lambda d, a, b: d.left_of(a, b, by=50.0),
        lambda l, a, b: l.centre(b)[0] - l.centre(a)[0] >= 50 - 1e-3,
    ),
    "above": (
        lambda d, a, b: d.above(a, b, by=50.0),
        lambda l, a, b: l.centre(a)[1] - l.centre(b)[1] >= 50 - 1e-3,
    ),
    "row": (
        lambda d, a, b: d.row(a, b),
        lambda l, a, b: abs(l.centre(a)[1] - l.centre(b)[1]) < 1e-3,
    ),
    "column": (
        lambda d, a, b: d.column(a, b),
        lambda l, a, b: abs(l.centre(a)[0] - l.centre(b)[0]) < 1e-3,
    ),
    "distance": (
        lambda d, a, b: d.distance(a, b, 77.0),
        lambda l, a, b: abs(distance(l, a, b) - 77) < 1e-3,
    ),
    "equal": (
        lambda d, a, b: d.equal(a, b),
        lambda l, a, b: abs(radius(l, a) - radius(l, b)) < 1e-3,
    ),
    "at": (
        lambda d, a, b: d.at(a, 30.0, -20.0),
        lambda l, a, b: bool(np.allclose(l.centre(a), (30, -20), atol=1e-3)),
    ),
}


@pytest.mark.parametrize("name", HOLDS)
@pytest.mark.parametrize("seed", range(3))
def test_a_statement_holds(name: str, seed: int) -> None:
    state, holds = HOLDS[name]
    d, a, b = two_circles()
    state(d, a, b)
    found = d.layout(seed=seed)
    assert found.violation < 1e-3 and not found.off() and holds(found, a, b)


def test_layouts_are_several_and_the_best_comes_first() -> None:
    found = kinds.graph([("a", "b"), ("b", "c"), ("c", "a")]).layouts(3)
    assert len(found) == 3
    assert [(l.crossings, l.cost) for l in found] == sorted((l.crossings, l.cost) for l in found)


def test_one_seed_gives_one_layout() -> None:
    one, other = (kinds.venn("A", "B").layout(seed=4) for _ in range(2))
    assert np.array_equal(one.places.points, other.places.points)


def test_statements_that_contradict_each_other_are_named() -> None:
    d, a, b = two_circles()
    d.contains(a, b)
    d.disjoint(a, b)
    with pytest.raises(DiagramError) as error:
        d.layout()
    told = str(error.value)
    assert "contains(A, B)" in told and "disjoint(A, B)" in told and "test_layout.py:" in told
    assert "on the canvas" not in told


def test_a_weight_makes_a_wish_of_what_cannot_hold() -> None:
    d, a, b = two_circles()
    d.contains(a, b)
    d.disjoint(a, b, weight=1.0)
    assert d.layout().violation < 1e-3


WRONG: dict[str, tuple[Callable[[], object], str]] = {
    "no shape": (lambda: Diagram().layout(), "without shapes"),
    "another diagram's": (lambda: Diagram().disjoint(*two_circles()[1:]), "another diagram"),
    "no shape at all": (lambda: Diagram().near("A", "B"), "takes shapes of the diagram, not 'A'"),  # type: ignore[arg-type]
    "one of two": (lambda: _of_two(lambda d, a, b: d.disjoint(a)), "2 shapes or more"),
    "twice": (lambda: _of_two(lambda d, a, b: d.disjoint(a, a)), "twice"),
    "no inside": (lambda: _of_two(lambda d, a, b: d.contains(d.point("p"), a)), "has no inside"),
    "no line": (lambda: _of_two(lambda d, a, b: d.parallel(a, b)), "takes lines and arrows"),
    "other kinds": (lambda: _of_two(lambda d, a, b: d.equal(a, d.box("C"))), "shapes of one kind"),
    "an empty range": (
        lambda: _of_two(lambda d, a, b: d.distance_between(a, b, low=5, high=3)),
        "from 5 to 3",
    ),
    "no weight": (
        lambda: _of_two(lambda d, a, b: d.near(a, b, weight=0)),
        "wanted a number above 0",
    ),
    "no colour": (lambda: Style(colours=("curvy",)), "curve"),
    "no canvas": (lambda: Diagram(0, 100), "cannot be"),
    "no size": (lambda: Diagram().circle("A", radius=-1), "wanted pixels above 0"),
    "no place": (lambda: Diagram().circle("A", at=(float("nan"), 0.0)), "a place is two numbers"),
    "a place of one number": (lambda: Diagram().circle("A", at=(1.0,)), "a place is two numbers"),  # type: ignore[arg-type]
    "a place without end": (lambda: Diagram().point(at=(0.0, float("inf"))), "two numbers"),
    "a canvas in words": (lambda: Diagram("600", 400), "'600' by 400"),  # type: ignore[arg-type]
    "an endless gap": (lambda: _of_two(lambda d, a, b: d.disjoint(a, b, gap=np.inf)), "inf"),
    "two lines": (lambda: Diagram().node("two\nlines"), "not one line"),
    "two sets of one name": (lambda: kinds.euler(["a", "a"]), "two sets 'a'"),
    "an edge of one node": (lambda: kinds.graph([("a",)]), "an edge is two names"),
    "arrows in a circle": (lambda: kinds.flow([("a", "b"), ("b", "a")]), "back="),
    "an unknown look": (lambda: Diagram().line((0, 0), (1, 1), colr="red"), "has no colr"),
    "an unknown set": (lambda: kinds.euler(["A"], subsets=[("B", "A")]), "there is no set 'B'"),
    "an unknown atom": (lambda: kinds.molecule(["C"], [("C", "X")]), "there is no atom 'X'"),
}


def _of_two(state: Callable[[Diagram, Any, Any], None]) -> None:
    d, a, b = two_circles()
    state(d, a, b)


@pytest.mark.parametrize("name", WRONG)
def test_what_is_asked_wrongly_is_told(name: str) -> None:
    ask, told = WRONG[name]
    with pytest.raises(DiagramError, match=told):
        ask()


ODD: dict[str, Callable[[], Diagram]] = {
    "one set": lambda: kinds.venn("A"),
    "one node": lambda: kinds.tree({"root": {}}),
    "a graph in parts": lambda: kinds.graph([("a", "b"), ("c", "d")], nodes=["e"]),
    "two edges of the same nodes": lambda: kinds.graph([("a", "b", "x"), ("a", "b", "y")]),
    "there and back": lambda: kinds.graph([("a", "b", "x"), ("b", "a", "y")], directed=True),
    "three side by side": lambda: kinds.graph([("a", "b"), ("b", "a"), ("a", "b")], directed=True),
    "a pair of arrows": lambda: kinds.commutative(
        [["E", "A", "B"]], [("E", "A", "e"), ("A", "B", "f"), ("A", "B", "g")]
    ),
    "a loop": lambda: kinds.graph([("a", "a", "stay"), ("a", "b")], directed=True),
    "loops everywhere": lambda: kinds.graph([(a, b) for a in "abc" for b in "abc"], directed=True),
    "an object's loop": lambda: kinds.commutative([["A", "B"]], [("A", "A", "f"), ("A", "B", "g")]),
    "a step's loop": lambda: kinds.flow(
        [("go", "poll"), ("poll", "poll", "wait"), ("poll", "end")]
    ),
    "long words": lambda: kinds.graph(
        [("a rather long name of a node", "b"), ("b", "another one")]
    ),
    "words in squares": lambda: kinds.graph([("東京都千代田区", "大阪府大阪市", "新幹線")]),
    "a wide family": lambda: kinds.tree({"root": {f"child {k}": {} for k in range(12)}}),
    "many generations": lambda: kinds.tree({"a": {"b": {"c": {"d": {"e": {"f": {"g": {}}}}}}}}),
    "many steps": lambda: kinds.flow([(str(k), str(k + 1)) for k in range(9)]),
    "steps to the right": lambda: kinds.flow(
        [("receive the order", "look in the store"), ("look in the store", "send it")],
        direction="right",
    ),
    "markup": lambda: kinds.graph([("<b>&'\"", "a/b\\c")]),
}  # what peers' users report as going wrong


@pytest.mark.parametrize("name", ODD)
def test_what_is_odd_is_drawn_and_no_word_lies_over_a_line(name: str) -> None:
    found = ODD[name]().layout()
    assert found.violation < 1e-3 and covered(found.picture) == []


def test_lines_of_the_same_shapes_run_side_by_side() -> None:
    d = kinds.graph([("a", "b"), ("b", "a"), ("a", "b")], directed=True)
    arrows = [mark for mark in d.layout().picture.shapes if isinstance(mark, Arrow)]
    way = np.subtract(arrows[0].vector, 0) / np.hypot(*arrows[0].vector)
    middles = [np.add(one.start, np.multiply(0.5, one.vector)) for one in arrows]
    across = sorted(float(middle @ (-way[1], way[0])) for middle in middles)
    assert np.diff(across) == pytest.approx([9.0, 9.0], abs=1e-6)


def test_a_loop_begins_and_ends_at_its_shape() -> None:
    d = kinds.graph([("a", "a")], directed=True)
    found = d.layout()
    (arrow,) = [mark for mark in found.picture.shapes if isinstance(mark, Arrow)]
    (line,) = [mark for mark in found.picture.shapes if isinstance(mark, Polyline)]
    node = next(shape for shape in d.shapes if shape.kind == "circle")
    for end in (np.add(arrow.start, arrow.vector), np.asarray(line.points[0])):
        assert abs(np.hypot(*(end - found.centre(node))) - found.extent(node)[0]) < 5.0


def test_an_svg_has_a_circle_for_a_circle(tmp_path: Path) -> None:
    d, a, b = two_circles()
    d.overlapping(a, b)
    found = d.layout()
    found.svg(tmp_path / "venn.svg")
    found.png(tmp_path / "venn.png")
    tree = xml.parse(tmp_path / "venn.svg").getroot()
    name = "{http://www.w3.org/2000/svg}"
    circles = [float(c.get("r", 0)) for c in tree.iter(f"{name}circle")]
    assert circles == pytest.approx([radius(found, a), radius(found, b)], abs=1e-3)
    assert [t.text for t in tree.iter(f"{name}text")] == ["A", "B"]
    assert (tmp_path / "venn.png").read_bytes()[:4] == b"\x89PNG"


def test_a_page_is_one_file(tmp_path: Path) -> None:
    d, a, b = two_circles()
    d.overlapping(a, b)
    write_page(d, tmp_path / "venn.html", "Two sets")
    text = (tmp_path / "venn.html").read_text()
    assert "<title>Two sets" in text
    assert re.search(r"\w+\.Ellipses=", text) and ".prototype.follow=" in text  # drawn, and settled


def test_a_scene_of_a_diagram_begins_with_its_layout() -> None:
    d = kinds.venn("A", "B")
    problem = Problem(scene_of(d, seed=3))
    assert np.allclose(problem.values["points"], d.layout(seed=3).places.points[: len(d.points)])
    loss, slope = problem.value_and_gradient({})
    assert loss < 1 and set(slope) == {"points", "sizes"}
