"""Colour maps: numbers to colours that everybody can tell apart.

A map runs through a few colours, interpolated in light (linear RGB). The lightness of a sequential map only
rises, away from the dark canvas; that of a diverging one rises from the middle to both ends, which are blue
and orange: pairs of colours that the common kinds of colour blindness keep apart. On the light canvas
all of them fall instead.
"""

from __future__ import annotations

from difflib import get_close_matches
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rosephys.drawing.palette import rgb, theme
from rosephys.errors import SceneError

COLOUR_MAPS = {
    "smoke": ("#10141b", "#3a4350", "#7d8794", "#c3c9d1", "#fbfaf5"),
    "heat": ("#0d1020", "#472a6b", "#a83a6a", "#ec7a4a", "#f9c35c", "#fdf6c9"),
    "water": ("#08131f", "#10375f", "#1d6fa5", "#52b0d9", "#b9e4f0", "#f6fcfd"),
    "waves": ("#bfe3ff", "#58b8f5", "#2a6fb0", "#131b28", "#a3552b", "#f29f4b", "#ffe2b8"),
}
LIGHT_MAPS = {
    "smoke": ("#fbfbf9", "#c9cdd3", "#8a929d", "#454c57", "#12161c"),
    "heat": ("#fdf8e7", "#f9cf73", "#ee8a45", "#bd4258", "#6d2a6e", "#241446"),
    "water": ("#f5fafc", "#bfe0f0", "#63aed6", "#20719f", "#0e3f66", "#06192b"),
    "waves": ("#0b3a66", "#2f7fc1", "#9cccee", "#f6f7f9", "#f6c48a", "#d97a23", "#7a3208"),
}
LEVELS = 256
GAMMA = 2.2


def colour_table(name: str) -> NDArray[np.uint8]:
    """The colours (256, 3) of a map in the theme in use, from its low end to its high one.

    Raises SceneError for an unknown one.
    """
    if name not in COLOUR_MAPS:
        close = get_close_matches(name, COLOUR_MAPS, 1, 0.5) or sorted(COLOUR_MAPS)
        raise SceneError(
            f"a picture asks for a colour map {name!r}, which is none; there is {', '.join(close)}"
        )
    return _interpolated((LIGHT_MAPS if theme() == "light" else COLOUR_MAPS)[name])


@lru_cache(maxsize=16)
def _interpolated(colours: tuple[str, ...]) -> NDArray[np.uint8]:
    """The colours (256, 3) of a map that goes through these."""
    stops = np.array([rgb(stop) for stop in colours]) / 255
    at = np.linspace(0, 1, LEVELS)
    places = np.linspace(0, 1, len(stops))
    light = [np.interp(at, places, stops[:, k] ** GAMMA) for k in range(3)]
    return np.asarray(np.rint(255 * np.stack(light, axis=1) ** (1 / GAMMA)), np.uint8)


def coloured(values: Any, name: str, low: float, high: float) -> NDArray[np.uint8]:
    """The colours (..., 3) of numbers (...): `low` and `high` are at the ends; what is no number is low."""
    with np.errstate(divide="ignore", invalid="ignore"):  # `low` may be `high`, or no number
        share = (np.nan_to_num(np.asarray(values, float), nan=low) - low) / (high - low)
    share = np.clip(np.nan_to_num(share, nan=0.0), 0, 1)
    level = np.minimum(share * LEVELS, LEVELS - 1).astype(np.intp)
    return np.asarray(colour_table(name)[level])
