"""Pygame, imported here alone, so that neither its greeting nor its warnings reach a person."""

import os
import warnings

from rosephys.errors import SceneError

os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")
with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # pygame may import a part of setuptools that complains
    try:
        import pygame as pygame  # for the modules above
    except ModuleNotFoundError as error:
        if error.name != "pygame":
            raise
        raise SceneError(
            "to draw needs pygame, which is not installed: python -m pip install pygame"
        ) from None
