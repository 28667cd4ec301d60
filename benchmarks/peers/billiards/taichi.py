"""Taichi: fields over time, kernels and their `.grad`, f64, one thread.

`stepwise` launches a kernel a step, as its examples do. `fused` plays all steps in one, whose
outermost loop runs once: Taichi then reverses the inner loops itself. `ti.ad.Tape` would call
the same adjoints; without it one kernel of ours clears what it clears field by field.
(No postponed annotations here: Taichi reads them at run time.)
"""

from collections.abc import Callable

import taichi as ti

from ..program import Array, Program
from .job import DIAMETER, DT, EPSILON, GOAL, RESTITUTION, SLOWEST, Table

Play = tuple[Callable[[], None], Callable[[], None]]  # forward, and its adjoint
Four = ti.types.vector(4, ti.f64)

BOUNCE = -(1 + RESTITUTION) / 2
SETTINGS = {"cpu_max_num_threads": 1, "offline_cache": False, "log_level": ti.ERROR}


class Fields:
    """The whole trajectory, and the adjoint of it."""

    def __init__(self, table: Table) -> None:
        shape = (table.steps + 1, table.balls)
        self.position = ti.Vector.field(2, ti.f64, shape, needs_grad=True)
        self.velocity = ti.Vector.field(2, ti.f64, shape, needs_grad=True)
        self.loss = ti.field(ti.f64, (), needs_grad=True)
        for ball in range(table.balls):
            self.position[0, ball] = table.positions()[ball]
            self.velocity[0, ball] = table.velocities()[ball]


def rules(fields: Fields, balls: int) -> tuple[Callable, Callable]:
    """The two halves of a step, as Taichi functions."""
    position, velocity = fields.position, fields.velocity

    @ti.func
    def coast(t, i):
        velocity[t + 1, i] += velocity[t, i]
        position[t + 1, i] += position[t, i] + DT * velocity[t, i]

    @ti.func
    def collide(t, i):
        for j in range(i + 1, balls):
            speed = velocity[t, i] - velocity[t, j]
            gap = position[t, i] - position[t, j] + DT * speed
            if gap.dot(gap) < DIAMETER**2 and gap.dot(speed) < 0:
                distance = gap.norm()
                normal = gap / (distance + EPSILON)
                approach = normal.dot(speed)
                impulse = BOUNCE * approach * normal
                impact = (distance - DIAMETER) / ti.min(SLOWEST, approach)
                jump = (ti.min(impact - DT, 0.0) + DT) * impulse
                velocity[t + 1, i] += impulse
                velocity[t + 1, j] -= impulse
                position[t + 1, i] += jump
                position[t + 1, j] -= jump

    return coast, collide


def a_kernel_a_step(fields: Fields, table: Table) -> Play:
    coast, collide = rules(fields, table.balls)

    @ti.kernel
    def step(t: ti.i32):
        ti.loop_config(serialize=True)
        for i in range(table.balls):
            coast(t, i)
        ti.loop_config(serialize=True)
        for i in range(table.balls):
            collide(t, i)

    def play() -> None:
        for t in range(table.steps):
            step(t)

    def play_backwards() -> None:
        for t in reversed(range(table.steps)):
            step.grad(t)

    return play, play_backwards


def in_one_kernel(fields: Fields, table: Table) -> Play:
    coast, collide = rules(fields, table.balls)

    @ti.kernel
    def play():
        ti.loop_config(serialize=True)
        for _ in range(1):
            for t in range(table.steps):
                for i in range(table.balls):
                    coast(t, i)
                for i in range(table.balls):
                    collide(t, i)

    return play, play.grad


def program(table: Table, make_play: Callable[[Fields, Table], Play]) -> Program:
    ti.init(arch=ti.cpu, default_fp=ti.f64, **SETTINGS)
    fields = Fields(table)
    position, velocity, total = fields.position, fields.velocity, fields.loss
    run, run_backwards = make_play(fields, table)

    @ti.kernel
    def prepare(cue: Four):
        """The cue in its place, all that is added to at zero, the loss's adjoint at one."""
        ti.loop_config(serialize=True)
        for t, i in ti.ndrange(table.steps + 1, table.balls):
            position.grad[t, i] = ti.Vector([0.0, 0.0])
            velocity.grad[t, i] = ti.Vector([0.0, 0.0])
            if t > 0:
                position[t, i] = ti.Vector([0.0, 0.0])
                velocity[t, i] = ti.Vector([0.0, 0.0])
        position[0, 0] = ti.Vector([cue[0], cue[1]])
        velocity[0, 0] = ti.Vector([cue[2], cue[3]])
        total[None] = 0.0
        total.grad[None] = 1.0

    @ti.kernel
    def measure():
        miss = position[table.steps, table.balls - 1] - ti.Vector(GOAL)
        total[None] += miss.dot(miss)

    @ti.kernel
    def slope() -> Four:
        x, v = position.grad[0, 0], velocity.grad[0, 0]
        return ti.Vector([x[0], x[1], v[0], v[1]])

    def loss(cue: Array) -> float:
        prepare(ti.Vector(cue))
        run()
        measure()
        return total[None]

    def gradient(cue: Array) -> tuple[float, Array]:
        value = loss(cue)
        measure.grad()
        run_backwards()
        return value, slope().to_numpy()

    tape = 2 * 4 * 8 * (table.steps + 1) * table.balls  # states and their adjoints
    return Program(gradient, loss, lambda: tape)


def stepwise(table: Table) -> Program:
    return program(table, a_kernel_a_step)


def fused(table: Table) -> Program:
    return program(table, in_one_kernel)
