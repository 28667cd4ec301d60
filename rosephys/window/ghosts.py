"""The tracks of motions that were tried, faint behind the present one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rosephys.drawing.paint import Transform
from rosephys.drawing.palette import FAR, Floats, colour
from rosephys.scene.picture import Track
from rosephys.sdl import pygame

PIECES = 160  # straight ones of a path
FIRST, LAST = 0.22, 0.55  # opacity of the first ghost and of the last


class Ghosts:
    """Ghosts as they were last drawn: a layer for each colour, since they seldom change."""

    def __init__(self) -> None:
        self._layers: list[tuple[pygame.Surface, pygame.Rect]] = []
        self._ghosts: list[Sequence[Track]] = []
        self._shown: tuple[object, ...] = ()

    def draw(
        self, surface: pygame.Surface, ghosts: Sequence[Sequence[Track]], at: Transform
    ) -> None:
        """Draw the tracks of motions, of which a later one is easier to see."""
        shades = sorted({track.colour for tracks in ghosts for track in tracks})
        now = (tuple(map(id, ghosts)), at, surface.get_size(), tuple(map(colour, shades)))
        if now != self._shown:
            self._layers = [_layer(surface.get_size(), ghosts, at, shade) for shade in shades]
            self._ghosts, self._shown = list(ghosts), now  # which are kept, so that ids last
        for image, place in self._layers:
            surface.blit(image, place)


def _layer(
    size: tuple[int, int], ghosts: Sequence[Sequence[Track]], at: Transform, shade: str
) -> tuple[pygame.Surface, pygame.Rect]:
    """The ghosts of one colour, and where they lie: grey lines become the opacity."""
    paths = [
        (_seen(at.to_screen(track.point)), fade)
        for tracks, fade in zip(ghosts, np.linspace(FIRST, LAST, len(ghosts)), strict=True)
        for track in tracks
        if track.colour == shade
    ]
    place = _around([path for path, _ in paths]).clip(pygame.Rect((0, 0), size))
    mask = pygame.Surface(place.size, 0, 32)
    for path, fade in paths:
        if len(path) > 1:
            points = (path - place.topleft).tolist()
            pygame.draw.aalines(mask, 3 * [round(255 * fade)], False, points)
    image = pygame.Surface(place.size, pygame.SRCALPHA, 32)
    image.fill((*colour(shade), 0))
    pygame.surfarray.pixels_alpha(image)[:] = pygame.surfarray.pixels3d(mask)[:, :, 0]
    return image, place


def _around(paths: Sequence[Floats]) -> pygame.Rect:
    """The pixels that paths, each (n, 2), may touch."""
    points = np.concatenate([*paths, np.zeros((0, 2))])
    if not len(points):
        return pygame.Rect(0, 0, 0, 0)
    low, high = np.floor(points.min(axis=0)) - 1, np.ceil(points.max(axis=0)) + 2
    return pygame.Rect(low.astype(int).tolist(), (high - low).astype(int).tolist())


def _seen(path: Floats) -> Floats:
    """A path (n, 2) in at most PIECES pieces, without what is far away."""
    path = path.reshape(-1, 2)
    path = path[(np.abs(np.nan_to_num(path, nan=FAR)) < FAR).all(axis=1)]
    every = np.linspace(0, len(path) - 1, min(len(path), PIECES + 1)).astype(int)
    return np.asarray(path[every])
