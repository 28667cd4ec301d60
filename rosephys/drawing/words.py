"""Words: their faces, how wide they are, and how they are written."""

from __future__ import annotations

from functools import lru_cache
from textwrap import wrap

from rosephys.drawing.palette import colour
from rosephys.sdl import pygame

LEGIBLE = 9.0  # pixels; smaller letters cannot be read
BOLD_SIZE = 0.825  # of the size that is asked for, the size of a letter in "bold" as other programs count it
FACES = {
    "plain": "inter,segoeui,helveticaneue,roboto,notosans,opensans,dejavusans,liberationsans",
    "code": "menlo,consolas,notosansmono,dejavusansmono,liberationmono,couriernew",
}


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
    least: float = LEGIBLE,
) -> pygame.Rect:
    """Write `text` with the corner or edge of its box named `align` at `place`, of the size `least` or
    larger."""
    image = _written(text, max(round(size * 4) / 4, least), colour(shade), face)
    box = image.get_rect()
    setattr(box, align, (round(place[0]), round(place[1])))
    surface.blit(image, box)
    return box


def wrapped(text: str, size: float, width: float, face: str = "plain") -> list[str]:
    """`text` in lines of at most about `width` pixels; its own breaks and indents are kept."""
    letter = text_width("abcdefghijklmnopqrstuvwxyz", size, face) / 26
    columns = max(int(width / letter), 8)
    parts = (wrap(line, columns, replace_whitespace=False) for line in text.splitlines())
    return [line for lines in parts for line in lines or [""]]


def key_cap(surface: pygame.Surface, key: str, place: tuple[float, float], unit: float) -> None:
    """Draw the cap of a key, from the middle of its left edge."""
    width = text_width(key, 11 * unit, "bold") + 14 * unit
    cap = pygame.Rect(0, 0, round(width), round(18 * unit))
    cap.midleft = (round(place[0]), round(place[1]))
    pygame.draw.rect(surface, colour("line"), cap, border_radius=round(4 * unit))
    words(surface, key, cap.center, 11 * unit, "text", face="bold", align="center")
