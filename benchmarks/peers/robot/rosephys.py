"""Rosephys itself: the scene that ships with it, told nothing about this benchmark."""

from __future__ import annotations

import numpy as np

from rosephys.solve.problem import Problem

from ..program import Array, Program
from .job import BLOCKS, Job


def scene(job: Job) -> Program:
    problem = Problem(job.scene)
    values = {name: np.array(value) for name, value in problem.values.items()}

    def set_weights(weights: Array) -> None:
        values.update(zip(BLOCKS, job.blocks(weights), strict=True))

    def loss(weights: Array) -> float:
        set_weights(weights)
        return problem.loss(values)

    def gradient(weights: Array) -> tuple[float, Array]:
        set_weights(weights)
        value, slopes = problem.value_and_gradient(values)
        return value, np.concatenate([slopes[name].ravel() for name in BLOCKS])

    return Program(gradient, loss, lambda: problem.scratch_bytes)
