"""C with the adjoint written by hand (`pool.c`), compiled for the job and called through ctypes; also the
reference for digits."""

from __future__ import annotations

import ctypes
import subprocess
import tempfile
from pathlib import Path

import numpy as np

from ..compiler import FLAGS, require_compiler
from ..program import Array, Program
from . import job as constants
from .job import Job

SOURCE = Path(__file__).parent / "pool.c"
NAMES = "WIDTH HEIGHT RADIUS RESTITUTION CUSHION TARGET".split()
# square roots and quotients that are then not taken may be computed, so that rows of times are vectors
VECTORS = ("-fno-math-errno", "-fno-trapping-math")


def header(job: Job) -> str:
    """The table as C."""
    places = ", ".join(f"{{{x!r}, {y!r}}}" for x, y in job.positions.tolist())
    return (
        "".join(f"#define {name} {getattr(constants, name)!r}\n" for name in NAMES)
        + f"#define BALLS {job.balls}\n#define EVENTS {job.events}\n"
        + f"static const double RACK[BALLS][2] = {{{places}}};\n"
        + f"static const double GOAL[2] = {{{', '.join(map(repr, constants.GOAL))}}};\n"
    )


def load(job: Job) -> ctypes.CDLL:
    """pool.c as a library for this job. Raises RuntimeError where there is no gcc."""
    with tempfile.TemporaryDirectory() as folder:
        library, given = Path(folder) / "pool.so", Path(folder) / "pool.h"
        given.write_text(header(job))
        command = [require_compiler(), SOURCE, "-o", library, *FLAGS, *VECTORS, "-include", given]
        subprocess.run(command, check=True)
        return ctypes.CDLL(str(library))  # stays mapped after the file is gone


def program(job: Job, way: str) -> Program:
    library = load(job)
    library.tape_bytes.restype = ctypes.c_long
    run, run_both = getattr(library, f"{way}_loss"), getattr(library, f"{way}_gradient")
    run.restype = run_both.restype = ctypes.c_double
    cue, slope, tape = np.empty(4), np.empty(4), np.empty(library.tape_bytes() // 8)
    # once, since ctypes is slow at it; these keep their arrays alive
    at, out, kept = (array.ctypes.data_as(ctypes.c_void_p) for array in (cue, slope, tape))

    def loss(value: Array) -> float:
        cue[:] = value
        return run(at, kept)

    def gradient(value: Array) -> tuple[float, Array]:
        cue[:] = value
        return run_both(at, out, kept), slope.copy()

    return Program(gradient, loss, lambda: tape.nbytes)


def plain(job: Job) -> Program:
    """Every pair before every event, with branches; the reference for digits."""
    return program(job, "plain")


def kept(job: Job) -> Program:
    """Times are kept, and those of a ball that changed computed as vectors."""
    return program(job, "kept")
