"""Linear algebra: vectors from one origin, and what they have to do with each other."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from ..diagram import Diagram
from ..errors import DiagramError, asked_at
from ..shapes import Shape
from ..style import Style


def vectors(
    names: Sequence[str] | Mapping[str, tuple[float, float]],
    *,
    sums: Iterable[tuple[str, str, str]] = (),
    perpendicular: Iterable[tuple[str, str]] = (),
    parallel: Iterable[tuple[str, str]] = (),
    equal: Iterable[tuple[str, str]] = (),
    projections: Iterable[tuple[str, str, str]] = (),
    unit: float = 60.0,
    axes: bool = True,
    width: float = 460.0,
    height: float = 400.0,
    style: Style | None = None,
) -> Diagram:
    """Vectors by names, or with their coordinates, of which 1 is `unit` pixels.

    `sums` are (sum, one, other), drawn with the parallelogram; `projections` are (shadow, vector, line): the
    part of a vector that is along another.
    """
    d = Diagram(width, height, style=style)
    origin = d.point(at=(0.0, 0.0))
    for x, y in ((0.46 * width, 0.0), (0.0, 0.46 * height)) if axes else ():
        d.arrow((-x, -y), (x, y), colour="line", width=1.5)
    arrows = _arrows(d, origin, names if isinstance(names, Mapping) else dict.fromkeys(names), unit)

    def of(*asked: str) -> list[Shape]:
        for name in asked:
            if name not in arrows:
                raise DiagramError(
                    f"there is no vector {name!r}; there are {', '.join(arrows)}, {asked_at()}"
                )
        return [arrows[name] for name in asked]

    for total, one, other in sums:
        s, a, b = (arrow.ends[1] for arrow in of(total, one, other))
        d.parallelogram(origin, a, s, b)
        for tip in (a, b):
            d.line(tip, s, dashed=True, width=1.5)
    for state, pairs in (
        (d.perpendicular, perpendicular),
        (d.parallel, parallel),
        (d.equal, equal),
    ):
        for pair in pairs:
            state(*of(*pair))
    for shadow, vector, along in projections:
        p, v, line = of(shadow, vector, along)
        d.parallel(p, line)
        foot = d.line(v.ends[1], p.ends[1], dashed=True, width=1.5)
        d.perpendicular(foot, line)
    return d


def _arrows(
    d: Diagram, origin: Shape, vectors: Mapping[str, tuple[float, float] | None], unit: float
) -> dict[str, Shape]:
    """An arrow for each vector, to its coordinates where there are some."""
    arrows: dict[str, Shape] = {}
    for k, (name, value) in enumerate(vectors.items()):
        tip = d.point(at=None if value is None else (unit * value[0], unit * value[1]), seen=False)
        colour = d.style.colours[k % len(d.style.colours)]
        arrows[name] = d.arrow(origin, tip, name, colour=colour, width=3.0)
        if value is None:
            d.length(arrows[name], 1.2 * unit, 2.6 * unit)
    if len(arrows) > 1:
        d.repel(*(arrow.ends[1] for arrow in arrows.values()), weight=0.5)
    return arrows
