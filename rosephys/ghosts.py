"""The tracks of motions that were tried, faint behind the present one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rosephys.paint import Transform
from rosephys.palette import Floats, colour, pygame
from rosephys.picture import Track
from rosephys.stroke import stroke

PIECES = 96  # straight ones of a path
FIRST, LAST = 0.16, 0.42  # opacity of the first ghost and of the last
ENDS = (slice(None, -1), slice(1, None))  # the starts and the ends of a path's pieces


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
    """The ghosts of one colour, and where they lie: their strokes become the opacity."""
    fades = np.linspace(FIRST, LAST, len(ghosts))
    paths = [
        (_thinned(at.to_screen(track.point)), fade)
        for tracks, fade in zip(ghosts, fades, strict=True)
        for track in tracks
        if track.colour == shade
    ]
    starts, ends = (np.concatenate([path[piece] for path, _ in paths]) for piece in ENDS)
    alpha = np.concatenate([np.full(max(len(path) - 1, 0), fade) for path, fade in paths])
    mask = pygame.Surface(size, 0, 32)
    stroke(mask, starts, ends, 1.4 * at.unit, "white", alpha)
    image = pygame.Surface(size, pygame.SRCALPHA, 32)
    image.fill((*colour(shade), 0))
    pygame.surfarray.pixels_alpha(image)[:] = pygame.surfarray.pixels3d(mask)[:, :, 0]
    place = image.get_bounding_rect()
    return image.subsurface(place), place


def _thinned(path: Floats) -> Floats:
    """A path (n, 2) in fewer pieces, its last point among them."""
    path = path.reshape(-1, 2)
    every = np.linspace(0, len(path) - 1, min(len(path), PIECES + 1)).astype(int)
    return np.asarray(path[every])
