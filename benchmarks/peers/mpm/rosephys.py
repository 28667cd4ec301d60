"""Rosephys itself: the scene that ships with it, told nothing about this benchmark."""

from __future__ import annotations

import numpy as np

from rosephys.solve.problem import Problem

from ..program import Array, Program
from .job import BLOCKS, Job


def scene(job: Job) -> Program:
    problem = Problem(job.scene)
    values = {name: np.array(value) for name, value in problem.values.items()}

    def at(numbers: Array) -> dict[str, Array]:
        return values | dict(zip(BLOCKS, job.blocks(numbers), strict=True))

    def gradient(numbers: Array) -> tuple[float, Array]:
        value, slopes = problem.value_and_gradient(at(numbers))
        return value, np.concatenate([slopes[name].ravel() for name in BLOCKS])

    return Program(
        gradient, lambda numbers: problem.loss(at(numbers)), lambda: problem.scratch_bytes
    )
