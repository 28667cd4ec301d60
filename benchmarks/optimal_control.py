"""Problems of optimal control whose solutions are known, beside CasADi and IPOPT.

    python benchmarks/optimal_control.py [PROBLEM ...] [--rounds 5] [--write]

Both have the same steps, costs, bounds and first controls. CasADi seeks every state (as here
`multiple-shooting` does), with the Hessian exact, and IPOPT's own tolerance. What is compared: the whole solve,
and one evaluation of what either goes on by. That is of CasADi all defects and constraints with their
derivatives and the second ones of the cost; here of solvers in stages the stages with their derivatives, of
others the loss, the constraints and their derivatives in the controls. The least of the rounds is told, by the
processor's clock. `--write` puts the table into docs/solving.md.

Through contact, where a push that misses has no slope, IPOPT that seeks every state comes to no contact and
stops there. So it seeks the controls alone there, by L-BFGS as here does, and what is compared is the way to
0.1 % above the optimum, which is known.
"""

from __future__ import annotations

import argparse
import math
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # whose waiting would be counted

from benchmarks.peers.control import PROBLEMS, until
from rosephys import Problem, descend
from rosephys.scene.optimizers import OPTIMIZERS
from rosephys.solve.stages import Stages

PAGE = Path(__file__).parents[1] / "docs" / "solving.md"
BEGIN, END = "<!-- control -->\n", "<!-- end of control -->"


def least(rounds: int, call: Callable[[], Any]) -> float:
    """The least processor's time of several calls, in seconds, after one that may compile."""
    call()
    found = math.inf
    for _ in range(rounds):
        begin = time.process_time()
        call()
        found = min(found, time.process_time() - begin)
    return found


def evaluation(problem: Problem, optimizer: str) -> Callable[[], Any]:
    """What a solver is told at a point."""
    if OPTIMIZERS[optimizer].needs == "stages":
        stages, constants = Stages(problem), problem.split({})[1]
        run = stages.first(problem.complete({}))
        return lambda: (stages.ahead(run, constants), stages.slopes(run, constants))
    asked = problem.value_and_gradient, problem.constraints, problem.constraint_derivatives
    return lambda: [ask(problem.values) for ask in asked]


def rows(name: str, rounds: int) -> Iterator[tuple[str, float, int, float, float]]:
    """Rows of a problem: the solver, the cost, its iterations, seconds, and those of an evaluation."""
    case = PROBLEMS[name]
    problem = Problem(case.scene())
    for optimizer in case.optimizers:

        def solve(optimizer: str = optimizer) -> list[Any]:
            way = descend(problem, optimizer=optimizer, iterations=1000, rate=case.rate)
            return list(until(way, case.enough))

        found = solve()
        best = min(found, key=lambda iterate: iterate.rank)
        one = least(20 * rounds, evaluation(problem, optimizer))
        yield f"`{optimizer}`", best.loss, best.iteration, least(rounds, solve), one
    try:
        from benchmarks.peers.control.casadi import transcribed
    except ImportError:
        print("CasADi is not installed: pip install casadi\n", file=sys.stderr)
        return
    for compiled in (False, True) if shutil.which("gcc") else (False,):
        peer = transcribed(name, compiled, case.enough)
        cost, iterations = peer.solve()
        seconds, one = least(rounds, peer.solve), least(20 * rounds, peer.evaluate)
        by = "CasADi's C, IPOPT" if compiled else "CasADi, IPOPT"
        yield by, cost, iterations, seconds, one


def main() -> None:
    """Print the table, or write it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("problems", nargs="*", default=list(PROBLEMS), metavar="PROBLEM")
    parser.add_argument("--rounds", type=int, default=5, metavar="N", help="solves of each")
    parser.add_argument("--write", action="store_true")
    asked = parser.parse_args()
    lines = [
        "| | by | cost | iterations | a solve | an evaluation |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for name in asked.problems:
        for k, (by, cost, iterations, seconds, one) in enumerate(rows(name, asked.rounds)):
            times = f"{1e3 * seconds:.3g} ms | {1e6 * one:.3g} µs"
            lines.append(f"| {'' if k else name} | {by} | {cost:.8f} | {iterations} | {times} |")
            print(lines[-1], flush=True)
    if asked.write:
        before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
        text = "\n".join(lines) + "\n"
        PAGE.write_text(before + BEGIN + text + END + rest.partition(END)[2], encoding="utf-8")


if __name__ == "__main__":
    main()
