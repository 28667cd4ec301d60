"""Whether a gradient is that of its function: what is tried, and what each trial found.

Against central differences at several steps, along random directions and entry by entry; forward against
reverse mode; over a distance, where it may jump, turn or be chaotic; at places around, where another branch is
taken; twice, for the same bits; and how noisy the value is. Nothing is random but for the seed.

Source of the noise: Moré, Wild, *Estimating computational noise*, SIAM J. Sci. Comput. 33, 2011.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast

import numpy as np

from ..solve.guard import origin
from ..solve.line import Line, downhill
from ..solve.problem import Arrays
from ..solve.trust import ended, on_lines
from .differences import difference, gradients, modes
from .finding import Finding, Run
from .subject import Subject

ENTRIES = 64  # of the gradient that are tried one by one; of more, as many are drawn
PLACES = 24  # around, at which the gradient is tried too
LINES = 3  # beside that of steepest descent
SAMPLES, APART = 8, (1e-12, 1e-10, 1e-8, 1e-6)  # of the value, and how far apart, for its noise
NOISY = 1e-9  # of the value: beyond, it is more than rounding
NAMED = 6  # entries that are named at most
POINTS = 41  # of the picture


@dataclass(frozen=True)
class Certificate:
    """What was found of a function's gradient at a place."""

    subject: Subject
    loss: float
    gradient: Arrays
    findings: tuple[Finding, ...]
    picture: tuple[np.ndarray[Any, Any], np.ndarray[Any, Any], float]
    """Distances along the line of steepest descent, the values there, and the slope in the middle."""

    @property
    def right(self) -> bool:
        """Whether nothing failed."""
        return not any(f.verdict == "FAILED" for f in self.findings)


def certify(subject: Subject, seed: int = 0) -> Certificate:
    """Try a gradient. Raises what the function raises at its place; what it raises elsewhere is a finding."""
    run = Run(cast(Any, subject))
    with np.errstate(all="ignore"):
        loss, gradient = run.gradient
        found = tuple(_findings(run, subject, np.random.default_rng(seed)))
        return Certificate(subject, loss, gradient, found, _picture(run))


def _findings(run: Run, subject: Subject, rng: np.random.Generator) -> Iterator[Finding]:
    yield _twice(run)
    if not run.finite:
        yield from gradients(run)
        return
    compared = list(gradients(run))
    yield from compared
    yield _entries(run, rng)
    if any(f.verdict == "FAILED" for f in compared):
        yield from _guess(run, rng)
    if subject.forward is not None:
        yield from modes(run)
    yield _distance(run, subject)
    yield _around(run, rng)
    yield _noise(run, rng)


def _twice(run: Run) -> Finding:
    """Whether the same values give the same bits."""
    first, again = run.gradient, run.problem.value_and_gradient(run.values)
    same = _bits(first) == _bits(again)
    verdict = "two calls give the same bits" if same else "two calls differ"
    advice = (
        "" if same else "it keeps a state, or adds in an order of chance: nothing else is certain"
    )
    return Finding("determinism", "ok" if same else "FAILED", verdict, advice)


def _bits(of: tuple[float, Arrays]) -> list[bytes]:
    return [np.float64(of[0]).tobytes(), *(g.tobytes() for g in of[1].values())]


def _entries(run: Run, rng: np.random.Generator) -> Finding:
    """Each entry of the gradient against differences: which are wrong, and which are missed."""
    _, gradient = run.gradient
    every = [(n, i) for n, g in gradient.items() for i in np.ndindex(g.shape)]
    if len(every) > ENTRIES:
        every = [every[k] for k in np.sort(rng.choice(len(every), ENTRIES, replace=False))]
    missed: list[str] = []
    wrong: list[str] = []
    for name, index in every:
        axis = np.zeros(gradient[name].shape)
        axis[index] = run.sizes[name]
        if difference(run, {name: axis}).verdict == "FAILED":
            (wrong if gradient[name][index] else missed).append(name + _index(index))
    told = [_named("wrong", wrong)] if wrong else []
    told += [_named("zero, but what it depends on", missed)] if missed else []
    if told:
        return Finding("gradient, each entry", "FAILED", "; ".join(told), _ENTRY)
    return Finding("gradient, each entry", "ok", f"{len(every)} entries agree, or do not settle")


_ENTRY = (
    "a zero that should be none is a way that was cut: a value copied out of the trace, a stop_gradient, an"
    " integer, a variable that a loop overwrites; docs/loops.md has the kinds"
)


def _guess(run: Run, rng: np.random.Generator) -> Iterator[Finding]:
    """What all slopes are off by, if it is one factor."""
    ratios = []
    for _ in range(4):
        along = {n: np.asarray(rng.standard_normal(g.shape)) for n, g in run.gradient[1].items()}
        slope = float(sum(np.vdot(run.gradient[1][n], v) for n, v in along.items()))
        h = 1e-5
        central = (run.along(along, h) - run.along(along, -h)) / (2 * h)
        ratios.append(slope / central if central else math.nan)
    middle = float(np.median(ratios))
    if math.isfinite(middle) and np.ptp(ratios) <= 1e-3 * abs(middle):
        turned = abs(middle + 1) < 1e-3
        what = "has the wrong sign" if turned else f"is {middle:.4g} times what it should be"
        advice = (
            "a sign or a factor that all of it has in common: at the very end, or the beginning"
        )
        yield Finding("what is wrong", "FAILED", f"every slope {what}", advice)


