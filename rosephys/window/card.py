"""Cards that lie over the scene: what went wrong, what was done, which keys there are."""

from __future__ import annotations

from rosephys.drawing.palette import colour
from rosephys.drawing.words import key_cap, text_width, words, wrapped
from rosephys.sdl import pygame

KEYS = (
    ("Drag", "move a handle, a slider, the time line, or a circle"),
    ("Wheel", "move the slider under it; a tenth with Shift"),
    ("Space", "pause and go on"),
    ("Left, Right", "a moment back or forth; ten with Shift"),
    (",  .", "one step back or forth"),
    ("Home, End", "the first and the last moment"),
    ("−  +", "play slower or faster"),
    ("R", "solve again from the first controls"),
    ("O", "solve by the next optimiser"),
    ("Ctrl Z", "take back what was done; with Shift, do it again"),
    ("L", "the loss landscape: click to solve from there"),
    ("G", "ghosts: the tracks that were tried"),
    ("N", "halos: where a nudge of the controls leads"),
    ("M", "members: where draws of what is not known lead"),
    ("T", "light or dark"),
    ("S", "write a picture of the window, a PNG"),
    ("C", "copy the command that shows this again"),
    ("H", "show or hide these keys"),
    ("Esc", "leave"),
)


def draw_message(
    surface: pygame.Surface, canvas: pygame.Rect, title: str, message: str, unit: float
) -> None:
    """What went wrong, at the bottom of the scene and above its time line."""
    size, line_height = 14 * unit, 20 * unit
    width = min(canvas.width - 40 * unit, 760 * unit)
    lines = wrapped(message, size, width - 48 * unit, "code")[:12]
    card = pygame.Rect(0, 0, width, line_height * len(lines) + 56 * unit)
    card.midbottom = (canvas.centerx, round(canvas.bottom - 36 * unit))
    pygame.draw.rect(surface, colour("panel"), card, border_radius=round(8 * unit))
    pygame.draw.rect(surface, colour("line"), card, max(round(unit), 1), round(8 * unit))
    edge = pygame.Rect(card.left, card.top, round(5 * unit), card.height)
    radii = {"border_top_left_radius": 8, "border_bottom_left_radius": 8}
    pygame.draw.rect(surface, colour("bad"), edge, **radii)
    x, y = card.left + 24 * unit, card.top + 16 * unit
    words(surface, title, (x, y), 13 * unit, "bad", face="bold")
    for i, line in enumerate(lines):
        words(surface, line, (x, y + 26 * unit + i * line_height), size, face="code")


def draw_note(surface: pygame.Surface, canvas: pygame.Rect, note: str, unit: float) -> None:
    """A line at the top of the scene that says what was done."""
    size, inside = 13 * unit, canvas.width - 80 * unit
    line = wrapped(note, size, max(inside, 1.0), "bold")[0]
    card = pygame.Rect(0, 0, round(text_width(line, size, "bold") + 32 * unit), round(32 * unit))
    card.midtop = (canvas.centerx, round(canvas.top + 14 * unit))
    pygame.draw.rect(surface, colour("panel"), card, border_radius=card.height // 2)
    pygame.draw.rect(surface, colour("line"), card, max(round(unit), 1), card.height // 2)
    words(surface, line, card.center, size, "good", face="bold", align="center")


def draw_keys(surface: pygame.Surface, canvas: pygame.Rect, unit: float) -> None:
    """All keys, in the middle of the scene."""
    edge = 28 * unit
    row = min(30 * unit, (canvas.height - 2 * edge - 50 * unit) / len(KEYS))
    card = pygame.Rect(0, 0, round(470 * unit), round(row * len(KEYS) + 2 * edge + 34 * unit))
    card.center = canvas.center
    pygame.draw.rect(surface, colour("panel"), card, border_radius=round(10 * unit))
    pygame.draw.rect(surface, colour("line"), card, max(round(unit), 1), round(10 * unit))
    words(surface, "Keys", (card.left + edge, card.top + edge), 18 * unit, face="bold")
    top = card.top + edge + 34 * unit
    for i, (key, meaning) in enumerate(KEYS):
        middle = top + row * (i + 0.5)
        key_cap(surface, key, (card.left + edge, middle), unit)
        words(
            surface, meaning, (card.left + 140 * unit, middle), 13.5 * unit, "dim", align="midleft"
        )
