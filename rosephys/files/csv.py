"""Curves as text: a column for what they are over, and one for each."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from rosephys.errors import SceneError
from rosephys.files.atomic import replacing
from rosephys.solve.curves import Curves


def write_csv(path: Path, plots: Sequence[Curves]) -> None:
    """Write curves over the same numbers to a .csv file, its first row the names; every digit is kept.

    Raises SceneError for curves over different numbers, OSError if it cannot be written.
    """
    over = {plot.over for plot in plots}
    if len(over) > 1:
        raise SceneError(
            f"a .csv has one first column, not {' and '.join(sorted(over))}; write two files"
        )
    rows = {len(plot.xs): plot.title for plot in plots}
    if len(rows) > 1:
        told = " and ".join(f"{count} of {title}" for count, title in sorted(rows.items()))
        raise SceneError(f"a .csv has one number of rows, not {told}; write two files")
    names = [plots[0].over.partition(",")[0], *(label for plot in plots for label in plot.labels)]
    table = np.column_stack([plots[0].xs, *(plot.ys for plot in plots)])
    lines = [",".join(names), *(",".join(map(repr, row)) for row in table.tolist())]
    with replacing(path) as beside:
        beside.write_text("\n".join(lines) + "\n", encoding="utf-8")
