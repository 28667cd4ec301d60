"""What is typed after an option, as the value that it means; each raises ArgumentTypeError for what is none."""

from __future__ import annotations

import argparse
import math
from pathlib import Path

from rosephys.sweeps.varied import Varied, varied

MOST_STARTS = 65  # the given controls, and a batch of others
MIN_PIXELS, MAX_PIXELS = 64, 8192  # of a film or picture each way


def setting(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name.strip():
        raise argparse.ArgumentTypeError(f"expected NAME=VALUE, got {text!r}")
    return name.strip(), value.strip()


def values(text: str) -> tuple[str, Varied]:
    name, given = setting(text)
    try:
        return name, varied(given)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{name}={given}: {error}") from None


def some(text: str) -> int:
    if not (text.isdecimal() and int(text) > 0):
        raise argparse.ArgumentTypeError(f"expected a whole number from 1 on, got {text!r}")
    return int(text)


def count(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"expected a whole number from 0 on, got {text!r}")
    return int(text)


def starts(text: str) -> int:
    if not (text.isdecimal() and 1 <= int(text) <= MOST_STARTS):
        raise argparse.ArgumentTypeError(
            f"expected a whole number from 1 to {MOST_STARTS}, got {text!r}"
        )
    return int(text)


def path(text: str) -> Path:
    if (
        not text
    ):  # of an unset variable of the shell, perhaps; an empty path is the folder one is in
        raise argparse.ArgumentTypeError("expected a path, got ''")
    return Path(text)


def png(text: str) -> Path:
    if Path(text).suffix.lower() != ".png":
        raise argparse.ArgumentTypeError(f"expected a file that ends in .png, got {text!r}")
    return Path(text)


def html(text: str) -> Path:
    if Path(text).suffix.lower() != ".html":
        raise argparse.ArgumentTypeError(f"expected a file that ends in .html, got {text!r}")
    return Path(text)


def moment(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"expected a number from 0 to 1, got {text!r}")
    return value


def size(text: str) -> tuple[int, int]:
    wide, by, high = text.partition("x")
    if not (by and wide.isdecimal() and high.isdecimal()):
        raise argparse.ArgumentTypeError(f"expected WIDTHxHEIGHT in pixels, got {text!r}")
    size = int(wide), int(high)
    if not (MIN_PIXELS <= min(size) and max(size) <= MAX_PIXELS):
        raise argparse.ArgumentTypeError(
            f"expected from {MIN_PIXELS} to {MAX_PIXELS} pixels each way, got {text!r}"
        )
    return size


def fps(text: str) -> int:
    if not (text.isdecimal() and 1 <= int(text) <= 100):
        raise argparse.ArgumentTypeError(f"expected a whole number from 1 to 100, got {text!r}")
    return int(text)


def positive(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 < value < math.inf:
        raise argparse.ArgumentTypeError(f"expected a number above 0, got {text!r}")
    return value
