"""The colours of everything that is drawn."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from rosephys.errors import SceneError
from rosephys.scene.colours import DARK as DARK
from rosephys.scene.colours import LIGHT as LIGHT
from rosephys.scene.colours import THEMES as THEMES
from rosephys.scene.colours import near_colours
from rosephys.sdl import pygame

Floats: TypeAlias = NDArray[np.float64]

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
        raise SceneError(
            f"a picture asks for a colour {name!r}, which is none{near_colours(name)}"
        ) from None
    return shade.r, shade.g, shade.b


def blend(start: str, end: str, share: float) -> str:
    """The colour that lies that share of the way from one to another, as "#rrggbb"."""
    mixed = rgb(start) + share * (rgb(end) - rgb(start))
    return "#" + "".join(f"{round(float(part)):02x}" for part in mixed)


def rgb(name: str) -> NDArray[np.float32]:
    """The same as (3,) numbers in 0 .. 255."""
    return np.array(colour(name), np.float32)
