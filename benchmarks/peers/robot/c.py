"""C with the adjoint written by hand, compiled for the body and called through ctypes: `robot.c`, arranged for
vectors, and `textbook.c`, which is written straight from the equations and is the reference for digits."""

from __future__ import annotations

import ctypes
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from ..compiler import FLAGS, address, require_compiler
from ..program import Array, Program
from .job import Job

HERE = Path(__file__).parent
VECTORS = ("-fno-math-errno", "-fno-trapping-math", "-lmvec")


def table(name: str, values: Array, kind: str) -> str:
    size = "".join(f"[{n}]" for n in values.shape)
    numbers = ", ".join(repr(v) for v in values.ravel().tolist())
    return f"static const {kind} {name}{size} = {{{numbers}}};\n"


def header(job: Job) -> str:
    """The body as C."""
    a, b = job.springs.T
    sizes = {"N": len(job.masses), "M": len(job.springs), "K": len(job.muscles)}
    defined = "".join(f"#define {name} {n}\n" for name, n in sizes.items())
    whole = {"A": a, "B": b, "MUSCLE": job.muscles}
    tables = [table(name, values, "int") for name, values in whole.items()]
    real = {"REST": job.rest, "START": job.masses}
    return defined + "".join(tables + [table(n, v, "double") for n, v in real.items()])


def load(source: Path, header: str, *flags: str) -> Any:
    """A source as a library for the body in that header, which it includes under its folder's name.

    Raises RuntimeError where there is no gcc.
    """
    with tempfile.TemporaryDirectory() as folder:
        library = Path(folder) / "robot.so"
        (Path(folder) / f"{source.parent.name}.h").write_text(header)
        command = [require_compiler(), source, "-o", library, *FLAGS, *flags, f"-I{folder}"]
        subprocess.run(command, check=True)
        loaded = ctypes.CDLL(str(library))  # stays mapped after the file is gone
    loaded.loss.restype = loaded.gradient.restype = ctypes.c_double
    loaded.tape_bytes.restype = ctypes.c_long
    loaded.tape_bytes.argtypes = [ctypes.c_long]
    return loaded


def aligned(size: int) -> Array:
    """Zeros that begin where a vector may."""
    room = np.zeros(size + 8)
    first = -room.ctypes.data // 8 % 8
    return room[first : first + size]


def program(job: Any, library: Any) -> Program:
    steps = ctypes.c_long(job.steps)
    tape = aligned(library.tape_bytes(job.steps) // 8)
    slope = np.empty(len(job.start()))

    def loss(weights: Array) -> float:
        return library.loss(steps, address(weights))

    def gradient(weights: Array) -> tuple[float, Array]:
        return library.gradient(steps, address(weights), address(slope), address(tape)), slope

    return Program(gradient, loss, lambda: tape.nbytes)


def expert(job: Job) -> Program:
    """Laid out for vectors; the weights' gradients of several steps are added up at once."""
    return program(job, load(HERE / "robot.c", header(job), *VECTORS))


def textbook(job: Job) -> Program:
    """The equations and their adjoint, loop for loop."""
    return program(job, load(HERE / "textbook.c", header(job)))
