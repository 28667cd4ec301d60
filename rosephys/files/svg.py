"""Writes pictures as Scalable Vector Graphics, which browsers, editors and printers take.

Source: Scalable Vector Graphics (SVG) 1.1, W3C, second edition, 2011.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape, quoteattr

import numpy as np

from rosephys.errors import SceneError
from rosephys.files.atomic import replacing
from rosephys.scene import picture as p
from rosephys.scene.colours import THEMES
from rosephys.scene.letters import extent

FONT = "Helvetica, Arial, 'Liberation Sans', FreeSans, sans-serif"
MIDDLE = 0.35  # of a letter's size, from the feet of letters to their middle
HEAD = 4.2  # widths of an arrow's line that its head is long


@dataclass(frozen=True)
class Page:
    """Where the world lies on a page: `scale` pixels to its unit, its origin at a pixel; colours by name."""

    scale: float
    left: float
    top: float
    unit: float
    palette: dict[str, str]

    def at(self, points: Any) -> np.ndarray[Any, Any]:
        """World points (..., 2) as pixels."""
        return np.asarray(points, float) * (self.scale, -self.scale) + (self.left, self.top)

    def colour(self, name: str) -> str:
        """A colour as SVG has it."""
        return self.palette.get(name, name) or "none"


def write_svg(
    path: str | Path, picture: p.Picture, size: tuple[float, float], theme: str = "light"
) -> None:
    """Write a picture, so many pixels wide and high, whole or not at all. Raises OSError where it cannot be
    written, SceneError as `svg` does."""
    text = svg(picture, size, theme)
    try:
        with replacing(path) as beside:
            beside.write_text(text, encoding="utf-8")
    except OSError as error:
        raise OSError(f"{path} cannot be written: {error.strerror or error}") from None


def svg(picture: p.Picture, size: tuple[float, float], theme: str = "light") -> str:
    """The text that `write_svg` writes. Raises SceneError for a theme that there is not."""
    if theme not in THEMES:
        raise SceneError(f"there is no theme {theme!r}; there are {', '.join(THEMES)}")
    x0, y0, x1, y1 = (float(x) for x in picture.view)
    wide, high = size
    scale = min(wide / (x1 - x0), high / (y1 - y0))
    left, top = wide / 2 - scale * (x0 + x1) / 2, high / 2 + scale * (y0 + y1) / 2
    page = Page(scale, left, top, min(wide / 600, high / 400), dict(THEMES[theme]))
    inner = "\n".join(
        line for shape in picture.shapes for line in _WRITERS[type(shape)](shape, page)
    )
    ground = page.colour("felt" if picture.background.startswith("felt") else picture.background)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{wide:g}" height="{high:g}"'
        f' viewBox="0 0 {wide:g} {high:g}" font-family="{FONT}" font-weight="700">\n'
        f'<rect width="100%" height="100%" fill="{ground}"/>\n{inner}\n</svg>\n'
    )


def _n(number: Any) -> str:
    return f"{float(number):.3f}".rstrip("0").rstrip(".")


def _tag(kind: str, **given: Any) -> str:
    written = (
        f" {name.replace('_', '-')}={quoteattr(x if isinstance(x, str) else _n(x))}"
        for name, x in given.items()
    )
    return f"<{kind}{''.join(written)}/>"


def _path(points: Any) -> str:
    return " ".join(f"{_n(x)},{_n(y)}" for x, y in points)


def _stroke(page: Page, colour: str, width: float) -> dict[str, Any]:
    return {
        "stroke": page.colour(colour),
        "stroke_width": width * page.unit,
        "stroke_linecap": "round",
        "stroke_linejoin": "round",
    }


def _circles(shape: p.Circles, page: Page) -> Iterator[str]:
    centres = page.at(shape.centres).reshape(-1, 2)
    radii = np.broadcast_to(np.asarray(shape.radii, float) * page.scale, len(centres))
    labels = shape.labels or ("",) * len(centres)
    for (x, y), r, colour, label in zip(centres, radii, cycle(shape.colours), labels, strict=False):
        if shape.style == "ring":
            yield _tag("circle", cx=x, cy=y, r=r, fill="none", **_stroke(page, colour, 2.0))
        else:
            yield _tag("circle", cx=x, cy=y, r=r, fill=page.colour(colour))
        if label:
            yield _word(label, x, y, 0.7 * r, page.colour("ink"))


def _ellipses(shape: p.Ellipses, page: Page) -> Iterator[str]:
    edge = _stroke(page, shape.outline, shape.width) if shape.outline else {}
    fill = {
        "fill": page.colour(shape.colour),
        "fill_opacity": shape.opacity if shape.colour else 0.0,
    }
    for (x, y), (a, b) in zip(
        page.at(shape.centres).reshape(-1, 2),
        page.scale * np.asarray(shape.radii, float).reshape(-1, 2),
        strict=True,
    ):
        if abs(a - b) < 5e-4:
            yield _tag("circle", cx=x, cy=y, r=a, **fill, **edge)
        else:
            yield _tag("ellipse", cx=x, cy=y, rx=a, ry=b, **fill, **edge)


def _fluid(shape: p.Fluid, page: Page) -> Iterator[str]:
    radius = 1.3 * float(shape.radius) * page.scale  # so that neighbours leave no gap
    for (x, y), colour in zip(
        page.at(shape.points).reshape(-1, 2), cycle(shape.colours), strict=False
    ):
        yield _tag("circle", cx=x, cy=y, r=radius, fill=page.colour(colour))


def _lines(shape: p.Lines, page: Page) -> Iterator[str]:
    starts, ends = (page.at(side).reshape(-1, 2) for side in (shape.starts, shape.ends))
    levels = np.asarray(shape.levels, float)
    for k, ((x1, y1), (x2, y2)) in enumerate(zip(starts, ends, strict=True)):
        colour = _shade(shape, levels[k], page) if levels.size else shape.colour
        yield _tag("line", x1=x1, y1=y1, x2=x2, y2=y2, **_stroke(page, colour, shape.width))


def _polyline(shape: p.Polyline, page: Page) -> Iterator[str]:
    w = shape.width * page.unit
    dashes = {"stroke_dasharray": f"{_n(4 * w)} {_n(4 * w)}"} if shape.dashed else {}
    line = _stroke(page, shape.colour, shape.width)
    yield _tag("polyline", points=_path(page.at(shape.points)), fill="none", **line, **dashes)


def _polygon(shape: p.Polygon, page: Page) -> Iterator[str]:
    edge = _stroke(page, shape.outline, shape.width) if shape.outline else {}
    points, fill = _path(page.at(shape.points)), page.colour(shape.colour)
    yield _tag("polygon", points=points, fill=fill, fill_opacity=shape.opacity, **edge)


def _polygons(shape: p.Polygons, page: Page) -> Iterator[str]:
    for points, level in zip(page.at(shape.points), np.asarray(shape.levels, float), strict=True):
        colour = _shade(shape, level, page)
        yield _tag("polygon", points=_path(points), fill=colour, stroke=colour, stroke_width=0.5)


def _arrow(shape: p.Arrow, page: Page) -> Iterator[str]:
    start = np.asarray(shape.start, float)
    start, end = page.at(start), page.at(start + np.asarray(shape.vector, float))
    length = float(np.hypot(*(end - start)))
    if not length >= 1e-3:
        return
    ahead = (end - start) / length
    head = min(HEAD * shape.width * page.unit, length)
    neck, wing = end - head * ahead, 0.45 * head * np.array([-ahead[1], ahead[0]])
    (x1, y1), (x2, y2) = start, neck
    yield _tag("line", x1=x1, y1=y1, x2=x2, y2=y2, **_stroke(page, shape.colour, shape.width))
    tip = _path([end, neck + wing, neck - wing])
    yield _tag("polygon", points=tip, fill=page.colour(shape.colour))


def _cross(shape: p.Cross, page: Page) -> Iterator[str]:
    (x, y), size = page.at(shape.position), shape.size * page.unit
    arm = 0.62 * size / 2**0.5
    for s in (-1, 1):
        ends = {"x1": x - arm, "y1": y - s * arm, "x2": x + arm, "y2": y + s * arm}
        yield _tag("line", **ends, **_stroke(page, shape.colour, 2.4))
    yield _tag("circle", cx=x, cy=y, r=1.35 * size, fill="none", **_stroke(page, shape.colour, 1.8))


def _text(shape: p.Text, page: Page) -> Iterator[str]:
    x, y = page.at(shape.position)
    size = shape.size * (page.scale if shape.scaled else page.unit)
    yield _word(shape.text, x, y, size, page.colour(shape.colour))


def _word(text: str, x: float, y: float, size: float, colour: str) -> str:
    given = {
        "x": x,
        "y": y + MIDDLE * size,
        "font_size": size,
        "text_anchor": "middle",
        "fill": colour,
    }
    # whatever face is there, as wide as it was thought to be
    given |= {"textLength": extent(text, size)[0], "lengthAdjust": "spacingAndGlyphs"}
    return _tag("text", **given).removesuffix("/>") + f">{escape(text)}</text>"


def _image(shape: p.Image, page: Page) -> Iterator[str]:
    from rosephys.drawing.colourmap import coloured
    from rosephys.files.png import png

    x0, y0, x1, y1 = (float(x) for x in np.asarray(shape.box, float))
    (left, top), (right, bottom) = page.at(((x0, y1), (x1, y0)))
    cells = coloured(shape.values, shape.colours, shape.low, shape.high)[:, ::-1]
    data = base64.b64encode(png(np.ascontiguousarray(np.swapaxes(cells, 0, 1), np.uint8))).decode()
    box = {"x": left, "y": top, "width": right - left, "height": bottom - top}
    yield _tag("image", **box, preserveAspectRatio="none", href=f"data:image/png;base64,{data}")


def _shade(shape: p.Lines | p.Polygons, level: float, page: Page) -> str:
    """The colour of what lies at a level between low and high."""
    share = min(abs(float(level)), 1.0)
    one, other = (page.colour(c) for c in (shape.colour, shape.high if level > 0 else shape.low))
    if not (one.startswith("#") and other.startswith("#")):
        return other if share > 0.5 else one
    parts = ((int(c[k : k + 2], 16) for c in (one, other)) for k in (1, 3, 5))
    return "#" + "".join(f"{round(a + share * (b - a)):02x}" for a, b in parts)


_WRITERS: dict[type, Callable[..., Iterator[str]]] = {
    p.Circles: _circles,
    p.Ellipses: _ellipses,
    p.Fluid: _fluid,
    p.Lines: _lines,
    p.Polyline: _polyline,
    p.Polygon: _polygon,
    p.Polygons: _polygons,
    p.Arrow: _arrow,
    p.Cross: _cross,
    p.Text: _text,
    p.Image: _image,
}
