"""C with the adjoint written by hand (`walker.c`), compiled for the body and called through ctypes; also the
reference for digits."""

from __future__ import annotations

import ctypes
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from ..compiler import FLAGS, address, require_compiler
from ..program import Array, Program
from . import job as constants
from .job import Job

SOURCE = Path(__file__).parent / "walker.c"
NAMES = "NODES MARGIN EMPTY DT STIFFNESS STRENGTH GRAVITY PACE MUSCLES WAVES".split()


def header(job: Job) -> str:
    """The body and the constants as C."""
    points = ", ".join(f"{{{x!r}, {y!r}}}" for x, y in job.particles.tolist())
    muscles = ", ".join(map(str, job.muscles.tolist()))
    return (
        "".join(f"#define {name} {getattr(constants, name)!r}\n" for name in NAMES)
        + f"#define N {len(job.particles)}\n"
        + f"static const double PARTICLES[N][2] = {{{points}}};\n"
        + f"static const int MUSCLE[N] = {{{muscles}}};\n"
    )


def load(job: Job) -> Any:
    """walker.c as a library for this body. Raises RuntimeError where there is no gcc."""
    with tempfile.TemporaryDirectory() as folder:
        library = Path(folder) / "walker.so"
        (Path(folder) / "walker.h").write_text(header(job))
        command = [require_compiler(), SOURCE, "-o", library, *FLAGS, f"-I{folder}"]
        subprocess.run(command, check=True)
        loaded = ctypes.CDLL(str(library))  # stays mapped after the file is gone
    loaded.loss.restype = loaded.gradient.restype = ctypes.c_double
    loaded.tape_bytes.restype = ctypes.c_long
    loaded.tape_bytes.argtypes = [ctypes.c_long]
    return loaded


def program(job: Job) -> Program:
    library, steps = load(job), ctypes.c_long(job.steps)
    tape, slope = np.empty(library.tape_bytes(job.steps) // 8), np.empty(len(job.start()))

    def loss(numbers: Array) -> float:
        return library.loss(steps, address(numbers))

    def gradient(numbers: Array) -> tuple[float, Array]:
        return library.gradient(steps, address(numbers), address(slope), address(tape)), slope

    return Program(gradient, loss, lambda: tape.nbytes)
