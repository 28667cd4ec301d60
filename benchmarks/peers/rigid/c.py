"""C with the adjoint written by hand, compiled for the robot and called through ctypes: `rigid.c`, arranged for
vectors, and `textbook.c`, which is written straight from the equations and is the reference for digits."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ..program import Array, Program
from ..robot.c import VECTORS, load, program, table
from .job import Job

HERE = Path(__file__).parent


def header(job: Job) -> str:
    """The robot as C. A joint has the rest length -1; muscle k is link MUSCLE[k]."""
    body = job.body
    joints = np.setdiff1d(np.arange(body.links), body.muscles)

    def linked(springs: Array, of_joints: Array) -> Array:
        out = np.empty((body.links, *springs.shape[1:]), springs.dtype)
        out[body.muscles], out[joints] = springs, of_joints
        return out

    ends = linked(body.springs.ends, body.joints.ends)
    sizes = {
        "N": job.boxes,
        "M": body.links,
        "K": len(body.muscles),
        "POINTS": len(body.bodies.owner),
        "HEAD": body.head,
    }
    whole = {
        "A": ends[:, 0],
        "B": ends[:, 1],
        "MUSCLE": body.muscles,
        "JOINT": joints,
        "OWNER": body.bodies.owner,
    }
    real = {
        "CENTRE": body.start.position,
        "ANGLE": body.start.angle,
        "MASS": body.bodies.mass,
        "INERTIA": body.bodies.inertia,
        "CORNER": body.bodies.offset,
        "OFFSET": linked(body.springs.offset, body.joints.offset),
        "STIFFNESS": linked(body.springs.stiffness, body.joints.stiffness),
        "REST": linked(body.rest, -np.ones(len(joints))),
        "REACH": linked(body.reach, np.zeros(len(joints))),
    }
    lines = [f"#define {name} {value}\n" for name, value in sizes.items()]
    lines += [table(name, values, "int") for name, values in whole.items()]
    lines += [table(name, values, "double") for name, values in real.items()]
    return "".join(lines)


def expert(job: Job) -> Program:
    """Laid out for vectors; the weights' gradients of several steps are added up at once."""
    return program(job, load(HERE / "rigid.c", header(job), *VECTORS))


def textbook(job: Job) -> Program:
    """The equations and their adjoint, loop for loop."""
    return program(job, load(HERE / "textbook.c", header(job)))
