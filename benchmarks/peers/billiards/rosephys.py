"""Rosephys itself: the scene that ships with it, told nothing about this benchmark."""

from __future__ import annotations

import numpy as np

from rosephys.scene.finding import find_scene
from rosephys.solve.problem import Problem

from ..program import Array, Program
from .job import Table

MEMORY = (
    128 << 20
)  # bytes that a gradient may keep; 106 balls take 97 MB, most of which is never touched


def problem_of(table: Table) -> Problem:
    """The scene at that size."""
    settings = {
        "contact": "toi-position",
        "cushions": False,
        "layers": table.layers,
        "steps": table.steps,
        "memory": MEMORY,
    }
    return Problem(find_scene("billiards", settings))


def scene(table: Table) -> Program:
    problem = problem_of(table)
    values = {name: np.array(value) for name, value in problem.values.items()}

    def set_cue(cue: Array) -> None:
        values["cue_position"][:] = cue[:2]
        values["cue_velocity"][:] = cue[2:]

    def loss(cue: Array) -> float:
        set_cue(cue)
        return float(problem.loss(values))

    def gradient(cue: Array) -> tuple[float, Array]:
        set_cue(cue)
        value, slopes = problem.value_and_gradient(values)
        slope = np.concatenate([slopes["cue_position"], slopes["cue_velocity"]])
        return float(value), slope

    return Program(gradient, loss, lambda: problem.scratch_bytes)
