"""Whether a scene can be trusted: its gradient, its runs, its picture and what its motion should keep.

Each check is a function of a `Run` that yields findings. `python -m rosephys check SCENE` runs them all. None
asks a clock: what is found, and how many evaluations it takes, is the same on every machine.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from functools import partial

import numpy as np

import rose_ad as ra

from ..limit import Limit
from ..solve.constraints import excesses
from ..solve.guard import in_motion, lost, origin
from ..solve.problem import Problem
from ..solve.trust import judge
from .differences import constraint_slopes, gradients, modes
from .finding import Finding, Outcome, Run
from .look import pictures
from .machine import interpreter


def check(
    problem: Problem, thorough: bool = False, told: Callable[[str], object] = lambda what: None
) -> Iterator[Finding]:
    """All findings about a scene; `told` is given the name of each check that begins.

    A thorough check makes more evaluations. Raises what the scene raises when it is traced or run.
    """
    run = Run(problem, thorough)
    told("limits")
    held = list(limits(run))
    yield from held
    if any(finding.verdict == "FAILED" for finding in held):
        return  # where the models do not hold, nothing else means anything
    for name, findings in CHECKS.items():
        told(name)
        yield from iter(partial(_next, findings(run)), None)


@np.errstate(invalid="ignore", over="ignore")  # what is not finite is a finding
def _next(findings: Iterator[Finding]) -> Finding | None:
    return next(findings, None)


def limits(run: Run) -> Iterator[Finding]:
    """Whether the scene's models hold all along the motion."""
    stated = run.problem.limits(run.values)
    breach = in_motion(run.problem, run.values)
    if breach is not None:
        yield Finding("limits", "FAILED", breach.words, "beyond it the model does not hold")
    elif stated:
        worst = max(stated, key=_use)
        what = worst.quantity or worst.field
        yield Finding("limits", "ok", f"{what} is at {_use(worst):.0%} of what it may be at most")


def _use(limit: Limit) -> float:
    """The largest share of a bound that is used."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return float(np.nanmax(np.divide(limit.value, limit.bound), initial=0.0))


def constraints(run: Run) -> Iterator[Finding]:
    """Which constraints the motion keeps as it is, and whether their derivatives agree with differences."""
    found = excesses(run.problem, run.values)
    for excess in found:
        what = f"constraint: {excess.name}"
        measured = "is kept" if excess.kept else excess.words.partition(" is ")[2]
        yield Finding(what, "ok" if excess.kept else "note", measured, "" if excess.kept else _OFF)
    if found and run.problem.controls:
        yield constraint_slopes(run)


_OFF = "the controls as they are do not keep it; `optimize` finds some that do, if there are any"


def states(run: Run) -> Iterator[Finding]:
    """Whether every number of every state is finite."""
    leaves = ra.flatten(run.trajectory)[0]
    where = lost(run.trajectory)
    if where is None:
        count = sum(np.size(leaf[0]) for leaf in leaves)
        yield Finding("states", "ok", f"{len(leaves[0])} of {count} finite numbers each")
        return
    yield Finding(
        "states",
        "FAILED",
        where.words,
        f"{origin(run.problem, run.values)}; a motion that explodes wants a smaller dt",
    )


def distance(run: Run) -> Iterator[Finding]:
    """Whether the loss changes over a distance by the sum of its gradient on the way; see solve/trust.py.

    A loss that is a saw, for the instant of a contact is no part of what is computed, has a derivative that
    agrees with differences and leads astray.
    """
    if not run.finite:
        return
    found = judge(run.problem, run.values, known=run.gradient, thorough=run.thorough)
    measured = f"{found.promised:.3g}, and the loss changes by {found.change:.3g}"
    if found.reason in ("not finite", "no controls"):
        measured = found.title
    yield Finding(
        "gradient summed over a distance",
        "ok" if found.trusted else "note",
        measured,
        found.sentence,
    )


def determinism(run: Run) -> Iterator[Finding]:
    """Whether a second run, and one of a program made anew, give the same bits."""

    def bits(problem: Problem) -> list[bytes]:
        found = (problem.value_and_gradient(run.values), problem.trajectory(run.values))
        return [np.asarray(leaf).tobytes() for leaf in ra.flatten(found)[0]]

    first, again, anew = bits(run.problem), bits(run.problem), bits(Problem(run.problem.scene))
    if first == again == anew:
        yield Finding("determinism", "ok", "three runs, one of a program made anew: the same bits")
        return
    which = "a second run" if first != again else "a program made anew"
    yield Finding(
        "determinism",
        "FAILED",
        f"{which} gives other numbers",
        "give random numbers of the scene a seed; let no method change the scene or a global",
    )


def invariants(run: Run) -> Iterator[Finding]:
    """How far what the motion should keep drifts."""
    allowed = run.problem.scene.allowed_drift
    found = run.problem.invariants(run.values, run.trajectory)
    for name, values in found.items():
        change = values - values[0]
        low, high = float(np.min(change)), float(np.max(change))
        size = float(np.max(np.abs(values)))
        drift = max(-low, high)
        share = f" ({100 * drift / size:.2g} %)" if drift > 1e-12 * max(size, 1.0) else ""
        measured = f"{values[0]:.6g} to {values[-1]:.6g}, drift {low:.1e} .. {high:+.1e}{share}"
        limit = allowed.get(name)
        if limit is None:
            verdict: Outcome = "note" if math.isfinite(drift) else "FAILED"
            yield Finding(
                f"invariant: {name}", verdict, measured, "" if verdict == "note" else _DRIFT
            )
            continue
        below, above = limit if isinstance(limit, tuple) else (limit, limit)
        kept = -below <= low and high <= above
        yield Finding(
            f"invariant: {name}",
            "ok" if kept else "FAILED",
            measured + ("" if kept else f"; allowed is -{below:g} .. {above:+g}"),
            "" if kept else _DRIFT,
        )
    for name in allowed:
        if name not in found:
            advice = f"invariants() has {', '.join(found) or 'nothing'}; name one of them"
            yield Finding(f"invariant: {name}", "FAILED", "allowed_drift names it alone", advice)


_DRIFT = (
    "the motion does not keep it: a smaller dt, a symplectic or higher-order method, or a force or"
    " contact that is not what it should be; else say in allowed_drift what is right"
)


CHECKS: dict[str, Callable[[Run], Iterator[Finding]]] = {
    "states": states,
    "constraints": constraints,
    "gradient": gradients,
    "gradient over a distance": distance,
    "forward and reverse mode": modes,
    "determinism": determinism,
    "interpreter": interpreter,
    "picture": pictures,
    "invariants": invariants,
}
