"""What a solve came to, in the panel: the words, and a button for what may help where it failed."""

from __future__ import annotations

from rosephys.drawing.palette import colour
from rosephys.drawing.words import words, wrapped
from rosephys.sdl import pygame
from rosephys.solve.outcome import Help
from rosephys.window.choice import HEIGHT
from rosephys.window.session import Session

OUTCOME_SHADES = {
    "arrived": "good",
    "stuck": "bad",
    "not there yet": "accent",
    "jumped": "bad",
    "nothing to find": "bad",
}
LABELS = {
    "starts": "Try {} starts",
    "iterations": "Go on for {} iterations",
    "rate": "Again with the rate {}",
    "optimizer": "Again by {}",
}
LINES = 4  # of words


def label(hint: Help) -> str:
    """What is written on the button."""
    return LABELS[hint.option].format(hint.value)


def draw_outcome(
    surface: pygame.Surface, inner: pygame.Rect, y: float, session: Session, unit: float
) -> tuple[float, pygame.Rect]:
    """Draw it from `y` on; the results are where that ends, and where the button is. A solve that has arrived
    needs no words."""
    nowhere = pygame.Rect(0, 0, 0, 0)
    came_to = session.outcome
    if came_to is None or came_to.state == "arrived" or session.paused:
        return y, nowhere
    y += 6 * unit
    sentence = came_to.words[0].upper() + came_to.words[1:]
    for line in wrapped(sentence, 12 * unit, inner.width)[:LINES]:
        y = words(surface, line, (inner.left, y), 12 * unit, "dim").bottom + unit
    if came_to.help is None:
        return y, nowhere
    button = pygame.Rect(inner.left, round(y + 6 * unit), inner.width, round(HEIGHT * unit))
    radius, thin = round(6 * unit), max(round(unit), 1)
    pygame.draw.rect(surface, colour("line"), button, border_radius=radius)
    pygame.draw.rect(surface, colour("accent"), button, thin, border_radius=radius)
    words(surface, label(came_to.help), button.center, 12 * unit, face="bold", align="center")
    return float(button.bottom), button
