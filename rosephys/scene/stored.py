"""An array from a file: one of numpy's (.npy), or rows of numbers as text (.csv, .txt)."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rosephys.errors import SceneError


def numbers_in(path: str) -> NDArray[np.float64]:
    """The numbers in a file, as they are in it: rows of text give (rows, columns).

    Numbers in a row are separated by commas, semicolons or blanks; the first row may name the columns. Raises
    SceneError for a file that cannot be read, or that has something else in it.
    """
    if path.lower().endswith(".npz"):
        raise SceneError(
            f"{path} has several arrays; --load takes it, a field takes a .npy or .csv file"
        )
    try:
        if path.lower().endswith(".npy"):
            return np.asarray(np.load(path, allow_pickle=False), float)
        return _rows(Path(path).read_text(encoding="utf-8-sig"), path)
    except OSError as error:
        raise SceneError(f"{path} cannot be read: {(error.strerror or 'no').lower()}") from None
    except UnicodeDecodeError:
        raise SceneError(f"{path} is no text") from None
    except (ValueError, EOFError, TypeError):
        raise SceneError(f"{path} holds no array of numbers; numpy.save writes one") from None


def _rows(text: str, path: str) -> NDArray[np.float64]:
    lines = [(k, line) for k, line in enumerate(text.splitlines(), 1) if line.strip()]
    rows: list[list[float]] = []
    for k, line in lines:
        cells = [cell for cell in re.split(r"\s*[,;]\s*|\s+", line.strip()) if cell]
        try:
            rows.append([float(cell) for cell in cells])
        except ValueError:
            if k == lines[0][0] and len(lines) > 1:  # the names of the columns
                continue
            raise SceneError(
                f"{path}:{k} has no number where one is wanted: {line.strip()!r}"
            ) from None
        if len(rows[-1]) != len(rows[0]):
            raise SceneError(
                f"{path}:{k} has {len(rows[-1])} numbers, the first row {len(rows[0])}"
            )
    if not rows:
        raise SceneError(f"{path} has no numbers in it")
    return np.array(rows)
