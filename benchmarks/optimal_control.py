"""Optimal control beside CasADi and IPOPT: a pole on a cart swung up in 100 steps, by forces of at most 10 N.

    python benchmarks/optimal_control.py
    python benchmarks/optimal_control.py --rounds 20

Both have the same steps of Runge and Kutta, the same costs and bounds, and begin with no force and the motion
that it gives. CasADi shoots from step to step (every state is sought, as here by `multiple-shooting`), with
the Hessian exact, and IPOPT's own tolerance. What is compared: the whole solve, and one evaluation of all
defects with their derivatives and those of the costs, by which either goes on. The least of the rounds is
told, by the processor's clock.
"""

from __future__ import annotations

import argparse
import math
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from rosephys import Problem, descend
from rosephys.solve.stages import Stages
from tests.support.control import SwingUp

STEPS, DT, FORCE = 100, 0.025, 10.0
FLAGS = ["-O3", "-march=native"]
CART, POLE, LENGTH, GRAVITY = 1.0, 0.3, 0.5, 9.81


def least(rounds: int, call: Callable[[], Any]) -> float:
    """The least processor's time of several calls, in seconds, after one that may compile."""
    call()
    found = math.inf
    for _ in range(rounds):
        begin = time.process_time()
        call()
        found = min(found, time.process_time() - begin)
    return found


def ours(rounds: int) -> list[tuple[str, float, int, float, float]]:
    """Rows: the solver, the cost, its iterations, seconds, and those of an evaluation."""
    problem = Problem(SwingUp())
    stages, constants = Stages(problem), problem.split({})[1]
    run = stages.first(problem.complete({}))
    one = least(20 * rounds, lambda: (stages.ahead(run, constants), stages.slopes(run, constants)))
    rows = []
    for name in ("ddp", "ilqr", "multiple-shooting"):

        def solve(name: str = name) -> list[Any]:
            return list(descend(problem, optimizer=name, iterations=1000))

        found = solve()
        rows.append((f"`{name}`", found[-1].loss, len(found) - 1, least(rounds, solve), one))
    return rows


def casadis(rounds: int, compiled: bool) -> list[tuple[str, float, int, float, float]]:
    """The same of CasADi and IPOPT, in CasADi's virtual machine or `compiled` from the C that it writes."""
    import casadi as ca

    x, u = ca.SX.sym("x", 4), ca.SX.sym("u")

    def rates(x: Any) -> Any:
        s, c = ca.sin(x[1]), ca.cos(x[1])
        push = u + POLE * s * (LENGTH * x[3] ** 2 + GRAVITY * c)
        along = push / (CART + POLE * s**2)
        turn = -(along * c + GRAVITY * s) / LENGTH
        return ca.vertcat(x[2], x[3], along, turn)

    a = rates(x)
    b = rates(x + DT / 2 * a)
    c = rates(x + DT / 2 * b)
    d = rates(x + DT * c)
    step = ca.Function("step", [x, u], [x + DT / 6 * (a + 2 * b + 2 * c + d)])
    xs, us = ca.MX.sym("X", 4, STEPS + 1), ca.MX.sym("U", 1, STEPS)
    ahead = step.map(STEPS)(xs[:, :-1], us)
    end = xs[:, -1]
    miss = (end[1] - math.pi) ** 2 + 0.1 * end[3] ** 2 + end[0] ** 2 + 0.1 * end[2] ** 2
    cost = 100 * miss + DT * 1e-2 * ca.sumsqr(us)
    z = ca.vertcat(ca.vec(xs), ca.vec(us))
    defects = ca.vertcat(xs[:, 0], ca.vec(ahead - xs[:, 1:]))
    nlp = {"x": z, "f": cost, "g": defects}
    quiet = {"print_time": False, "ipopt.print_level": 0, "ipopt.sb": "yes", "ipopt.max_iter": 3000}
    how = {"jit": True, "compiler": "shell", "jit_options": {"flags": FLAGS}} if compiled else {}
    solver = ca.nlpsol("solver", "ipopt", nlp, {**quiet, **how})
    wide = np.full(4 * (STEPS + 1), np.inf)
    low, high = (np.concatenate([s * wide, np.full(STEPS, s * FORCE)]) for s in (-1, 1))
    given = {"x0": np.zeros(z.numel()), "lbx": low, "ubx": high, "lbg": 0, "ubg": 0}
    found = solver(**given)
    iterations = int(solver.stats()["iter_count"])
    jacobian = ca.jacobian(defects, z)
    hessian = ca.hessian(cost, z)[0]
    one = ca.Function("one", [z], [defects, jacobian, cost, ca.gradient(cost, z), hessian], how)
    start = np.zeros(z.numel())
    seconds = least(rounds, lambda: solver(**given))
    evaluation = least(20 * rounds, lambda: one(start))
    name = "CasADi's C, IPOPT" if compiled else "CasADi, IPOPT"
    return [(name, float(found["f"]), iterations, seconds, evaluation)]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument(
        "--rounds", type=int, default=5, metavar="N", help="solves, of which the least counts"
    )
    rounds = parser.parse_args().rounds
    rows = ours(rounds)
    try:
        rows += casadis(rounds, False)
        rows += casadis(rounds, True) if shutil.which("gcc") else []
    except ImportError:
        print("CasADi is not installed: pip install casadi\n", file=sys.stderr)
    print("| | cost | iterations | a solve | an evaluation |\n| --- | --- | --- | --- | --- |")
    for name, cost, iterations, seconds, one in rows:
        print(
            f"| {name} | {cost:.9f} | {iterations} | {1e3 * seconds:.0f} ms | {1e6 * one:.0f} µs |"
        )


if __name__ == "__main__":
    main()
