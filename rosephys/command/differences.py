"""The gradient of a scene against central differences, and forward against reverse mode.

A slope is right where it agrees with a difference of some step, of which that with the least error of its own
is tried first, so most slopes take two losses. One that agrees with none takes those of all STEPS.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from ..solve.constraints import flat
from ..solve.guard import origin
from ..solve.problem import Arrays
from ..solve.trust import REACH
from .finding import Finding, Outcome, Run

DIRECTIONS = 4  # random ones, in all controls together
MORE = 16  # of them for a thorough check
FEW = 12  # so many numbers among the controls are checked one by one
STEPS = 10.0 ** -np.arange(3, 9)  # of central differences, relative to the size of a control
ORDER = (2, 3, 1, 4, 0, 5)  # in which they are tried
ROUGH = 2  # directions in which no differences settle, after which no more are tried
WRONG = 1e-4  # a larger relative difference from central differences is called wrong
UNSEEN = 1e-9  # a slope this small, relative to the loss or the steepest, cannot be told from none
MODES = 1e-7  # a larger relative difference between forward and reverse mode is called wrong


def gradients(run: Run) -> Iterator[Finding]:
    """The gradient against central differences: along random directions, and in each control."""
    loss, gradient = run.gradient
    if not gradient:
        yield Finding("gradient", "note", "the scene has no controls: there is nothing to find")
        return
    bad = [n for n, g in gradient.items() if not np.isfinite(g).all()]
    if bad or not math.isfinite(loss):
        what = ", ".join(bad) if math.isfinite(loss) else f"the loss, {loss},"
        yield Finding(
            "gradient",
            "FAILED",
            f"not finite: {what}",
            f"{origin(run.problem, run.values)}; a root or a norm of zero is the usual cause",
        )
        return
    rng, sizes = np.random.default_rng(0), run.sizes
    together = [_random(rng, gradient, sizes) for _ in range(MORE if run.thorough else DIRECTIONS)]
    yield _compared(run, "gradient along random directions", together)
    for name in gradient:
        yield _compared(run, f"gradient in {name}", _each(rng, gradient, name, sizes, run.thorough))


def constraint_slopes(run: Run) -> Finding:
    """The derivatives of all numbers of all constraints against differences, along a random direction."""
    problem, values = run.problem, run.values
    controls = {n: values[n] for n in problem.controls}
    along = _random(np.random.default_rng(2), controls, run.sizes)
    slopes = problem.constraint_derivatives(values)
    slope = sum(np.tensordot(slopes[n], v, v.ndim) for n, v in along.items())
    size = float(np.max(np.abs(slope), initial=0.0))
    least = math.inf
    for step in STEPS:
        ahead, behind = (
            flat(problem, {**values, **{n: values[n] + h * v for n, v in along.items()}})[0]
            for h in (step, -step)
        )
        with np.errstate(invalid="ignore"):  # what is infinite has no difference
            apart = float(np.max(np.abs((ahead - behind) / (2 * step) - slope), initial=0.0))
        if math.isfinite(apart):
            least = min(least, apart / size if size else apart)
    verdict: Outcome = "ok" if least <= WRONG else "FAILED"
    advice = "" if verdict == "ok" else "a derivative is wrong, or a constraint has a kink here"
    return Finding("derivatives of constraints", verdict, f"relative error {least:.1e}", advice)


def _random(rng: np.random.Generator, like: Arrays, sizes: Mapping[str, float]) -> Arrays:
    """A direction in all controls, each moved by its size."""
    out = {}
    for name, g in like.items():
        v = rng.standard_normal(g.shape)
        out[name] = np.asarray(v * sizes[name] / (np.linalg.norm(v) or 1.0))
    return out


def _each(
    rng: np.random.Generator,
    gradient: Arrays,
    name: str,
    sizes: Mapping[str, float],
    thorough: bool,
) -> list[Arrays]:
    """The axes of one control, or, where it has many, random directions in it."""
    shape = gradient[name].shape
    if sum(g.size for g in gradient.values()) > FEW:
        count = DIRECTIONS if thorough else 1
        return [_random(rng, {name: gradient[name]}, sizes) for _ in range(count)]
    axes = sizes[name] * np.eye(max(gradient[name].size, 1))
    return [{name: axis.reshape(shape)} for axis in axes]


def _compared(run: Run, what: str, directions: list[Arrays]) -> Finding:
    """The worst of some directions; after one that is wrong, or a few in which nothing settles, there are no
    more."""
    found: list[Difference] = []
    for direction in directions:
        found.append(difference(run, direction))
        verdicts = [f.verdict for f in found]
        if "FAILED" in verdicts or verdicts.count("note") >= ROUGH:
            break
    failed = [f for f in found if f.verdict == "FAILED"]
    notes = [f for f in found if f.verdict == "note"]
    worst = max(found, key=lambda f: f.error)
    shown = (failed or notes or [worst])[0]
    if shown.verdict == "ok":
        several = f" in {len(found)} directions" if len(found) > 1 else ""
        differs = f"differs by {worst.error:.1g} at most{several}"
        if not any(f.slope for f in found):
            differs = _zero(run, directions)
        return Finding(what, "ok", differs)
    numbers = f"{shown.slope:.6g}, central differences {shown.differences}"
    if shown.verdict == "FAILED":
        return Finding(
            what,
            "FAILED",
            numbers,
            "a derivative is wrong: look for custom rules, stop_gradient, and contact whose instant"
            " is not part of the motion; ra.check_grads tells more of a single function",
        )
    return Finding(
        what,
        "note",
        numbers,
        "differences do not settle: the loss jumps or is chaotic here; try --set with other values,"
        " fewer steps, or ra.check_continuity",
    )


def _zero(run: Run, directions: list[Arrays]) -> str:
    """Why a gradient is zero: at a minimum, a maximum or a saddle the loss changes beside it."""
    loss = run.gradient[0]
    ends = [run.along(direction, at) for direction in directions for at in (-REACH, REACH)]
    change = max((end - loss for end in ends), key=abs, default=0.0)
    if abs(change) <= UNSEEN * REACH * abs(loss):
        return "zero: the loss does not depend on it here"
    return f"zero: the loss is stationary here, and {REACH:.0%} away it changes by {change:.1g}"


@dataclass(frozen=True)
class Difference:
    """A slope by the gradient, the relative error it is found to have, and differences for people."""

    verdict: Outcome
    slope: float
    error: float
    differences: str


def difference(run: Run, direction: Arrays) -> Difference:
    """A slope against differences with ever smaller steps.

    It is right where it agrees with one of them, wrong where two that follow each other agree with each other
    alone. Where no two agree, differences say nothing.
    """
    loss, gradient = run.gradient
    slope = float(sum(np.vdot(gradient[n], v) for n, v in direction.items()))
    # an error is small or large beside the slope; beside those in single numbers, where they cancel; and where
    # the slope is next to nothing, beside what differences can resolve
    parts = _length({n: gradient[n] * v for n, v in direction.items()})
    steepest = _length({n: gradient[n] * run.sizes[n] for n in gradient})
    least = max(parts, UNSEEN / WRONG * max(abs(loss), steepest))
    found = np.full(len(STEPS), np.nan)
    for k in ORDER:
        h = STEPS[k]
        found[k] = (run.along(direction, h) - run.along(direction, -h)) / (2 * h)
        error = _apart(slope, found[k], least)
        if error <= WRONG:
            return Difference("ok", slope, error, "")
    settled = [
        k
        for k, (a, b) in enumerate(pairwise(found))
        if _apart(a, b) <= WRONG or max(abs(a), abs(b)) <= UNSEEN * abs(loss)
    ]
    shown = f"{found[settled[-1]]:.6g}" if settled else ", ".join(f"{d:.3g}" for d in found)
    error = float(np.nanmin([_apart(slope, d, least) for d in found], initial=math.inf))
    return Difference("FAILED" if settled else "note", slope, error, shown)


def _length(of: Arrays) -> float:
    return math.sqrt(sum(float(np.vdot(a, a)) for a in of.values()))


def _apart(a: float, b: float, least: float = 0.0) -> float:
    """The difference relative to the larger of two numbers, or to `least`, if they are smaller."""
    return abs(a - b) / max(abs(a), abs(b), least) if a != b else 0.0


def modes(run: Run) -> Iterator[Finding]:
    """Forward against reverse mode: both give the slope along a direction."""
    _, gradient = run.gradient
    if not run.finite or not gradient:
        return
    rng = np.random.default_rng(1)
    worst, pair = 0.0, (0.0, 0.0)
    for _ in range(DIRECTIONS):
        direction = _random(rng, gradient, run.sizes)
        reverse = float(sum(np.vdot(g, direction[n]) for n, g in gradient.items()))
        scale = sum(float(np.sum(np.abs(g * direction[n]))) for n, g in gradient.items())
        forward = run.problem.slope(run.values, direction)
        error = abs(forward - reverse) / scale if scale else abs(forward)
        if not error <= worst:
            worst, pair = error if error == error else math.inf, (forward, reverse)
    if worst <= MODES:
        yield Finding("forward against reverse mode", "ok", f"differ by {worst:.1g} at most")
    else:
        yield Finding(
            "forward against reverse mode",
            "FAILED",
            "{:.9g} and {:.9g}".format(*pair),
            "a custom derivative and its transpose disagree, or the scene uses a function that has"
            " only one of them; if it has none of its own, please report it",
        )
