"""Rosephys itself: the scene that ships with it, told nothing about this benchmark."""

from __future__ import annotations

from rosephys.solve.problem import Problem

from ..program import Array, Program
from .job import Job


def scene(job: Job) -> Program:
    problem = Problem(job.scene)

    def values(shape: Array) -> dict[str, Array]:
        return {**problem.values, "dent": job.field(shape)}

    def gradient(shape: Array) -> tuple[float, Array]:
        value, slopes = problem.value_and_gradient(values(shape))
        return value, slopes["dent"].ravel()

    return Program(
        gradient, lambda shape: problem.loss(values(shape)), lambda: problem.scratch_bytes
    )
