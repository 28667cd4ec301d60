"""Whether a picture, its shapes and tracks can be drawn: what came in each field against the field's type."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from functools import cache
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

import numpy as np

import rose_ad as ra

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
            return f"{kind.__name__}.{name} {wrong}"
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
        return repr(x) if plain else f"numbers of shape {shape}" if shape else "a number"
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
    if not is_leaf(x) or kind_of(x) not in {"b", "i", "f"}:
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
            return "" if value in empty else _wrong_colours(value, inner is not str)
    if get_origin(wanted) is Literal:
        known = get_args(wanted)
        if value in known:
            return ""
        return f"is {told(value)}; wanted one of {', '.join(known)}{near(str(value), known)}"
    if get_origin(wanted) is tuple:  # of words
        ok = isinstance(value, (tuple, list)) and all(isinstance(word, str) for word in value)
        return "" if ok else f"is {told(value)}; wanted a tuple of words: (word,) for one"
    if wanted is float:
        fixed = isinstance(value, (int, float, np.number)) and 0 <= float(value) < 1e6
        return "" if fixed else f"is {told(value)}; wanted a number of pixels that is fixed"
    if wanted is bool:
        ok = isinstance(value, (bool, np.bool_))
        return "" if ok else f"is {told(value)}; wanted True or False"
    ok = isinstance(value, str)
    return "" if ok else f"is {told(value)}; wanted a word that is fixed, in quotes"


def _wrong_numbers(value: Any, marker: Shaped, lengths: dict[str, int]) -> str:
    shape = shape_of(value)
    if shape is None:
        return f"is {told(value)}; wanted {_shapes(marker, lengths)}"
    for wanted in marker.shapes:
        if len(wanted) == len(shape) and all(
            lengths.get(str(w), n) == n if isinstance(w, str) else w == n
            for w, n in zip(wanted, shape, strict=True)
        ):
            lengths |= {w: n for w, n in zip(wanted, shape, strict=True) if isinstance(w, str)}
            return ""
    return f"has shape {shape}; wanted {_shapes(marker, lengths)}"


def _shapes(marker: Shaped, lengths: Mapping[str, int]) -> str:
    def words(shape: tuple[int | str, ...]) -> Iterator[str]:
        for w in shape:
            yield f"{w} = {lengths[w]}" if isinstance(w, str) and w in lengths else str(w)

    names = [
        f"({', '.join(words(s))}{',' * (len(s) == 1)})" if s else "a number" for s in marker.shapes
    ]
    return "shape " * names[0].startswith("(") + " or ".join(names)


def _wrong_colours(value: Any, several: bool) -> str:
    if several and not isinstance(value, (tuple, list)):
        return f"is {told(value)}; wanted a tuple of colours: (colour,) for one"
    if several and not value:
        return "is empty; wanted a tuple of colours: (colour,) for one"
    for k, name in enumerate(value if several else [value]):
        at = f"[{k}]" if several else ""
        if not isinstance(name, str):
            return f'{at} is {told(name)}; wanted a colour: a name or "#rrggbb"'.lstrip()
        if not is_colour(name):
            return f"{at} is {name!r}, which is no colour{near_colours(name)}".lstrip()
    return ""
