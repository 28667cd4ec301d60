"""Whether a picture, its shapes and tracks can be drawn: what came in each field against the field's type."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from functools import cache
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

import numpy as np

import rose_ad as ra

from ..given import shape_of, told
from .colours import is_colour, near_colours
from .fields import near
from .picture import COLOUR, Image, Picture, Shape, Shaped

SHAPES: tuple[type, ...] = get_args(Shape)


def wrong_picture(picture: Any) -> str:
    """What is wrong with a picture; "" for one that can be drawn."""
    if not isinstance(picture, Picture):
        return f"returned {told(picture)}; wanted a Picture((shape, ...), (xmin, ymin, xmax, ymax))"
    if not isinstance(picture.shapes, (tuple, list)):
        return (
            f"Picture.shapes is {told(picture.shapes)}; wanted a tuple of shapes: (shape,) for one"
        )
    for k, shape in enumerate(picture.shapes):
        if not isinstance(shape, SHAPES):
            names = ", ".join(kind.__name__ for kind in SHAPES)
            return f"Picture.shapes[{k}] is {told(shape)}; wanted one of {names}"
        wrong = wrong_shape(shape)
        if wrong:
            return f"{wrong}, in Picture.shapes[{k}]"
    return wrong_shape(picture, leave=("shapes",)) or wrong_box("Picture.view", picture.view)


def wrong_shape(shape: Any, leave: Sequence[str] = ()) -> str:
    """What is wrong with a shape or a track: the first field that is not what its type says; "" if none is."""
    lengths: dict[str, int] = {}
    kind: Any = type(shape)
    for name, wanted in _types(kind).items():
        wrong = "" if name in leave else _wrong(getattr(shape, name), wanted, lengths)
        if wrong:
            return f"{kind.__name__}.{name}{wrong}"
    if isinstance(shape, Image):
        return wrong_box("Image.box", shape.box)
    return ""


def wrong_box(name: str, box: Any) -> str:
    """What is wrong with (xmin, ymin, xmax, ymax), as far as its numbers are known."""
    try:
        x0, y0, x1, y1 = (float(x) for x in box)
    except (ra.RoseError, TypeError):  # traced: they are known when it is drawn
        return ""
    if not np.isfinite([x0, y0, x1, y1]).all() or x0 >= x1 or y0 >= y1:
        return f"{name} is {told(tuple(box))}; wanted (xmin, ymin, xmax, ymax), the least first"
    return ""


# ----------------------------------------------------------------------------------- field by field


@cache
def _types(kind: Any) -> Mapping[str, Any]:
    hints = get_type_hints(kind, include_extras=True)
    return {f.name: hints[f.name] for f in fields(kind)}


def _wrong(value: Any, wanted: Any, lengths: dict[str, int]) -> str:
    if get_origin(wanted) is Annotated:
        inner, marker, *empty = get_args(wanted)
        if isinstance(marker, Shaped):
            return _wrong_numbers(value, marker, lengths)
        if marker == COLOUR:
            return (
                ""
                if isinstance(value, str) and value in empty
                else _wrong_colours(value, inner is not str)
            )
    if get_origin(wanted) is Literal:
        known = get_args(wanted)
        if isinstance(value, str) and value in known:
            return ""
        return f" is {told(value)}; wanted one of {', '.join(known)}{near(str(value), known)}"
    if get_origin(wanted) is tuple:  # of words
        ok = isinstance(value, (tuple, list)) and all(isinstance(word, str) for word in value)
        if ok and len(value) not in (0, lengths.get("n", len(value))):
            return f" has {len(value)} of them; wanted one for each, {lengths['n']}, or none"
        return "" if ok else f" is {told(value)}; wanted a tuple of words: (word,) for one"
    if wanted is float:
        fixed = isinstance(value, (int, float, np.number)) and 0 < float(value) < 1e6
        return (
            "" if fixed else f" is {told(value)}; wanted a number of pixels above 0 that is fixed"
        )
    if wanted is bool:
        ok = isinstance(value, (bool, np.bool_))
        return "" if ok else f" is {told(value)}; wanted True or False"
    ok = isinstance(value, str)
    return "" if ok else f" is {told(value)}; wanted a word that is fixed, in quotes"


def _wrong_numbers(value: Any, marker: Shaped, lengths: dict[str, int]) -> str:
    shape = shape_of(value)
    if shape is None:
        return f" is {told(value)}; wanted {_shapes(marker, lengths)}"
    few = len(shape) > 1 and shape[-2] < marker.least
    for wanted in marker.shapes:
        if not few and _fits(shape, wanted, lengths):
            lengths |= {w: n for w, n in zip(wanted, shape, strict=True) if isinstance(w, str)}
            return ""
    return f" has shape {shape}; wanted {_shapes(marker, lengths)}"


def _fits(
    shape: tuple[int, ...], wanted: tuple[int | str, ...], lengths: Mapping[str, int]
) -> bool:
    """Whether a shape is the wanted one, whose letters have these lengths as far as they are known."""
    if len(shape) != len(wanted):
        return False
    pairs = zip(shape, wanted, strict=True)
    return all(n == (lengths.get(w, n) if isinstance(w, str) else w) for n, w in pairs)


def _shapes(marker: Shaped, lengths: Mapping[str, int]) -> str:
    def words(shape: tuple[int | str, ...]) -> Iterator[str]:
        for w in shape:
            yield f"{w} = {lengths[w]}" if isinstance(w, str) and w in lengths else str(w)

    names = [
        f"({', '.join(words(s))}{',' * (len(s) == 1)})" if s else "a number" for s in marker.shapes
    ]
    least = f" with {marker.least} points or more" if marker.least else ""
    return "shape " * names[0].startswith("(") + " or ".join(names) + least


def _wrong_colours(value: Any, several: bool) -> str:
    if several and not isinstance(value, (tuple, list)):
        return f" is {told(value)}; wanted a tuple of colours: (colour,) for one"
    if several and not value:
        return " is empty; wanted a tuple of colours: (colour,) for one"
    for k, name in enumerate(value if several else [value]):
        at = f"[{k}]" if several else ""
        if not isinstance(name, str):
            return f'{at} is {told(name)}; wanted a colour: a name or "#rrggbb"'
        if not is_colour(name):
            return f"{at} is {name!r}, which is no colour{near_colours(name)}"
    return ""
