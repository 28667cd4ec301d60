"""Enzyme: the forward program in C++, each pair once with branches, its derivative made of LLVM's code.

It comes as `enzyme-ad`, which brings its own clang, without headers, and calls what it has compiled from
JAX. In reverse mode all of a step is kept; in forward mode a tangent of each number of the cue is pushed
through. What a step fills lies outside the loop: where it is local, version 0.0.16 gives zeros in reverse.
"""

from __future__ import annotations

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from enzyme_ad.jax import cpp_call

from ..program import Array, Program
from .job import DIAMETER, DT, EPSILON, GOAL, RESTITUTION, SLOWEST, Table

jax.config.update("jax_enable_x64", True)
jax.config.update("jax_platforms", "cpu")
jax.config.update("jax_cpu_enable_async_dispatch", False)  # we wait for each answer anyway

SOURCE = """
constexpr int N = {balls}, STEPS = {steps};
constexpr double DT = {dt!r}, DIAMETER = {diameter!r}, EPSILON = {epsilon!r}, SLOWEST = {slowest!r};
constexpr double HALF_BOUNCE = {half_bounce!r};

typedef double *__restrict__ row;

static void step(row x, row y, row vx, row vy, row ax, row ay, row px, row py, row qx, row qy) {{
    for (int i = 0; i < N; i++) {{
        ax[i] = x[i] + DT * vx[i], ay[i] = y[i] + DT * vy[i];
        px[i] = py[i] = qx[i] = qy[i] = 0;
    }}
    for (int i = 0; i < N; i++)
        for (int j = i + 1; j < N; j++) {{
            double gx = ax[i] - ax[j], gy = ay[i] - ay[j];
            double square = gx * gx + gy * gy;
            if (square < DIAMETER * DIAMETER) {{
                double rx = vx[i] - vx[j], ry = vy[i] - vy[j];
                if (gx * rx + gy * ry < 0) {{
                    double distance = __builtin_sqrt(square), inverse = 1 / (distance + EPSILON);
                    double nx = gx * inverse, ny = gy * inverse, approach = nx * rx + ny * ry;
                    double denominator = approach < SLOWEST ? approach : SLOWEST;
                    double past = (distance - DIAMETER) / denominator - DT;
                    if (past > 0) past = 0;
                    double jx = -HALF_BOUNCE * approach * nx, jy = -HALF_BOUNCE * approach * ny;
                    px[i] += jx, py[i] += jy, px[j] -= jx, py[j] -= jy;
                    qx[i] += past * jx, qy[i] += past * jy, qx[j] -= past * jx, qy[j] -= past * jy;
                }}
            }}
        }}
    for (int i = 0; i < N; i++) {{
        vx[i] += px[i], vy[i] += py[i];
        x[i] += qx[i] + DT * vx[i], y[i] += qy[i] + DT * vy[i];
    }}
}}

void shot(enzyme::tensor<double, 1> &out, const enzyme::tensor<double, 4> &cue) {{
    static const double X[N] = {{{xs}}}, Y[N] = {{{ys}}};
    double x[N], y[N], vx[N], vy[N], ax[N], ay[N], px[N], py[N], qx[N], qy[N];
    for (int i = 0; i < N; i++) x[i] = X[i], y[i] = Y[i], vx[i] = 0, vy[i] = 0;
    x[0] = cue[0], y[0] = cue[1], vx[0] = cue[2], vy[0] = cue[3];
    for (int t = 0; t < STEPS; t++) step(x, y, vx, vy, ax, ay, px, py, qx, qy);
    double mx = x[N - 1] - {goal[0]!r}, my = y[N - 1] - {goal[1]!r};
    out[0] = mx * mx + my * my;
}}
"""


def shot(table: Table) -> Callable[[jax.Array], jax.Array]:
    source = SOURCE.format(
        balls=table.balls,
        steps=table.steps,
        dt=DT,
        diameter=DIAMETER,
        epsilon=EPSILON,
        slowest=SLOWEST,
        half_bounce=(1 + RESTITUTION) / 2,
        goal=GOAL,
        xs=", ".join(map(repr, table.positions()[:, 0].tolist())),
        ys=", ".join(map(repr, table.positions()[:, 1].tolist())),
    )
    shape = [jax.core.ShapedArray([1], jnp.float64)]
    return lambda cue: cpp_call(cue, out_shapes=shape, source=source, fn="shot")[0][0]


def program(value: Callable, both: Callable) -> Program:
    alone, both = jax.jit(value), jax.jit(both)

    def gradient(cue: Array) -> tuple[float, Array]:
        loss, slope = both(cue)
        return float(loss), np.asarray(slope)

    return Program(gradient, lambda cue: float(alone(cue)))


def reverse(table: Table) -> Program:
    value = shot(table)
    return program(value, jax.value_and_grad(value))


def forward(table: Table) -> Program:
    value = shot(table)

    def both(cue: jax.Array) -> tuple[jax.Array, jax.Array]:
        found = [jax.jvp(value, (cue,), (along,)) for along in jnp.eye(4)]
        return found[0][0], jnp.stack([slope for _, slope in found])

    return program(value, both)