def _distance(run: Run, subject: Subject) -> Finding:
    """Over a distance: whether the gradient explains what the value does."""
    found = ended(on_lines(cast(Any, run.problem), run.values, run.gradient, LINES))
    if found.trusted:
        told = f"{found.promised:.3g}, and the value changes by {found.change:.3g}"
        return Finding("gradient over a distance", "ok", told)
    sure = found.reason in ("disagreement", "not finite")
    words = found.words.replace("the controls", "the arguments")
    line = subject.blame() if subject.blame and found.reason in ("jump", "kink", "narrow") else ""
    return Finding(
        f"over a distance: {found.reason}",
        "FAILED" if sure else "note",
        words,
        line or _ADVICE.get(found.reason or "", ""),
    )


_ADVICE = {
    "jump": "the gradient is right where the function is smooth, and says nothing of the jump",
    "kink": "the gradient is that of one side",
    "narrow": "the gradient is right, and of use only as far",
    "chaos": "the gradient is right, and of no use: fewer steps, or a smoother question",
    "flat": "begin where the value depends on its arguments",
    "disagreement": "a rule that was given for a derivative, or a way that was cut",
}


def _around(run: Run, rng: np.random.Generator) -> Finding:
    """At places around: whether the gradient is a number wherever the value is, and agrees with differences."""
    lost, wrong, tried, first = 0, 0, 0, ""
    for _ in range(PLACES):
        place = {
            n: v + run.sizes[n] * rng.uniform(-2, 2, np.shape(v)) for n, v in run.values.items()
        }
        there = Run(run.problem)
        there.values = place
        try:
            loss, _ = there.gradient
        except Exception:  # it may not be made for such values
            continue
        if not math.isfinite(loss):
            continue
        tried += 1
        if not there.finite:
            bad = "is no number"
            lost += 1
        else:
            along = {n: rng.standard_normal(np.shape(v)) * run.sizes[n] for n, v in place.items()}
            if difference(there, along).verdict != "FAILED":
                continue
            bad, wrong = "is wrong", wrong + 1
        why = origin(there.problem, place)
        first = first or f"{bad} at {_place(place)}" + (f" ({why})" if why else "")
    if first:
        told = f"of {tried} places {lost + wrong} fail; the gradient {first}"
        return Finding("gradient at places around", "FAILED", told, _BRANCH)
    return Finding(
        "gradient at places around", "ok", f"{tried} of {PLACES} have a value, and agree"
    )


_BRANCH = (
    "a branch that is not taken there may be computed all the same: a root or a division of what it was to keep"
    " out; put what is safe into the root, too, or use a branch that runs one side"
)


def _noise(run: Run, rng: np.random.Generator) -> Finding:
    """How far the value is from smooth, by differences of differences of values that lie close together."""
    along = {n: rng.standard_normal(np.shape(v)) * run.sizes[n] for n, v in run.values.items()}
    for apart in APART:  # so far that they differ
        values = np.array([run.along(along, k * apart) for k in range(SAMPLES)])
        if np.count_nonzero(np.diff(values)) > SAMPLES // 2:
            break
    size = float(np.max(np.abs(values))) or 1.0
    levels = []
    rest = values
    for k in range(1, SAMPLES - 2):
        rest = np.diff(rest)
        gamma = math.factorial(k) ** 2 / math.factorial(2 * k)
        levels.append(math.sqrt(gamma * float(np.mean(rest**2))) / size)
    noise = float(np.median(levels[2:]))
    noisy = noise > NOISY
    told = f"{noise:.1g} of the value" + ("" if noisy else ", which is rounding")
    advice = (
        "the value is not computed to its last digits: single precision, or an iteration that ends early;"
        f" differences with a step below {math.sqrt(noise):.0e} of the arguments say nothing"
    )
    return Finding("noise", "note" if noisy else "ok", told, advice if noisy else "")


def _picture(run: Run) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any], float]:
    """The value along the line of steepest descent."""
    if not run.finite:
        return np.zeros(0), np.zeros(0), math.nan
    loss, gradient = run.gradient
    line = Line(run.problem, run.values, downhill(run.values, gradient), loss, gradient)
    at = np.linspace(-0.02, 0.02, POINTS)
    return at, np.array([line.point(float(t)).loss for t in at]), line.middle.slope


def _index(index: tuple[int, ...]) -> str:
    return f"[{', '.join(map(str, index))}]" if index else ""


def _named(what: str, entries: list[str]) -> str:
    more = f" and {len(entries) - NAMED} more" if len(entries) > NAMED else ""
    return f"{what}: {', '.join(entries[:NAMED])}{more}"


def _place(values: Arrays) -> str:
    numbers = {
        n: np.array2string(np.asarray(v), precision=4, threshold=4) for n, v in values.items()
    }
    return ", ".join(f"{n} = {number}" for n, number in numbers.items())
