"""Rosephys itself: the scene that ships with it, told nothing about this benchmark."""

from ..robot.rosephys import scene as scene
