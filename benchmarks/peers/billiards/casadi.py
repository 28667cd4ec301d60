"""CasADi: a step as one Switch between two SX functions, `mapaccum` over the steps, f64.

A Switch evaluates one side only, in the step and in its adjoint, where `if_else` on SX would
evaluate both. `generated` compiles CasADi's own C with gcc -O3; `machine` runs its virtual
machine, which needs no compiler.
"""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Callable
from itertools import combinations
from pathlib import Path

import casadi as ca
import numpy as np

from ..compiler import FLAGS, require_compiler
from ..program import Array, Program
from .job import DIAMETER, DT, EPSILON, GOAL, RESTITUTION, SLOWEST, Table

Pair = tuple[int, int]


def gap_and_speed(ahead: ca.SX, velocity: ca.SX, pair: Pair) -> tuple[ca.SX, ca.SX]:
    i, j = pair
    return ahead[:, i] - ahead[:, j], velocity[:, i] - velocity[:, j]


def is_hit(gap: ca.SX, speed: ca.SX) -> ca.SX:
    return ca.logic_and(ca.dot(gap, gap) < DIAMETER**2, ca.dot(gap, speed) < 0)


def impulse_and_jump(gap: ca.SX, speed: ca.SX) -> tuple[ca.SX, ca.SX]:
    hit = is_hit(gap, speed)
    # one ball's distance where there is no hit: the root of nothing has no derivative
    distance = ca.sqrt(ca.if_else(hit, ca.dot(gap, gap), DIAMETER**2))
    normal = gap / (distance + EPSILON)
    approach = ca.dot(normal, speed)
    impact = (distance - DIAMETER) / ca.fmin(SLOWEST, approach)
    impulse = ca.if_else(hit, -(1 + RESTITUTION) / 2 * approach, 0) * normal
    return impulse, (ca.fmin(impact - DT, 0) + DT) * impulse


def step_function(balls: int) -> ca.Function:
    position, velocity = ca.SX.sym("x", 2, balls), ca.SX.sym("v", 2, balls)
    pairs = list(combinations(range(balls), 2))
    ahead = position + DT * velocity
    after, moved = ca.SX(velocity), ca.SX(ahead)
    some = ca.SX(0)
    for i, j in pairs:
        gap, speed = gap_and_speed(ahead, velocity, (i, j))
        impulse, jump = impulse_and_jump(gap, speed)
        some = ca.logic_or(some, is_hit(gap, speed))
        after[:, i] += impulse
        after[:, j] -= impulse
        moved[:, i] += jump
        moved[:, j] -= jump
    state = ca.vertcat(ca.vec(position), ca.vec(velocity))
    collide = ca.Function("collide", [state], [ca.vertcat(ca.vec(moved), ca.vec(after))])
    coast = ca.Function("coast", [state], [ca.vertcat(ca.vec(ahead), ca.vec(velocity))])
    collides = ca.Function("collides", [state], [some])
    either = ca.Function.if_else("either", collide, coast)
    now = ca.MX.sym("state", 4 * balls)
    return ca.Function("step", [now], [either(collides(now), now)])


def functions(table: Table) -> tuple[ca.Function, ca.Function]:
    """One function from the cue to the loss, and one to the loss and its gradient."""
    cue = ca.MX.sym("cue", 4)
    resting = table.positions().ravel()[2:], table.velocities().ravel()[2:]
    start = ca.vertcat(cue[:2], resting[0], cue[2:], resting[1])
    # two levels of 32 rather than CasADi's three of 10: each level runs forward once more
    steps = step_function(table.balls).mapaccum("steps", table.steps, {"base": 32})
    final = steps(start)[:, -1]
    last = 2 * (table.balls - 1)
    loss = ca.sumsqr(final[last : last + 2] - ca.DM(GOAL))
    alone = ca.Function("loss", [cue], [loss])
    return alone, ca.Function("both", [cue], [loss, ca.gradient(loss, cue)])


def compile_c(*functions: ca.Function) -> list[ca.Function]:
    with tempfile.TemporaryDirectory() as folder:
        generator = ca.CodeGenerator("peer_casadi.c")
        for function in functions:
            generator.add(function)
        source = generator.generate(folder + "/")
        library = str(Path(folder) / "peer_casadi.so")
        subprocess.run([require_compiler(), source, "-o", library, *FLAGS], check=True)
        return [ca.external(function.name(), library) for function in functions]


def buffered(function: ca.Function, outputs: list[Array]) -> Callable[[Array], None]:
    """CasADi's fastest call: it reads and writes numpy memory given once."""
    buffer, evaluate = function.buffer()
    cue = np.zeros(4)
    buffer.set_arg(0, memoryview(cue))
    for index, output in enumerate(outputs):
        buffer.set_res(index, memoryview(output))

    def call(value: Array, _owner: ca.FunctionBuffer = buffer) -> None:  # keeps it alive
        cue[:] = value
        evaluate()

    return call


def program(alone: ca.Function, both: ca.Function) -> Program:
    loss_value, slope = np.zeros(1), np.zeros(4)
    call_alone = buffered(alone, [loss_value])
    call_both = buffered(both, [loss_value, slope])

    def loss(cue: Array) -> float:
        call_alone(cue)
        return float(loss_value[0])

    def gradient(cue: Array) -> tuple[float, Array]:
        call_both(cue)
        return float(loss_value[0]), slope.copy()

    return Program(gradient, loss, lambda: 8 * both.sz_w())


def machine(table: Table) -> Program:
    return program(*functions(table))


def generated(table: Table) -> Program:
    return program(*compile_c(*functions(table)))
