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
    "constraints are not kept": "bad",
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
    surface: pygame.Surface, inner: pygame.Rect, session: Session, unit: float
) -> tuple[int, pygame.Rect]:
    """Draw it at the bottom of `inner`, so that nothing above it moves when it comes and goes.

    The results are where it begins, and where the button is. A solve that has arrived needs no words, and what
    there is no room for is left out.
    """
    nowhere = pygame.Rect(0, 0, 0, 0)
    came_to = session.outcome
    if came_to is None or came_to.state == "arrived" or session.paused:
        return inner.bottom, nowhere
    row, gap = 15 * unit, 8 * unit
    button = pygame.Rect(0, 0, 0, 0)
    if came_to.help is not None and inner.height >= HEIGHT * unit:
        button = pygame.Rect(inner.left, 0, inner.width, round(HEIGHT * unit))
        button.bottom = inner.bottom
        radius, thin = round(6 * unit), max(round(unit), 1)
        pygame.draw.rect(surface, colour("line"), button, border_radius=radius)
        pygame.draw.rect(surface, colour("accent"), button, thin, border_radius=radius)
        words(surface, label(came_to.help), button.center, 12 * unit, face="bold", align="center")
    top = button.top - gap if button else float(inner.bottom)
    sentence = came_to.words[0].upper() + came_to.words[1:]
    lines = wrapped(sentence, 12 * unit, inner.width)[:LINES]
    if top - row * len(lines) >= inner.top:
        top -= row * len(lines)
        for k, line in enumerate(lines):
            words(surface, line, (inner.left, top + k * row), 12 * unit, "dim")
    return round(top), button
