"""Taichi, f64, one thread: the shot in one kernel, which writes down its events, and a second kernel that plays
these events again, for its `.grad`: so nothing is looked for in reverse.
(No postponed annotations here: Taichi reads them at run time.)
"""

import taichi as ti

from ..program import Array, Program
from .job import CUSHION, GOAL, HEIGHT, RADIUS, RESTITUTION, TARGET, WIDTH, Job

Four = ti.types.vector(4, ti.f64)
SETTINGS = {"cpu_max_num_threads": 1, "offline_cache": False, "log_level": ti.ERROR}

SIDES = (WIDTH - RADIUS, HEIGHT - RADIUS)
SQUARE = 4 * RADIUS**2
HALF_BOUNCE = (1 + RESTITUTION) / 2 / SQUARE


def program(job: Job) -> Program:  # noqa: C901, kernels must be closures
    ti.init(arch=ti.cpu, default_fp=ti.f64, **SETTINGS)
    n, count = job.balls, job.events
    position = ti.Vector.field(2, ti.f64, (count + 1, n), needs_grad=True)
    velocity = ti.Vector.field(2, ti.f64, (count + 1, n), needs_grad=True)
    times = ti.field(ti.f64, count, needs_grad=True)
    ball, partner = ti.field(ti.i32, count), ti.field(ti.i32, count)  # or -1 - axis
    for k in range(n):
        position[0, k] = job.positions[k]

    @ti.func
    def find(t):
        first = ti.math.inf
        for i in range(n):
            x, v = position[t, i], velocity[t, i]
            for j in range(i + 1, n):
                gap, relative = x - position[t, j], v - velocity[t, j]
                b = gap.dot(relative)
                if b < 0:
                    c = gap.dot(gap) - SQUARE
                    square = b * b - relative.dot(relative) * c
                    if square > 0:
                        time = c / (ti.sqrt(square) - b)
                        if time < first:
                            first = time
                            ball[t], partner[t] = i, j
            for k in ti.static(range(2)):
                if v[k] != 0:
                    wall = SIDES[k] if v[k] > 0 else RADIUS
                    time = (wall - x[k]) / v[k]
                    if time < first:
                        first = time
                        ball[t], partner[t] = i, -1 - k

    @ti.func
    def happen(t):
        """The event and the motion up to it."""
        i, j = ball[t], partner[t]
        if j >= 0:
            gap, relative = position[t, i] - position[t, j], velocity[t, i] - velocity[t, j]
            b = gap.dot(relative)
            c = gap.dot(gap) - SQUARE
            times[t] = c / (ti.sqrt(b * b - relative.dot(relative) * c) - b)
        for k in ti.static(range(2)):
            if j == -1 - k:
                wall = ti.select(velocity[t, i][k] > 0, SIDES[k], RADIUS)
                times[t] = (wall - position[t, i][k]) / velocity[t, i][k]
        for k in ti.static(range(n)):
            position[t + 1, k] = position[t, k] + times[t] * velocity[t, k]
            velocity[t + 1, k] = velocity[t, k]
        if j >= 0:
            gap = position[t + 1, i] - position[t + 1, j]
            impulse = HALF_BOUNCE * gap.dot(velocity[t, i] - velocity[t, j]) * gap
            velocity[t + 1, i] -= impulse
            velocity[t + 1, j] += impulse
        for k in ti.static(range(2)):
            if j == -1 - k:
                velocity[t + 1, i][k] -= (1 + CUSHION) * velocity[t, i][k]

    @ti.kernel
    def play(cue: Four) -> ti.f64:
        position[0, 0] = ti.Vector([cue[0], cue[1]])
        velocity[0, 0] = ti.Vector([cue[2], cue[3]])
        ti.loop_config(serialize=True)
        for t in range(count):
            find(t)
            happen(t)
        miss = position[count, TARGET] - ti.Vector(GOAL)
        return miss.dot(miss)

    @ti.kernel
    def replay():
        ti.loop_config(serialize=True)
        for _ in range(1):
            for t in range(count):
                happen(t)

    @ti.kernel
    def seed():
        """All adjoints at zero but those of the loss's two numbers."""
        ti.loop_config(serialize=True)
        for t in range(count + 1):
            for k in ti.static(range(n)):
                position.grad[t, k] = ti.Vector([0.0, 0.0])
                velocity.grad[t, k] = ti.Vector([0.0, 0.0])
            if t < count:
                times.grad[t] = 0.0
        position.grad[count, TARGET] = 2.0 * (position[count, TARGET] - ti.Vector(GOAL))

    @ti.kernel
    def slope() -> Four:
        x, v = position.grad[0, 0], velocity.grad[0, 0]
        return ti.Vector([x[0], x[1], v[0], v[1]])

    def loss(cue: Array) -> float:
        return play(ti.Vector(cue))

    def gradient(cue: Array) -> tuple[float, Array]:
        value = loss(cue)
        seed()
        replay.grad()
        return value, slope().to_numpy()

    tape = 2 * 8 * (4 * (count + 1) * n + count)  # states and times, with their adjoints
    return Program(gradient, loss, lambda: tape)
