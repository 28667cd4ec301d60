"""Lines that join the same two shapes: they run side by side."""

from __future__ import annotations

from collections.abc import Iterable

from .shapes import Shape

SIDE_BY_SIDE = 9.0  # pixels between two of them


def asides(shapes: Iterable[Shape]) -> dict[Shape, float]:
    """How many pixels each line is drawn to its left, as seen from its start; those that have company."""
    alike: dict[frozenset[int], list[Shape]] = {}
    for shape in shapes:
        if shape.straight and shape.look.outline and any(one.kind != "point" for one in shape.ends):
            alike.setdefault(frozenset((shape.start, shape.end)), []).append(shape)
    found: dict[Shape, float] = {}
    for lines in alike.values():
        for k, line in enumerate(lines if len(lines) > 1 else ()):
            aside = SIDE_BY_SIDE * (0.5 * (len(lines) - 1) - k)
            found[line] = aside if line.start == lines[0].start else -aside
    return found
