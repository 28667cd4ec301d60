"""Rosephys itself: the scene that ships with it, told nothing about this benchmark."""

from __future__ import annotations

import numpy as np

from rosephys.solve.problem import Problem

from ..program import Array, Program
from .job import Job


def scene(job: Job) -> Program:
    problem = Problem(job.scene)

    def values(wind: Array) -> dict[str, Array]:
        u, w = job.fields(wind)
        return {**problem.values, "u": u, "w": w}

    def gradient(wind: Array) -> tuple[float, Array]:
        value, slopes = problem.value_and_gradient(values(wind))
        return value, np.concatenate([slopes["u"].ravel(), slopes["w"].ravel()])

    return Program(gradient, lambda wind: problem.loss(values(wind)), lambda: problem.scratch_bytes)
