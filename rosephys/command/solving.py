"""A solve from the command line: as asked, with a bar, from one start or many, and what it came to."""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp
from time import perf_counter
from typing import Any

from rosephys.command.ensembles import ensemble_words
from rosephys.command.report import judged, warn_of_gradient
from rosephys.console import Bar, say, working
from rosephys.errors import OptimizeError, describe
from rosephys.files.values import save
from rosephys.scene.scene import constrained, costed
from rosephys.solve.constraints import worst
from rosephys.solve.ensemble import Ensemble
from rosephys.solve.guard import at_first
from rosephys.solve.iterate import Iterate, Solution
from rosephys.solve.optimize import check_optimizer, check_schedule
from rosephys.solve.outcome import Help, Outcome, outcome, steepness, under_constraints
from rosephys.solve.problem import Arrays, Problem
from rosephys.solve.starts import descend_from, goes_on_from_many
from rosephys.solve.trust import Verdict

FURTHER = ("schedule", "clip")  # of `optimize` alone


@dataclass(frozen=True)
class Ending:
    """The verdict on the gradient where a descent has ended, and what has become of the descent."""

    verdict: Verdict
    outcome: Outcome | None


def solving(problem: Problem, arguments: argparse.Namespace) -> dict[str, Any]:
    """How to solve: as asked, or else as the scene prefers. Raises what `descend` does of an optimiser that is
    of no use."""
    asked = {name: getattr(arguments, name) for name in ("iterations", "rate", "optimizer")}
    how = {
        name: getattr(problem.scene, name) if value is None else value
        for name, value in asked.items()
    }
    check_optimizer(problem, how["optimizer"])
    for name in FURTHER:
        if getattr(arguments, name, None) is not None:
            how[name] = getattr(arguments, name)
    check_schedule(how["optimizer"], how.get("schedule", "constant"))
    return how | {"starts": arguments.starts, "seed": arguments.seed}


def replaying(problem: Problem, arguments: argparse.Namespace) -> dict[str, Any]:
    """The same, but what was loaded is taken as it is unless iterations are asked for."""
    how = solving(problem, arguments)
    if arguments.load and arguments.iterations is None:
        how["iterations"] = 0
    return how


def compile_gradient(problem: Problem, quiet: bool) -> None:
    """Compile the gradient, and warn of the limits of the first state."""
    with working("compiling the gradient", quiet) as name:
        problem.compile()
        name("compiling the limits")
        breach = at_first(problem, problem.values)
    if breach is not None:
        say(f"warning: {breach.words}")


def solve(
    problem: Problem,
    how: dict[str, Any],
    quiet: bool = False,
    noted: Callable[[int, Iterate], object] = lambda start, iterate: None,
) -> Solution:
    """Optimise with a progress bar. Ctrl-C, a loss that is not finite, or a file that cannot be written ends it
    early. `noted` is given each iterate and the number of its start."""
    each, starts = how["iterations"], how["starts"]
    if goes_on_from_many(problem, how["optimizer"]):
        starts = 1
    descents: list[Solution] = []
    stopped, code = "", 0
    compile_gradient(problem, quiet)
    bar = Bar((each + 1) * starts - 1, quiet)
    begin = perf_counter()
    try:
        for start, iterate in descend_from(problem, **how):
            while len(descents) <= start:
                descents.append(Solution())
            descents[start].iterates.append(iterate)
            noted(start, iterate)
            bar.show(start * (each + 1) + iterate.iteration, f"loss {iterate.loss:.3e}")
    except (KeyboardInterrupt, OptimizeError, OSError) as ending:
        if not descents:
            raise
        interrupted = isinstance(ending, KeyboardInterrupt)
        stopped = "interrupted" if interrupted else describe(ending)
        code = 130 if interrupted else 1
    finally:
        bar.clear()
    tried = [descent for descent in descents if descent.iterates]
    solution = min(tried, key=lambda descent: descent.best.rank)
    solution.starts, solution.seconds = len(tried), perf_counter() - begin
    solution.stopped, solution.code = stopped, code
    if stopped:
        say(f"{stopped}; the result is that of iteration {solution.best.iteration}")
    return solution


def found(problem: Problem, solution: Solution) -> Arrays:
    """All values, the controls among them as they were found."""
    return {**problem.values, **solution.best.values}


@contextmanager
def rescued(problem: Problem, solution: Solution, name: str) -> Iterator[None]:
    """A `with` that keeps what was found somewhere else, and says where, if it cannot be kept inside."""
    try:
        yield
    except Exception:
        path = Path(mkdtemp(prefix="rosephys-")) / f"{name}.npz"
        save(path, problem.scene, found(problem, solution))
        say(f"what was found is kept in {path}: --load {path}")
        raise


def tell(arguments: argparse.Namespace, end: Ending) -> None:
    """Say what the descent came to, and if the gradient cannot be trusted there."""
    nothing = end.outcome is not None and end.outcome.state == "nothing to find"
    if not nothing:  # which is said in the same words
        warn_of_gradient(end.verdict)
    if end.outcome is not None:
        print(f"\n{end.outcome.sentence}")
        if end.outcome.help is not None and end.verdict.reason != "limit":
            print(f"to try: {_with_help(arguments, end.outcome.help)}")


def ending(
    problem: Problem,
    solution: Solution,
    how: dict[str, Any],
    *,
    thorough: bool = False,
    quiet: bool = False,
) -> Ending:
    """How a descent has ended. It takes as long as some iterations: what was found is to be kept before."""
    best = solution.best
    known = best.loss, best.gradient
    values = found(problem, solution)
    verdict = judged(problem, values, known, thorough=thorough, quiet=quiet)
    steep = steepness(problem, best.values, best.gradient)
    if constrained(problem.scene):
        came_to = under_constraints(solution.losses, worst(problem, values), how["optimizer"])
    else:
        told = how["optimizer"], how["rate"], costed(problem.scene) or isinstance(problem, Ensemble)
        came_to = outcome(solution.losses, steep, verdict, *told)
    return Ending(verdict, came_to)


def _with_help(arguments: argparse.Namespace, hint: Help) -> str:
    """The command that was typed, with an option that may help."""
    words = ["python", "-m", "rosephys", "optimize", arguments.scene]
    for name, value in arguments.settings:
        words += ["--set", f"{name}={value}"]
    if arguments.load:
        words += ["--load", str(arguments.load)]
    words += ensemble_words(arguments)
    asked = ("iterations", "rate", "optimizer", *FURTHER)
    options = {name: getattr(arguments, name, None) for name in asked}
    options |= {hint.option: hint.value}
    if hint.option == "starts" and arguments.starts > 1:  # which has been tried: others, then
        options |= {"starts": arguments.starts, "seed": arguments.seed + 1}
    for name, value in options.items():
        words += [f"--{name}", str(value)] if value is not None else []
    return shlex.join(words)
