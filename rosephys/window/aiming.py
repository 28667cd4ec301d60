"""Circles of the picture that a hand may take: a ring about the one it is over, and where one is to be."""

from __future__ import annotations

import numpy as np

from rosephys.drawing.paint import Transform
from rosephys.drawing.stroke import polyline, ring
from rosephys.drawing.words import words
from rosephys.scene.circles import circle
from rosephys.scene.picture import Picture
from rosephys.sdl import pygame
from rosephys.window.session import Session

THERE = 0.5  # design pixels: a circle that is nearer to its goal is there


def draw_aim(
    surface: pygame.Surface, picture: Picture, session: Session, at: Transform, over: int | None
) -> None:
    """Mark the circle that was taken, with a line to where it is to be, or else the one under the hand."""
    aim = session.aim
    shown = aim is not None and (session.pulling or session.index == aim.step)
    which = aim.circle if aim and shown else over
    if which is None:
        return
    centre, radius, label = circle(picture, which)
    place, unit = at.to_screen(centre), at.unit
    if not np.isfinite(place).all():
        return
    wide = max(radius * at.scale + 5 * unit, 12 * unit)
    ring(surface, place, wide, 2 * unit, "text", 0.85)
    seconds = f"{session.index * session.dt:.2f} s"
    title = f"{label} at {seconds}" if label else f"at {seconds}"
    if aim and shown:
        goal = at.to_screen(aim.goal)
        apart = float(np.hypot(*(goal - place)))
        ring(surface, goal, 5 * unit, 2 * unit, "accent", 0.9)
        if apart > THERE * unit:
            polyline(surface, [place, goal], 2 * unit, "accent", 0.8)
            title += f", {apart / at.scale:.3g} off"
        if unmoved(session):
            title += ": no control moves it"
    below = (place[0], place[1] + wide + 8 * unit)
    words(surface, title, below, 13 * unit, "text", face="bold", align="midtop")


def unmoved(session: Session) -> bool:
    """Whether the derivative of where the circle is drawn is zero in all controls."""
    slopes = session.gradient.values()
    return bool(session.losses) and session.losses[-1] > 0 and not any(g.any() for g in slopes)
