"""The names of colours: what a picture may say, and what each name is in either theme."""

from __future__ import annotations

import re
from difflib import get_close_matches

from rosephys.errors import SceneError

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


def is_colour(name: str) -> bool:
    """Whether it is a name of the palette, "#rrggbb", or one of the common names, which pygame has.

    Pygame is loaded only for a name that may be common; without it, it is taken for one.
    """
    if name in DARK or re.fullmatch("#[0-9a-fA-F]{6}", name):
        return True
    try:
        from rosephys.sdl import pygame

        pygame.Color(name)
    except ValueError:
        return False
    except SceneError:
        pass  # what draws it will say so
    return True


def near_colours(name: str) -> str:
    """What may have been meant by a name that is no colour, to end an error with."""
    from rosephys.sdl import pygame

    close = get_close_matches(name, [*DARK, *pygame.color.THECOLORS], 3)
    return f"; did you mean {' or '.join(close)}?" if close else f"; there are {', '.join(DARK)}"
