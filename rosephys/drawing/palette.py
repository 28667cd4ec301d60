"""The colours of everything that is drawn."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from difflib import get_close_matches
from functools import lru_cache
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from rosephys.errors import SceneError
from rosephys.sdl import pygame

Floats: TypeAlias = NDArray[np.float64]

DARK = {
    "window": "#0e1116",
    "canvas": "#141921",
    "panel": "#161b23",
    "line": "#29313d",
    "text": "#eef1f6",
    "dim": "#98a2b2",
    "faint": "#818c9d",
    "accent": "#f2b84b",
    "curve": "#6db3f2",
    "good": "#7fd6a1",
    "bad": "#f2777a",
    "low": "#ff6b57",
    "high": "#58b8f5",
    "skin": "#222c39",
    "bone": "#5d6b7e",
    "earth": "#1e252e",
    "solid": "#2f4158",
    "first": "#f2b84b",
    "second": "#e88fc0",
    "third": "#7cc7e8",
    "shade": "#00110c",
    "ink": "#16181c",
    "felt": "#1c7a5e",
    "felt edge": "#0f4f3f",
    "cushion": "#0f5f49",
    "wood": "#5b3622",
    "wood edge": "#2c1910",
    "sight": "#e9dcc0",
    "ivory": "#f6f2e7",
}
LIGHT = DARK | {
    "window": "#eceff3",
    "canvas": "#f7f8fa",
    "panel": "#ffffff",
    "line": "#d2d9e2",
    "text": "#1b222c",
    "dim": "#4c5766",
    "faint": "#5e6978",
    "accent": "#9a5b00",
    "curve": "#1c6fb8",
    "good": "#17754a",
    "bad": "#c02f36",
    "low": "#d8422c",
    "high": "#1f7fc4",
    "skin": "#cfd8e3",
    "bone": "#7c899a",
    "earth": "#d9dfe6",
    "solid": "#b4c4d8",
    "shade": "#a9b1bc",
    "first": "#9a5b00",
    "second": "#ab2f78",
    "third": "#12708f",
}
THEMES = {"dark": DARK, "light": LIGHT}
PALETTE = dict(DARK)  # the colours of the theme in use

FAR = 1e4  # pixels; what lies farther out is not drawn, so that numbers stay in int range


def theme() -> str:
    """The theme in use."""
    return next(name for name, shades in THEMES.items() if shades == PALETTE)


def use_theme(name: str) -> None:
    """Draw in the colours of one of `THEMES` from now on."""
    PALETTE.update(THEMES[name])


@contextmanager
def themed(name: str) -> Iterator[None]:
    """Within this `with`, draw in the colours of this theme."""
    before = theme()
    use_theme(name)
    try:
        yield
    finally:
        use_theme(before)


def colour(name: str) -> tuple[int, int, int]:
    """The red, green and blue of a palette name, a common colour name or "#rrggbb".

    Raises SceneError, with near names, for a name that is none of these.
    """
    return _parsed(PALETTE.get(name, name))


@lru_cache(maxsize=512)
def _parsed(name: str) -> tuple[int, int, int]:
    try:
        shade = pygame.Color(name)
    except ValueError:
        close = get_close_matches(name, [*PALETTE, *pygame.color.THECOLORS], 3, 0.5)
        near = f"; did you mean {' or '.join(close)}?" if close else ""
        raise SceneError(f"a picture asks for a colour {name!r}, which is none{near}") from None
    return shade.r, shade.g, shade.b


def blend(start: str, end: str, share: float) -> str:
    """The colour that lies that share of the way from one to another, as "#rrggbb"."""
    mixed = rgb(start) + share * (rgb(end) - rgb(start))
    return "#" + "".join(f"{round(float(part)):02x}" for part in mixed)


def rgb(name: str) -> NDArray[np.float32]:
    """The same as (3,) numbers in 0 .. 255."""
    return np.array(colour(name), np.float32)
