"""What goes without saying: shapes are on the canvas, and a label is where it belongs and lies over nothing."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

from .description import Description
from .energy import Measure
from .parallels import asides
from .relations import Relation
from .shapes import Label, Shape

HEAD = 5.0  # pixels by which an arrow's head is wider than a loop
FARTHEST = 9.0  # pixels of a label from the line or the point that it names


def rules(diagram: Description) -> Iterator[Relation]:
    """The relations that hold for every diagram."""
    yield from _on_canvas(diagram)
    yield from _loops(diagram)
    nesting = _nesting(diagram)
    aside = asides(diagram.shapes)
    for label in diagram.labels:
        yield from _belongs(diagram, label, aside)
    yield from _central(diagram)
    words = [shape for shape in diagram.shapes if shape.kind == "text"]
    owners = {label.word: label for label in diagram.labels}
    for k, word in enumerate(words):
        named = owners.get(word)
        for other in words[:k]:
            if not _kept_apart(diagram, nesting, named, owners.get(other)):
                yield _gap(f"{word} is clear of {other}", word, other, diagram.style.label_gap)
        for shape in diagram.shapes:
            yield from _clear(diagram, nesting, word, named, shape, abs(aside.get(shape, 0.0)))


def _on_canvas(diagram: Description) -> Iterator[Relation]:
    fixed = [not point.free for point in diagram.points]
    for shape in diagram.shapes:
        joins = shape.straight or shape.corners or shape is diagram.canvas
        if not joins and not (fixed[shape.start] and not any(shape.sizes)):
            margin = diagram.style.margin * (shape.kind != "point") + diagram.style.dot
            late = shape.kind == "text"
            ends = (diagram.canvas.number, shape.number, 0, 0)
            words = f"{shape} is on the canvas"
            yield Relation(words, "", Measure.DEPTH, ends, low=margin, late=late)


def _loops(diagram: Description) -> Iterator[Relation]:
    """A loop is clear of other loops and of lines."""
    for loop in (shape for shape in diagram.shapes if shape.kind == "loop"):
        for other in diagram.shapes:
            other_loop = other.kind == "loop" and other.number < loop.number
            if other_loop or (other.straight and other.look.outline):
                ends = (loop.number, other.number, 0, 0)
                words = f"{loop} is clear of {other}"
                yield Relation(words, "", Measure.GAP, ends, low=diagram.style.label_gap)


def _central(diagram: Description) -> Iterator[Relation]:
    """What is free is wanted about the middle of the canvas, and of the size it begins with, if nothing else
    says where and how large."""
    for k, size in enumerate(diagram.sizes):
        if size.free and not any(k in (line.angle, line.offset) for line in diagram.separators):
            value = size.value
            ends = (k, 0, 0, 0)
            yield Relation(
                "a size is wanted", "", Measure.SIZE, ends, low=value, high=value, weight=0.05
            )
    words = {label.word for label in diagram.labels}
    for shape in diagram.shapes:
        free = not (shape.straight or shape.corners) and diagram.points[shape.start].free
        if free and shape not in words:
            ends = (shape.number, diagram.canvas.number, 0, 0)
            yield Relation(
                f"{shape} is wanted amid", "", Measure.DISTANCE, ends, low=0, high=0, weight=0.02
            )


def _nesting(diagram: Description) -> dict[Shape, set[Shape]]:
    """The shapes that each shape is in, as far as that is said."""
    around: dict[Shape, set[Shape]] = {shape: set() for shape in diagram.shapes}
    for outer, inner in diagram.within:
        around[inner].add(outer)
    for shape in diagram.shapes:  # a circle about a point
        for other in diagram.shapes:
            if (
                other.closed
                and not other.corners
                and shape.kind == "point"
                and other.start == shape.start
            ):
                around[shape].add(other)
    changed = True
    while changed:
        changed = False
        for outers in around.values():
            more = set().union(*(around[outer] for outer in outers)) - outers if outers else set()
            changed |= bool(more)
            outers |= more
    return around


def _belongs(
    diagram: Description, label: Label, asides: Mapping[Shape, float]
) -> Iterator[Relation]:
    """A label is in its shape, wanted in its middle; or beside it, wanted by the middle of a line, and on its
    own side of lines that run side by side."""
    word, owner = label.word, label.owner
    near = (word.number, owner.number, 0, 0)
    if label.inside:
        padding = (
            min(diagram.style.padding, 3.0)
            if word.start == owner.start
            else diagram.style.label_gap
        )
        if word.start != owner.start or any(diagram.sizes[s].free for s in owner.sizes):
            words = f"{word} is in its shape"
            for edge in owner.edges:
                yield Relation(
                    words,
                    "",
                    Measure.BESIDE,
                    (word.number, edge.number, 0, 0),
                    low=padding,
                    late=True,
                )
            if not owner.edges:
                ends = (owner.number, word.number, 0, 0)
                yield Relation(words, "", Measure.DEPTH, ends, low=padding, late=True)
        if word.start != owner.start and not owner.corners:
            yield Relation(
                f"{word} is amid {owner}", "", Measure.DISTANCE, near, low=0, high=0, weight=0.2
            )
        return
    gap = diagram.style.label_gap + (diagram.style.dot if owner.kind == "point" else 0.0)
    aside = asides.get(owner, 0.0)
    gap += abs(aside)
    words = f"{word} is beside {owner}"
    if aside:
        side, low = (math.copysign(1.0, aside), 0.0), gap
        yield Relation(words, "", Measure.BESIDE, near, side, low, low + FARTHEST, late=True)
    yield Relation(words, "", Measure.GAP, near, low=gap, high=gap + FARTHEST, late=True)
    weight = 0.5 if owner.straight else 0.1
    yield Relation(
        f"{word} is wanted near", "", Measure.DISTANCE, near, low=0, high=0, weight=weight
    )


def _clear(
    diagram: Description,
    nesting: dict[Shape, set[Shape]],
    word: Shape,
    label: Label | None,
    shape: Shape,
    aside: float,
) -> Iterator[Relation]:
    """A word lies over no line, which is drawn so far to one side, no edge and no dot."""
    owner = label.owner if label else None
    if shape in (word, owner, diagram.canvas) or shape.kind == "text" or shape.corners:
        return
    gap = diagram.style.label_gap
    inside = label is not None and label.inside
    words = f"{word} is clear of {shape}"
    if shape.straight or shape.kind == "loop":
        if word in shape.ends or (
            inside and (owner in shape.ends or frozenset((owner, shape)) in diagram.apart)
        ):
            return
        yield _gap(words, word, shape, gap + aside + HEAD * shape.look.head)
    elif shape.kind == "point":
        if shape.look.fill:
            yield _gap(words, word, shape, gap + diagram.style.dot)
    elif owner is not None and shape in nesting[owner]:
        if not inside:
            ends = (shape.number, word.number, 0, 0)
            yield Relation(words, "", Measure.DEPTH, ends, low=gap, late=True)
    elif label is None and _holds(diagram, shape, word):
        return
    elif not (inside and _apart(diagram, nesting, owner, shape)):
        yield _gap(words, word, shape, gap)
        if inside:  # in the part of its shape that is its own
            ends, numbers = (word.number, shape.number, 0, 0), (100.0, 0.0)
            words = f"{word} is wanted away from {shape}"
            yield Relation(words, "", Measure.NEARNESS, ends, numbers, 0.0, 0.0, 0.1)


def _holds(diagram: Description, shape: Shape, word: Shape) -> bool:
    return (shape, word) in diagram.within


def _apart(
    diagram: Description, nesting: dict[Shape, set[Shape]], one: Shape | None, other: Shape | None
) -> bool:
    """Whether it is said that two shapes are apart, or shapes that they are in."""
    if one is None or other is None:
        return False
    outer, others = {one, *nesting[one]}, {other, *nesting[other]}
    return any(frozenset((a, b)) in diagram.apart for a in outer for b in others)


def _kept_apart(
    diagram: Description, nesting: dict[Shape, set[Shape]], one: Label | None, other: Label | None
) -> bool:
    """Whether two words are in shapes that are apart."""
    if one is None or other is None or not (one.inside and other.inside):
        return False
    return _apart(diagram, nesting, one.owner, other.owner)


def _gap(words: str, one: Shape, other: Shape, low: float) -> Relation:
    return Relation(words, "", Measure.GAP, (one.number, other.number, 0, 0), low=low, late=True)
