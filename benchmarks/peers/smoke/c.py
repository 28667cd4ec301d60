"""C with the adjoint written by hand (`smoke.c`), compiled for the grid and called through ctypes."""

from __future__ import annotations

import ctypes
import subprocess
import tempfile
from functools import cache
from pathlib import Path

import numpy as np

from ..compiler import FLAGS, address, require_compiler
from ..program import Array, Program
from .job import SWEEPS, Job

SOURCE = Path(__file__).with_name("smoke.c")
# pairs of neighbouring adds taken as one vector would wait for each other's stores
VECTORS = ("-fno-math-errno", "-fno-trapping-math", "-fno-tree-slp-vectorize")


@cache
def load(cells: int) -> ctypes.CDLL:
    """smoke.c as a library for so many cells along a side. Raises RuntimeError where there is no gcc."""
    with tempfile.TemporaryDirectory() as folder:
        library = Path(folder) / "smoke.so"
        sizes = (f"-DN={cells}", f"-DSWEEPS={SWEEPS}")
        command = [require_compiler(), SOURCE, "-o", library, *FLAGS, *VECTORS, *sizes]
        subprocess.run(command, check=True)
        loaded = ctypes.CDLL(str(library))  # stays mapped after the file is gone
    loaded.loss.restype = loaded.gradient.restype = ctypes.c_double
    loaded.tape_bytes.restype = ctypes.c_long
    loaded.tape_bytes.argtypes = [ctypes.c_long]
    return loaded


def aligned(size: int) -> Array:
    """Numbers that begin where a vector may."""
    room = np.zeros(size + 8)
    first = -room.ctypes.data // 8 % 8
    return room[first : first + size]


def expert(job: Job) -> Program:
    """Borders that repeat the other side, cells and weights found as vectors, u and w spread as pairs."""
    library = load(job.cells)
    tape = aligned(library.tape_bytes(job.steps) // 8)
    slope, smoke, target = np.empty(len(job.start())), job.smoke, job.target

    def given(wind: Array) -> tuple[object, ...]:
        return ctypes.c_long(job.steps), address(wind), address(smoke), address(target)

    def loss(wind: Array) -> float:
        return library.loss(*given(wind), address(tape))

    def gradient(wind: Array) -> tuple[float, Array]:
        return library.gradient(*given(wind), address(slope), address(tape)), slope

    return Program(gradient, loss, lambda: tape.nbytes)
