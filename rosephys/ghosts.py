"""The tracks of motions that were tried, faint behind the present one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rosephys.paint import Transform
from rosephys.palette import FAR, Floats, colour, pygame
from rosephys.picture import Track

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
    mask = pygame.Surface(size, 0, 32)
    for tracks, fade in zip(ghosts, np.linspace(FIRST, LAST, len(ghosts)), strict=True):
        for path in (_seen(at.to_screen(track.point)) for track in tracks if track.colour == shade):
            if len(path) > 1:
                pygame.draw.aalines(mask, 3 * [round(255 * fade)], False, path.tolist())
    image = pygame.Surface(size, pygame.SRCALPHA, 32)
    image.fill((*colour(shade), 0))
    pygame.surfarray.pixels_alpha(image)[:] = pygame.surfarray.pixels3d(mask)[:, :, 0]
    place = image.get_bounding_rect()
    return image.subsurface(place), place


def _seen(path: Floats) -> Floats:
    """A path (n, 2) in at most PIECES pieces, without what is far away."""
    path = path.reshape(-1, 2)
    path = path[(np.abs(np.nan_to_num(path, nan=FAR)) < FAR).all(axis=1)]
    every = np.linspace(0, len(path) - 1, min(len(path), PIECES + 1)).astype(int)
    return np.asarray(path[every])
