"""CasADi and IPOPT: problems of optimal control, every state sought, with exact Hessians.

The steps, costs, bounds and first controls are those of the scenes in tests/support; the first states are the
motion that they give. Of a push through contact the controls alone are sought, by L-BFGS. `compiled` has
CasADi's own C, by gcc -O3; else its virtual machine goes through it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import casadi as ca
import numpy as np

from benchmarks.peers.control.casadi_push import push_step
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
    alone: float | None = None  # IPOPT's first curvature, where the controls alone are sought


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


def _push(starts: tuple[float, ...], push: tuple[float, float], wall: bool) -> Control:
    """A disc is pushed into another. By a first curvature of 5 or 100 the second task is lost."""
    return Control(
        np.array([*starts, 0.0, 0.0, 0.0, 0.0]),
        np.tile(push, (480, 1)),
        push_step(wall, 1 / 480),
        lambda x, u, p: 0.01 / 480 * ca.sumsqr(u),
        lambda x, p: ca.sumsqr(x[2:4]),
        alone=20.0,
    )


CONTROLS |= {
    "push": _push((-1.0, -2.0, -1.0, -1.0), (0.0, 3.0), wall=False),
    "push, by a wall": _push((0.25, -0.3, -0.5, 0.6), (-3.5, 3.0), wall=True),
}


@dataclass(frozen=True)
class Solved:
    """A problem, transcribed: `solve()` gives the cost and the iterations, `evaluate()` all defects and
    constraints, their derivatives and the second ones of the cost, at the start; where the controls alone are
    sought, the cost and its gradient."""

    solve: Callable[[], tuple[float, int]]
    evaluate: Callable[[], Any]


class Enough(ca.Callback):
    """Ends a solve of n numbers where the cost is enough."""

    def __init__(self, n: int, enough: float) -> None:
        ca.Callback.__init__(self)
        self.n, self.enough = n, enough
        self.construct("enough", {})

    def get_n_in(self) -> int:
        return int(ca.nlpsol_n_out())

    def get_n_out(self) -> int:
        return 1

    def get_sparsity_in(self, k: int) -> Any:
        rows = {"x": self.n, "lam_x": self.n, "f": 1}.get(ca.nlpsol_out(k), 0)
        return ca.Sparsity.dense(rows, 1)

    def eval(self, found: Any) -> Any:
        return [float(found[1]) <= self.enough]


def _how(compiled: bool) -> dict[str, Any]:
    return {"jit": True, "compiler": "shell", "jit_options": {"flags": FLAGS}} if compiled else {}


QUIET = {"print_time": False, "ipopt.print_level": 0, "ipopt.sb": "yes", "ipopt.max_iter": 3000}


def transcribed(name: str, compiled: bool, enough: float = -math.inf) -> Solved:
    """The problem of that name, every state sought, or the controls alone until the cost is enough."""
    problem = CONTROLS[name]
    return _whole(problem, compiled) if problem.alone is None else _alone(problem, compiled, enough)


def _alone(problem: Control, compiled: bool, enough: float) -> Solved:
    """By single shooting."""
    steps, m = problem.controls.shape
    x, u = ca.SX.sym("x", len(problem.start)), ca.SX.sym("u", m)
    step = ca.Function("step", [x, u], [problem.step(x, u, 0.0), problem.cost(x, u, 0.0)])
    us = ca.MX.sym("U", m, steps)
    xs, costs = step.mapaccum("motion", steps)(problem.start, us)
    z, total = ca.vec(us), ca.sum2(costs) + problem.end(xs[:, -1], 0.0)
    stop = Enough(steps * m, enough)
    shooting = {
        "ipopt.hessian_approximation": "limited-memory",
        "ipopt.limited_memory_init_val": problem.alone,
        "iteration_callback": stop,
    }
    solver = ca.nlpsol(
        "solver", "ipopt", {"x": z, "f": total}, {**QUIET, **shooting, **_how(compiled)}
    )
    one = ca.Function("one", [us], [total, ca.gradient(total, us)], _how(compiled))
    first = problem.controls.ravel()

    def solve() -> tuple[float, int]:
        found = solver(x0=first)
        assert stop.n  # it lives as long as the solver
        return float(found["f"]), int(solver.stats()["iter_count"])

    return Solved(solve, lambda: one(problem.controls.T))


def _whole(problem: Control, compiled: bool) -> Solved:
    """By multiple shooting, a step to a shot."""
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
    how = _how(compiled)
    solver = ca.nlpsol("solver", "ipopt", {"x": z, "f": total, "g": kept}, {**QUIET, **how})
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
