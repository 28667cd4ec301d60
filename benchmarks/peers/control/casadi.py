"""CasADi and IPOPT: problems of optimal control, every state sought, with exact Hessians.

The steps, costs, bounds and first controls are those of the scenes in tests/support; the first states are the
motion that they give. `compiled` has CasADi's own C, by gcc -O3; else its virtual machine goes through it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import casadi as ca
import numpy as np

from tests.support.regulator import END, START, STEPS, A, B, Q, R

FLAGS = ["-O3", "-march=native"]


@dataclass(frozen=True)
class Control:
    """A problem: x' = step(x, u, p) from `start`, controls u within bounds and, it may be, a p of one number;
    the sum of cost(x, u, p), and end(x, p); `ends(x)` lies between its low and high at the end."""

    start: Any
    controls: Any  # the first, (steps, m)
    step: Callable[..., Any]
    cost: Callable[..., Any] = lambda x, u, p: 0.0
    end: Callable[..., Any] = lambda x, p: 0.0
    ends: Callable[..., Any] | None = None
    between: tuple[Any, Any] = (0.0, 0.0)
    bound: tuple[float, float] = (-math.inf, math.inf)
    free: tuple[float, float, float] | None = None  # p at first, its least, its greatest


def runge_kutta(rates: Callable[..., Any], dt: float) -> Callable[..., Any]:
    """A step of Runge and Kutta."""

    def step(x: Any, u: Any, p: Any) -> Any:
        a = rates(x, u)
        b = rates(x + dt / 2 * a, u)
        c = rates(x + dt / 2 * b, u)
        return x + dt / 6 * (a + 2 * b + 2 * c + rates(x + dt * c, u))

    return step


def _cart(x: Any, u: Any, dt: Any) -> Any:
    return ca.vertcat(x[0] + dt * (x[1] + 0.5 * dt * u), x[1] + dt * u)


def _pole(x: Any, u: Any) -> Any:
    cart, pole, length, gravity = 1.0, 0.3, 0.5, 9.81
    s, c = ca.sin(x[1]), ca.cos(x[1])
    push = u + pole * s * (length * x[3] ** 2 + gravity * c)
    along = push / (cart + pole * s**2)
    return ca.vertcat(x[2], x[3], along, -(along * c + gravity * s) / length)


def _rocket(x: Any, u: Any) -> Any:
    drag = 310.0 * x[1] * ca.fabs(x[1]) * ca.exp(-500.0 * (x[0] - 1.0))
    lift = (u - drag) / ca.fmax(x[2], 0.3) - 1.0 / x[0] ** 2
    return ca.vertcat(x[1], lift, -u / 0.5)


def _bead(x: Any, u: Any, dt: Any) -> Any:
    after = x[2] + 9.81 * ca.cos(u) * dt
    way = 0.5 * (x[2] + after) * dt
    return ca.vertcat(x[0] + way * ca.sin(u), x[1] + way * ca.cos(u), after)


CONTROLS = {
    "rest": Control(
        np.zeros(2),
        np.zeros((20, 1)),
        lambda x, u, p: _cart(x, u, 0.05),
        lambda x, u, p: 0.05 * u**2,
        ends=lambda x: x,
        between=(np.array([1.0, 0.0]), np.array([1.0, 0.0])),
    ),
    "regulator": Control(
        START,
        np.ones((STEPS, 2)),
        lambda x, u, p: ca.mtimes(A, x) + ca.mtimes(B, u),
        lambda x, u, p: ca.bilin(Q, x, x) + ca.bilin(R, u, u),
        lambda x, p: ca.bilin(END, x, x),
    ),
    "brachistochrone": Control(
        np.zeros(3),
        np.full((60, 1), 0.8),
        _bead,
        end=lambda x, p: 60 * p,
        ends=lambda x: x[:2],
        between=(np.ones(2), np.ones(2)),
        free=(0.011, 1e-4, 0.1),
    ),
    "sprint": Control(
        np.zeros(2),
        np.linspace(0.5, -0.5, 20)[:, None],
        _cart,
        end=lambda x, p: 20 * p,
        ends=lambda x: x,
        between=(np.array([1.0, 0.0]), np.array([1.0, 0.0])),
        bound=(-1.0, 1.0),
        free=(0.2, 1e-3, 1.0),
    ),
    "swing-up": Control(
        np.zeros(4),
        np.zeros((100, 1)),
        runge_kutta(_pole, 0.025),
        lambda x, u, p: 0.025 * 1e-2 * u**2,
        lambda x, p: 100 * ((x[1] - math.pi) ** 2 + 0.1 * x[3] ** 2 + x[0] ** 2 + 0.1 * x[2] ** 2),
        bound=(-10.0, 10.0),
    ),
    "rocket": Control(
        np.array([1.0, 0.0, 1.0]),
        np.ones((100, 1)),
        runge_kutta(_rocket, 0.1989 / 100),
        lambda x, u, p: 0.1989 / 100 * 1e-6 * u**2,
        lambda x, p: 100.0 * (1.0 - x[0]),
        ends=lambda x: x[2],
        between=(0.6, math.inf),
        bound=(0.0, 3.5),
    ),
}


@dataclass(frozen=True)
class Solved:
    """A problem, transcribed: `solve()` gives the cost and the iterations, `evaluate()` all defects and
    constraints, their derivatives and the second ones of the cost, at the start."""

    solve: Callable[[], tuple[float, int]]
    evaluate: Callable[[], Any]


def transcribed(name: str, compiled: bool) -> Solved:
    """The problem of that name, every state sought."""
    problem = CONTROLS[name]
    steps, m = problem.controls.shape
    n = len(problem.start)
    x, u, p = ca.SX.sym("x", n), ca.SX.sym("u", m), ca.SX.sym("p")
    step = ca.Function("step", [x, u, p], [problem.step(x, u, p)])
    cost = ca.Function("cost", [x, u, p], [problem.cost(x, u, p)])
    xs, us, q = ca.MX.sym("X", n, steps + 1), ca.MX.sym("U", m, steps), ca.MX.sym("p")
    shared = ca.repmat(q, 1, steps)
    defects = [
        xs[:, 0] - problem.start,
        ca.vec(step.map(steps)(xs[:, :-1], us, shared) - xs[:, 1:]),
    ]
    total = ca.sum2(cost.map(steps)(xs[:, :-1], us, shared)) + problem.end(xs[:, -1], q)
    low, high = np.zeros(n * (steps + 1)), np.zeros(n * (steps + 1))
    if problem.ends is not None:
        defects.append(problem.ends(xs[:, -1]))
        low, high = (
            np.concatenate([a, np.ravel(b)])
            for a, b in zip((low, high), problem.between, strict=True)
        )
    z, kept = ca.vertcat(ca.vec(xs), ca.vec(us), q), ca.vertcat(*defects)
    how = {"jit": True, "compiler": "shell", "jit_options": {"flags": FLAGS}} if compiled else {}
    quiet = {"print_time": False, "ipopt.print_level": 0, "ipopt.sb": "yes", "ipopt.max_iter": 3000}
    solver = ca.nlpsol("solver", "ipopt", {"x": z, "f": total, "g": kept}, {**quiet, **how})
    free, least, most = problem.free or (0.0, 0.0, 0.0)
    path = [problem.start]
    for t in range(steps):
        path.append(step(path[-1], problem.controls[t], free).full().ravel())
    wide, between = np.full(n * (steps + 1), math.inf), np.ones(steps * m)
    given = {
        "x0": np.concatenate([np.ravel(path), np.ravel(problem.controls), [free]]),
        "lbx": np.concatenate([-wide, problem.bound[0] * between, [least]]),
        "ubx": np.concatenate([wide, problem.bound[1] * between, [most]]),
        "lbg": low,
        "ubg": high,
    }
    parts = [kept, ca.jacobian(kept, z), total, ca.gradient(total, z), ca.hessian(total, z)[0]]
    one = ca.Function("one", [z], parts, how)

    def solve() -> tuple[float, int]:
        found = solver(**given)
        return float(found["f"]), int(solver.stats()["iter_count"])

    return Solved(solve, lambda: one(given["x0"]))
