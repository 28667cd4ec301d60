"""C with the adjoint written by hand (`wave.c`), compiled for the grid and called through ctypes."""

from __future__ import annotations

import ctypes
import subprocess
import tempfile
from functools import cache
from pathlib import Path

import numpy as np

from ..compiler import FLAGS, address, require_compiler
from ..program import Array, Program
from .job import BEND, BENT, Job

SOURCE = Path(__file__).with_name("wave.c")


@cache
def load(cells: int) -> ctypes.CDLL:
    """wave.c as a library for so many cells along a side. Raises RuntimeError where there is no gcc."""
    with tempfile.TemporaryDirectory() as folder:
        library = Path(folder) / "wave.so"
        values = (f"-DN={cells}", f"-DBEND={BEND!r}", f"-DBENT={BENT!r}")
        command = [require_compiler(), SOURCE, "-o", library, *FLAGS, *values]
        subprocess.run(command, check=True)
        loaded = ctypes.CDLL(str(library))  # stays mapped after the file is gone
    loaded.loss.restype = loaded.gradient.restype = ctypes.c_double
    return loaded


def expert(job: Job) -> Program:
    """Fields with borders; a step back takes the Laplacian of one field, and nothing is remembered."""
    library, steps = load(job.cells), ctypes.c_long(job.steps)
    slope, target = np.empty(len(job.start())), job.target

    def loss(shape: Array) -> float:
        return library.loss(steps, address(shape), address(target))

    def gradient(shape: Array) -> tuple[float, Array]:
        return library.gradient(steps, address(shape), address(target), address(slope)), slope

    return Program(gradient, loss, lambda: 0)
