"""Draws what a picture may be made of: every shape, and every colour of the palette, in both themes.

python docs/examples/shapes.py docs      writes shapes.png and colours.png there
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from rosephys import (
    Arrow,
    Circles,
    Cross,
    Ellipses,
    Fluid,
    Image,
    Lines,
    Picture,
    Polygon,
    Polygons,
    Polyline,
    Text,
)
from rosephys.drawing.paint import backdrop, paint_shapes
from rosephys.drawing.palette import themed
from rosephys.drawing.pixels import pixels
from rosephys.files.png import write_png
from rosephys.scene.colours import DARK, THEMES
from rosephys.sdl import pygame

COLUMNS = 5  # shapes, or colours, in a row


def shapes() -> Picture:
    """Every shape, in a square of side 1 each, above its name."""
    square = np.array([(0.2, 0.2), (0.8, 0.3), (0.7, 0.8), (0.3, 0.7)])
    bend = np.linspace(0, 1, 40)[:, None] * (0.7, 0.0) + (0.15, 0.5)
    bend[:, 1] += 0.25 * np.sin(np.linspace(0, 7, 40))
    faces = np.array([square * 0.5 + (0.05 + 0.2 * k, 0.05 + 0.2 * k) for k in range(3)])
    made = {
        "Circles, ball": Circles([(0.3, 0.5), (0.7, 0.5)], 0.18, ("first", "second"), ("8", "")),
        "Circles, disc": Circles([(0.3, 0.5), (0.7, 0.5)], 0.16, ("first", "third"), (), "disc"),
        "Circles, ring": Circles([(0.3, 0.5), (0.7, 0.5)], 0.16, ("first", "third"), (), "ring"),
        "Ellipses": Ellipses(
            [(0.4, 0.45), (0.6, 0.55)], [(0.25, 0.15), (0.15, 0.25)], "third", "accent", 2.0, 0.4
        ),
        "Lines": Lines(
            [(0.15, y) for y in (0.3, 0.5, 0.7)],
            [(0.85, y) for y in (0.3, 0.5, 0.7)],
            "bone",
            4.0,
            (-1.0, 0.0, 1.0),
        ),
        "Polyline": Polyline(bend, "curve", 3.0),
        "dashed": Polyline(bend, "curve", 3.0, dashed=True),
        "Polygon": Polygon(square, "solid", "accent", 2.0),
        "Polygons": Polygons(faces, (-0.8, 0.0, 0.8), "solid"),
        "Arrow": Arrow((0.2, 0.3), (0.6, 0.4), "accent", 4.0),
        "Cross": Cross((0.5, 0.5), "good", 14.0),
        "Text": Text((0.5, 0.5), "words", "text", 26.0),
        "Fluid": Fluid(pool(), 0.02, ("third",), (0.15, 0.2, 0.85, 1.0)),
        "Image, smoke": Image(field(), (0.15, 0.2, 0.85, 0.8), "smoke", -1.0, 1.0),
        "Image, heat": Image(field(), (0.15, 0.2, 0.85, 0.8), "heat", -1.0, 1.0),
        "Image, water": Image(field(), (0.15, 0.2, 0.85, 0.8), "water", -1.0, 1.0),
        "Image, waves": Image(field(), (0.15, 0.2, 0.85, 0.8), "waves", -1.0, 1.0),
    }
    return sheet(list(made), list(made.values()))


def pool() -> np.ndarray:
    """Points of water below a wave, and a drop above it."""
    points = np.stack(np.meshgrid(np.arange(0.17, 0.85, 0.04), np.arange(0.22, 0.7, 0.04)), -1)
    points = points.reshape(-1, 2)
    wave = points[points[:, 1] < 0.5 + 0.12 * np.sin(9 * points[:, 0])]
    return np.concatenate([wave, [(0.68, 0.72), (0.7, 0.75), (0.72, 0.72)]])


def field() -> np.ndarray:
    """A hill and a hollow."""
    x, y = np.meshgrid(np.linspace(-2, 2, 60), np.linspace(-2, 2, 60), indexing="ij")
    return np.asarray(2 * x * np.exp(-(x**2) - y**2) / 0.86)


def colours() -> Picture:
    """Every name of the palette, below its colour."""
    corners = np.array([(0.1, 0.35), (0.9, 0.35), (0.9, 0.85), (0.1, 0.85)])
    return sheet(list(DARK), [Polygon(corners, name, "line") for name in DARK])


def sheet(names: list[str], made: list) -> Picture:
    """Shapes in rows, each with its name below."""
    placed = []
    for k, (name, shape) in enumerate(zip(names, made, strict=True)):
        corner = np.array([k % COLUMNS, -(k // COLUMNS)], float)
        placed += [moved(shape, corner), Text(corner + np.array([0.5, 0.1]), name, "dim", 17.0)]
    rows = -(-len(made) // COLUMNS)
    return Picture(tuple(placed), (0.0, 1.0 - rows, float(COLUMNS), 1.0))


def moved(shape: object, by: np.ndarray) -> object:
    """The shape somewhere else."""
    places = {"centres", "starts", "ends", "points", "position", "start"}
    parts = dict(vars(shape))
    for name in places & parts.keys():
        parts[name] = np.asarray(parts[name], float) + by
    for name in {"box", "walls"} & parts.keys():
        parts[name] = tuple(np.asarray(parts[name]) + np.tile(by, 2))
    return type(shape)(**parts)


def drawn(picture: Picture, side: int = 150) -> np.ndarray:
    """The picture in the dark theme, and beside it in the light one."""
    x0, y0, x1, y1 = picture.view
    size = (round((x1 - x0) * side), round((y1 - y0) * side))
    images = []
    for name in THEMES:
        with themed(name):
            surface = pygame.Surface(size, 0, 32)
            paint_shapes(surface, picture, backdrop(surface, picture, surface.get_rect(), 0.8))
            images.append(pixels(surface))
    return np.concatenate(images, axis=1)


def main(folder: Path) -> None:
    """Write both pictures."""
    write_png(folder / "shapes.png", drawn(shapes()))
    write_png(folder / "colours.png", drawn(colours(), 110))


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "."))
