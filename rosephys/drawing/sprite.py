"""Balls, discs and their shadows, drawn once and kept.

A sprite is rendered at four times its size and kept once for each quarter of a pixel, so that a
hundred slowly moving balls stay smooth and cheap.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import lru_cache, reduce
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from rosephys.drawing.palette import FAR, PALETTE, Floats, rgb
from rosephys.drawing.words import typeface
from rosephys.sdl import pygame

OVERSAMPLE = 4  # of a sprite; its positions are multiples of 1 / OVERSAMPLE of a pixel

# A master is a picture `OVERSAMPLE` times too large, (h, w, 4), in 0 .. 255 with its colour
# already weighted by its opacity, and with a margin of at least one final pixel all round.
Master: TypeAlias = NDArray[np.float32]
Kind: TypeAlias = Callable[[float, str, str], Master]


def _grid(radius: float, reach: float = 1.0) -> tuple[Any, Any]:
    """Oversampled coordinates in radii, (1, w) and (h, 1), that hold `reach` radii each way."""
    half = math.ceil(radius * reach) + 1
    fine = (np.arange(2 * half * OVERSAMPLE, dtype=np.float32) + 0.5) / OVERSAMPLE - half
    return (fine / radius)[None, :], (fine / radius)[:, None]


def _weighted(rgb: Any, cover: Any) -> Master:
    cover = np.asarray(cover, np.float32)[..., None]
    return np.concatenate([rgb * cover, 255 * cover], axis=2)


@lru_cache(maxsize=256)
def ball(radius: float, shade: str, label: str) -> Master:
    """A sphere lit from above left, its label on a pale spot."""
    u, v = _grid(radius)
    square = u * u + v * v
    skin = np.empty((*square.shape, 3), np.float32)
    skin[:] = rgb(shade)
    if label and radius >= 7:
        spot = np.clip((0.56 - np.sqrt(square)) * radius * OVERSAMPLE + 0.5, 0, 1)[..., None]
        skin += spot * (rgb("ivory") - skin)
        skin += _ink(label, radius * OVERSAMPLE, square.shape)[..., None] * (rgb("ink") - skin)
    light = np.clip(-0.42 * u - 0.52 * v + 0.74 * np.sqrt(np.clip(1 - square, 0, 1)), 0, 1)
    lit = np.minimum(skin * (0.42 + 0.66 * light)[..., None], 255)
    glint = np.exp(-((u + 0.36) ** 2 + (v + 0.42) ** 2) / 0.035)
    lit += 0.62 * glint[..., None] * (255 - lit)
    return _weighted(lit, square <= 1)


def _ink(label: str, radius: float, shape: tuple[int, ...]) -> NDArray[np.float32]:
    """How much of each oversampled pixel the label's letters cover."""
    size = radius * {1: 0.68, 2: 0.58}.get(len(label), 0.42)
    letters = typeface(size, face="bold").render(label, True, "white")
    # A font's box has room for accents and descenders; a number must be centred by its ink.
    box = letters.get_bounding_rect()
    page = pygame.Surface((shape[1], shape[0]), pygame.SRCALPHA)
    page.blit(letters, box.move(shape[1] // 2 - box.centerx, shape[0] // 2 - box.centery), box)
    return np.asarray(pygame.surfarray.array_alpha(page).T / np.float32(255))


@lru_cache(maxsize=256)
def disc(radius: float, shade: str, _label: str) -> Master:
    u, v = _grid(radius)
    square = u * u + v * v
    return _weighted(np.ones((*square.shape, 3), np.float32) * rgb(shade), square <= 1)


@lru_cache(maxsize=64)
def shadow(radius: float, _shade: str, _label: str) -> Master:
    """What a ball lying on the table takes of the light, away from the lamp."""
    u, v = _grid(radius, 1.8)
    dark = np.clip((1.32 - np.sqrt((u - 0.2) ** 2 + (v - 0.28) ** 2)) / 0.6, 0, 1)
    cover = 0.5 * dark * dark * (3 - 2 * dark)
    return _weighted(np.zeros((*cover.shape, 3), np.float32), cover)


@lru_cache(maxsize=4096)
def _sprite(kind: Kind, radius: float, shade: str, label: str, dx: int, dy: int) -> pygame.Surface:
    """A master moved by `dx`, `dy` fine pixels and brought down to its final size."""
    master = np.roll(kind(radius, shade, label), (dy, dx), axis=(0, 1))
    rows = reduce(np.add, [master[k::OVERSAMPLE] for k in range(OVERSAMPLE)])
    mean = reduce(np.add, [rows[:, k::OVERSAMPLE] for k in range(OVERSAMPLE)]) / OVERSAMPLE**2
    mean[..., :3] *= 255 / np.maximum(mean[..., 3:], 1e-3)
    pixels = np.clip(mean + 0.5, 0, 255).astype(np.uint8)
    size = (pixels.shape[1], pixels.shape[0])
    # the byte order of a window's surface, for which blits are four times as fast
    return pygame.image.frombuffer(pixels[..., [2, 1, 0, 3]].tobytes(), size, "BGRA").copy()


def stamp(
    surface: pygame.Surface,
    kind: Kind,
    centres: Floats,
    radii: Floats,
    shades: Sequence[str],
    labels: Sequence[str],
) -> None:
    """Blit a sprite at every centre, in pixels, to the nearest quarter of a pixel."""
    shown = (
        (np.abs(np.nan_to_num(centres, nan=FAR)) < FAR).all(axis=1) & (radii > 0) & (radii < FAR)
    )
    fine = np.rint(centres[shown] * OVERSAMPLE).astype(int)
    whole, part = np.divmod(fine, OVERSAMPLE)
    quarters = np.maximum(np.rint(radii[shown] * 4), 2).astype(int)
    # there are far fewer looks than places: each is numbered, and its sprite asked for once
    (paints, paint), (words, word) = _numbered(tuple(shades)), _numbered(tuple(labels))
    paints = tuple(PALETTE.get(s, s) for s in paints)  # a name is another colour in another theme
    number = np.ravel_multi_index(
        (paint[shown], word[shown], quarters, *part.T),
        (len(paints), len(words), 4 * int(FAR) + 1, OVERSAMPLE, OVERSAMPLE),
    )
    firsts, looks = np.unique(number, return_index=True, return_inverse=True)[1:]
    sprites = np.empty(len(firsts), object)
    for k, p in enumerate(np.flatnonzero(shown)[firsts].tolist()):
        size, shift = quarters[firsts[k]] / 4, part[firsts[k]].tolist()
        sprites[k] = _sprite(kind, size, paints[paint[p]], words[word[p]], *shift)
    halves = np.array([image.get_width() // 2 for image in sprites], int)  # a sprite is square
    x, y = (whole - halves[looks, None]).T.tolist()
    places = zip(x, y, strict=True)
    surface.blits(list(zip(sprites[looks].tolist(), places, strict=True)), doreturn=False)


@lru_cache(maxsize=32)
def _numbered(names: tuple[str, ...]) -> tuple[tuple[str, ...], NDArray[np.int64]]:
    """The different names, and the number of each among them."""
    order = {name: k for k, name in enumerate(dict.fromkeys(names))}
    return tuple(order), np.fromiter(map(order.__getitem__, names), np.int64, len(names))
