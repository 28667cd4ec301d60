"""Pygame, imported here alone, so that neither its greeting nor its warnings reach a person."""

import os
import warnings

os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")
with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # pygame may import a part of setuptools that complains
    import pygame as pygame  # for the modules above
