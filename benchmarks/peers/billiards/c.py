"""C with the adjoint written by hand (`billiards.c`, and `lanes.c` for many strokes at once), compiled for the
table and called through ctypes. Also the independent reference that gradients are checked against."""

from __future__ import annotations

import ctypes
import subprocess
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np

from ..compiler import FLAGS, address, require_compiler
from ..program import Array, Program
from .job import CUE, GOAL, Table

FOLDER = Path(__file__).parent


class HitTape(ctypes.Structure):
    """`hit_tape` of billiards.c, which allocates and grows it."""

    _fields_ = (
        ("hits", ctypes.c_void_p),
        ("count", ctypes.c_long),
        ("capacity", ctypes.c_long),
    )


def compiled(source: str, balls: int) -> ctypes.CDLL:
    """A C file as a library for this number of balls."""
    with tempfile.TemporaryDirectory() as folder:
        library = Path(folder) / "peer.so"
        command = [require_compiler(), FOLDER / source, "-o", library, f"-DBALLS={balls}", *FLAGS]
        subprocess.run(command, check=True)
        return ctypes.CDLL(str(library))  # stays mapped after the file is gone


@cache
def load(balls: int) -> ctypes.CDLL:
    """billiards.c for this number of balls."""
    loaded = compiled("billiards.c", balls)
    for name in ("dense_loss", "dense_gradient", "branch_loss", "branch_gradient"):
        getattr(loaded, name).restype = ctypes.c_double
    loaded.dense_bytes.restype = loaded.branch_bytes.restype = ctypes.c_long
    loaded.dense_bytes.argtypes = [ctypes.c_long]
    return loaded


class Buffers:
    """What one run reads and writes. Addresses are taken once: ctypes is slow at it."""

    def __init__(self, table: Table) -> None:
        self.goal = np.array(GOAL)
        self.state = np.stack([table.positions(), table.velocities()])
        self.adjoint = np.zeros_like(self.state)
        self.inputs = (ctypes.c_long(table.steps), address(self.goal), address(self.state))

    def set_cue(self, cue: Array) -> None:
        self.state[0, 0] = cue[:2]
        self.state[1, 0] = cue[2:]

    def cue_gradient(self) -> Array:
        return self.adjoint[:, 0].ravel()


def program(
    buffers: Buffers,
    loss_call: Callable[[], float],
    gradient_call: Callable[[], float],  # it leaves the adjoint in the buffers
    tape_bytes: Callable[[], int],
) -> Program:
    def loss(cue: Array) -> float:
        buffers.set_cue(cue)
        return loss_call()

    def gradient(cue: Array) -> tuple[float, Array]:
        buffers.set_cue(cue)
        return gradient_call(), buffers.cue_gradient()

    return Program(gradient, loss, tape_bytes)


def dense(table: Table) -> Program:
    """The textbook: ordered pairs, every state on the tape, pairs tested again in reverse."""
    library, buffers = load(table.balls), Buffers(table)
    tape = np.empty(library.dense_bytes(table.steps) // 8)
    outputs = (address(buffers.adjoint), address(tape))
    return program(
        buffers,
        lambda: library.dense_loss(*buffers.inputs),
        lambda: library.dense_gradient(*buffers.inputs, *outputs),
        lambda: tape.nbytes,
    )


def branch(table: Table) -> Program:
    """Each pair once, a test of the squared distance, a tape of the collisions alone."""
    library, buffers, tape = load(table.balls), Buffers(table), HitTape()
    outputs = (address(buffers.adjoint), ctypes.byref(tape))
    return program(
        buffers,
        lambda: library.branch_loss(*buffers.inputs, outputs[1]),
        lambda: library.branch_gradient(*buffers.inputs, *outputs),
        lambda: library.branch_bytes(outputs[1]),
    )


def in_lanes(table: Table) -> Callable[[Array], Array]:
    """From cues (n, 4), n a multiple of 4, to the gradients by them: four strokes at a time."""
    library, buffers, tape = compiled("lanes.c", table.balls), Buffers(table), HitTape()
    steps, goal, _ = buffers.inputs

    def gradients(cues: Array) -> Array:
        cues = np.ascontiguousarray(cues)
        losses, out = np.empty(len(cues)), np.empty_like(cues)
        rest, n = address(buffers.state[0]), ctypes.c_long(len(cues))
        ends = (address(cues), address(losses), address(out), ctypes.byref(tape))
        library.lanes_gradient(steps, goal, rest, n, *ends)
        return out

    return gradients


def reference(
    layers: int,
    steps: int,
    goal: tuple[float, float] = GOAL,
    cue_position: tuple[float, float] = CUE[:2],
    cue_velocity: tuple[float, float] = CUE[2:],
) -> tuple[float, Array, Array]:
    """The loss, and its gradients by every ball's initial position and velocity, (n, 2) each.

    Raises RuntimeError where there is no gcc.
    """
    table = Table(layers, steps)
    library, buffers = load(table.balls), Buffers(table)
    buffers.goal[:] = goal
    buffers.set_cue(np.array([*cue_position, *cue_velocity]))
    tape = np.empty(library.dense_bytes(steps) // 8)
    loss = library.dense_gradient(*buffers.inputs, address(buffers.adjoint), address(tape))
    positions, velocities = buffers.adjoint
    return loss, positions, velocities
