"""The colours and the type of everything that is drawn.

This is the lowest layer of the painters: they get pygame from here, so that neither its
greeting nor its warnings reach a person.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from difflib import get_close_matches
from functools import lru_cache
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from rosephys.scene.scene import SceneError

os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")
with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # pygame may import a part of setuptools that complains
    import pygame as pygame  # re-exported to the modules above

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
LEGIBLE = 9.0  # pixels; smaller letters cannot be read
FACES = {
    "plain": "inter,segoeui,helveticaneue,roboto,notosans,opensans,dejavusans,liberationsans",
    "code": "menlo,consolas,notosansmono,dejavusansmono,liberationmono,couriernew",
}


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


@lru_cache(maxsize=4)
def _file_of(faces: str) -> str | None:
    """The file of the first of these fonts that this machine has."""
    try:
        return pygame.font.match_font(faces)
    except (OSError, pygame.error):
        return None


@lru_cache(maxsize=128)
def typeface(size: float, face: str = "plain") -> pygame.font.Font:
    """A font for letters `size` pixels high: "plain" and "code" are found on this machine.

    "bold" comes with pygame, and so is the same everywhere; it stands in for a missing one.
    """
    if not pygame.font.get_init():
        pygame.font.init()
    file = _file_of(FACES[face]) if face in FACES else None
    # For the same size pygame's own font is drawn a fifth smaller than others.
    return pygame.font.Font(file, max(round(size if file else 1.2 * size), 6))


@lru_cache(maxsize=512)
def _written(text: str, size: float, shade: tuple[int, int, int], face: str) -> pygame.Surface:
    """Text drawn large and brought down: small letters keep their shapes and distances."""
    large = typeface(3 * size, face).render(text, True, shade)
    return pygame.transform.smoothscale_by(large, 1 / 3)


def text_width(text: str, size: float, face: str = "plain") -> float:
    """How many pixels wide `words` would write it."""
    return typeface(3 * size, face).size(text)[0] / 3


def words(
    surface: pygame.Surface,
    text: str,
    place: tuple[float, float],
    size: float,
    shade: str = "text",
    face: str = "plain",
    align: str = "topleft",
) -> pygame.Rect:
    """Write `text` with the corner or edge of its box named `align` at `place`."""
    image = _written(text, max(round(size * 4) / 4, LEGIBLE), colour(shade), face)
    box = image.get_rect()
    setattr(box, align, (round(place[0]), round(place[1])))
    surface.blit(image, box)
    return box
