"""Whether a gradient can be trusted: the one judge that `check`, the commands and the window ask.

The gradient is followed along the line of steepest descent, a hundredth of the controls' size either way, and
compared with what the loss does there (line.py). Five points are enough where the loss is smooth. Where the
gradient does not explain the loss, there are more, to say what happens (it jumps, its slope does, the motion is
chaotic) and how far the gradient holds: it may be exact, and hold within a distance that is of no use. No clock
is asked, so the same values have the same verdict, after MOST evaluations or fewer.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Literal

import numpy as np

from .guard import in_motion
from .line import (
    ROUNDING,
    UNEXPLAINED,
    Differentiable,
    Line,
    Point,
    downhill,
    drawn,
    explained,
    gap,
    narrowed,
    promise,
    refined,
    summed,
    turn,
)

if TYPE_CHECKING:
    from .problem import Arrays, Problem, Values

REACH = 0.01  # to either side, relative to the size of a control
PLACES = (-1.0, -0.382, 0.382, 1.0)  # in it, unevenly, so that no saw has its teeth there
HALVINGS = 8  # of the pieces that the gradient explains least
NARROWINGS = 10  # of the piece in which the loss, or its slope, may jump
SCALES = tuple(10.0**-k for k in range(3, 10))  # at which the gradient may hold
FAR = (0.03, 0.1, 0.3, 1.0)  # how far something is looked for where nothing is near
STEEP = 30.0  # times what the loss varies by that the gradient promises where the motion is chaotic
CURVED = 0.15  # of the steepest slope by which slopes differ from a parabola where one may jump
KINK = 0.5  # of the steepest slope that a jump of the slope is at least
LINES = 8  # further ones, of random directions, for a thorough verdict
MOST = len(PLACES) + HALVINGS + 2 * math.ceil(math.log2(len(SCALES))) + NARROWINGS

Reason = Literal[
    "limit", "no controls", "flat", "kink", "jump", "narrow", "chaos", "disagreement", "not finite"
]

TITLES: dict[Reason, str] = {
    "limit": "the model does not hold here",
    "no controls": "there is nothing to find",
    "flat": "the gradient is zero here",
    "kink": "the slope of the loss jumps near here",
    "jump": "the loss jumps near here",
    "narrow": "do not trust the gradient far from here",
    "chaos": "the gradient is of no use here",
    "disagreement": "the gradient is not that of the loss here",
    "not finite": "there is no gradient here",
}

ADVICE: dict[Reason, str] = {
    "limit": "what comes after means nothing",
    "no controls": "a field is one by control(…) in place of parameter(…)",
    "flat": "begin where something is touched (--set), or try many places (--starts 8)",
    "kink": "the gradient is that of one side, do not trust it across: a step there may lead up; what just"
    " misses, and what grazes, has such a side",
    "jump": "do not trust the gradient across it; what grazes does that, and contact whose instant is not part"
    " of the motion (docs/contact.md)",
    "narrow": "what grazes does that, for a little to the side it misses, contact whose instant is not part of"
    " the motion (docs/contact.md), and what is hit again and again: try another place (--set), many of them"
    " (--starts 8), or fewer steps",
    "chaos": "try fewer steps",
    "disagreement": "a derivative that was given, or contact whose instant is not part of the motion, does that"
    " (docs/contact.md)",
    "not finite": "`gradient` names the line where a NaN begins",
}


@dataclass(frozen=True)
class Verdict:
    """Why the gradient cannot be trusted, in words for people; no reason if it can."""

    reason: Reason | None = None
    words: str = ""
    within: float = math.nan  # how far it holds, relative to the controls' size; 0 if nowhere
    promised: float = math.nan  # the gradient, summed along the side of the line it explains less
    change: float = math.nan  # of the loss, from one end of that side to the other

    @property
    def trusted(self) -> bool:
        """Whether the gradient can be trusted."""
        return self.reason is None

    @property
    def title(self) -> str:
        """The reason in a few words."""
        return TITLES[self.reason] if self.reason else ""

    @property
    def advice(self) -> str:
        """What to think of, or to try."""
        return ADVICE[self.reason] if self.reason else ""

    @property
    def sentence(self) -> str:
        """All of it, as everybody who asks is told."""
        return f"{self.title}: {self.words}; {self.advice}" if self.reason else ""


Steps = Generator[None, None, Verdict]


def judge(
    problem: Problem,
    values: Values,
    told: Callable[[int], object] = lambda done: None,
    *,
    known: tuple[float, Arrays] | None = None,
    thorough: bool = False,
) -> Verdict:
    """The verdict on the gradient at these values, of which `known` is the loss and the gradient, if it is.

    `told` is given the number of evaluations so far: MOST in the end, or fewer. A thorough verdict is one on
    LINES more lines than that of steepest descent, each of which takes as many. Raises what the scene raises.
    """
    return ended(judged(problem, values, known=known, thorough=thorough), told)


def ended(question: Steps, told: Callable[[int], object] = lambda done: None) -> Verdict:
    """The verdict that a question comes to."""
    done = 0
    try:
        while True:
            next(question)
            done += 1
            told(done)
    except StopIteration as end:
        verdict: Verdict = end.value
        return verdict


def judged(
    problem: Problem,
    values: Values,
    *,
    known: tuple[float, Arrays] | None = None,
    thorough: bool = False,
) -> Steps:
    """What `judge` gives; yields after each evaluation of the gradient."""
    values = problem.complete(values)
    breach = in_motion(problem, values)
    if breach is not None:
        return Verdict("limit", breach.words)
    loss, gradient = known or problem.value_and_gradient(values)
    if not gradient:
        return Verdict("no controls", "the scene has no controls, and so no gradient")
    if not math.isfinite(loss) or not all(np.isfinite(g).all() for g in gradient.values()):
        return Verdict("not finite", "the loss or its gradient is not a finite number")
    return (yield from on_lines(problem, values, (loss, gradient), LINES if thorough else 0))


def on_lines(
    function: Differentiable, values: Values, known: tuple[float, Arrays], more: int
) -> Steps:
    """The verdict on a loss and a gradient, which are finite, along the line of steepest descent and `more`
    others of random directions; the first that is no good is the last."""
    loss, gradient = known
    directions = [downhill(values, gradient), *(drawn(gradient, 1 + k) for k in range(more))]
    verdicts = []
    for direction in directions:
        line = Line(function, values, direction, loss, gradient)
        verdicts.append((yield from _on(line)))
        if not verdicts[-1].trusted:
            return verdicts[-1]
    return verdicts[0]


def _on(line: Line) -> Steps:
    """The verdict on the gradient along a line."""
    points = [line.middle]
    for place in PLACES:
        points.append(line.point(place * REACH))
        yield
    points.sort(key=lambda point: point.at)
    if not all(point.finite for point in points):
        words = f"within {_share(REACH)} of the controls the loss or its gradient is not a finite number"
        return Verdict("not finite", words, 0.0)
    if all(point.slope == 0.0 and point.loss == line.middle.loss for point in points):
        return (yield from _flat(line))
    points = yield from refined(line, points, HALVINGS)
    if not explained(points):
        return (yield from _unexplained(line, points))
    sums = _sums(line, points)
    kink = yield from _kink(line, points)
    if kink is None:
        return Verdict(None, "", REACH, *sums)
    before, after = kink
    near = min(abs(before.at), abs(after.at))
    words = (
        f"the slope of the loss jumps from {before.slope:.3g} to {after.slope:.3g} where the controls"
        f" are changed by {_share(near)}"
    )
    return Verdict("kink", words, near, *sums)


def _flat(line: Line) -> Steps:
    """The verdict where the loss is the same all along a line, and its slope zero."""
    same = (
        f"the loss stays {line.middle.loss:.4g} while the controls are changed by {_share(REACH)}: nothing that"
        " they move reaches what it measures"
    )
    for far in FAR:
        for at in (-far, far):
            try:
                there = line.point(at, bounded=True)
            except IndexError:  # the model has no room for it
                continue
            yield
            if there.loss != line.middle.loss:
                words = f"{same}; changed by {_share(far)} they do, and it is {there.loss:.4g}"
                return Verdict("flat", words, far, 0.0, 0.0)
    return Verdict(
        "flat", f"{same}, nor where they are changed by up to {_share(FAR[-1])}", 1.0, 0.0, 0.0
    )


def _kink(line: Line, points: list[Point]) -> Generator[None, None, tuple[Point, Point] | None]:
    """The two sides of a jump of the slope, if there is one of any size."""
    slopes = np.array([point.slope for point in points])
    steepest = float(np.max(np.abs(slopes)))
    if not steepest:
        return None
    at = np.array([point.at for point in points]) / REACH
    apart = slopes / steepest - np.polyval(np.polyfit(at, slopes / steepest, 2), at)
    if np.max(np.abs(apart)) < CURVED:
        return None
    worst = max(pairwise(points), key=lambda piece: abs(turn(*piece)))
    found = yield from narrowed(line, *worst, turn, NARROWINGS)
    return found if found and abs(turn(*found)) > KINK * steepest else None


def _unexplained(line: Line, points: list[Point]) -> Steps:
    """The verdict where the gradient does not explain what the loss does on a line."""
    sums = _sums(line, points)
    within, beyond = yield from _within(line, points)
    if words := _chaos(points):
        held = f"; it holds within {_share(within)}" if within else ""
        return Verdict("chaos", words + held, within, *sums)
    worst = max(pairwise(points), key=lambda piece: abs(gap(*piece)))
    jump = yield from narrowed(line, *worst, gap, NARROWINGS)
    jumps = _jump(*jump) if jump else ""
    sides = [(points[0], points[-1]), beyond]
    roughly = all(_error(line, p) <= 0.5 for pair in sides for p in pair)
    alone = jump and abs(gap(*jump)) >= 0.9 * sum(abs(gap(*piece)) for piece in pairwise(points))
    if jump and (not within or roughly or alone):
        return Verdict("jump", f"{jumps}; the gradient knows one side only", within, *sums)
    if within:
        worse = max(sides, key=lambda pair: max(_error(line, p) for p in pair))
        slopes = " and ".join(f"{_difference(line.middle, p):.3g}" for p in worse)
        words = (
            f"the slope, {line.middle.slope:.3g} for {_share(1.0)} of the controls, is right, and holds while"
            f" they are changed by {_share(within)}; at {_share(worse[1].at)} differences are {slopes}, one to"
            " either side"
        )
        return Verdict("narrow", words + (f"; {jumps}" if jump else ""), within, *sums)
    if edge := _edge(line, beyond):
        return Verdict("jump", edge, 0.0, *sums)
    words = (
        f"over {_share(REACH)} of the controls the gradient promises that the loss changes by"
        f" {sums[0]:.2g}, and it changes by {sums[1]:.2g}; nor do they agree at any smaller distance"
    )
    return Verdict("disagreement", words, 0.0, *sums)


def _sums(line: Line, points: list[Point]) -> tuple[float, float]:
    """The gradient summed, and the change of the loss, along the side of the middle on which they differ more:
    from end to end both would cancel at a minimum."""
    before = [point for point in points if point.at <= line.middle.at]
    after = [point for point in points if point.at >= line.middle.at]
    both = [(summed(side), side[-1].loss - side[0].loss) for side in (after, before)]
    return max(both, key=lambda pair: abs(pair[0] - pair[1]))


def _within(
    line: Line, points: list[Point]
) -> Generator[None, None, tuple[float, tuple[Point, Point]]]:
    """The largest distance of those in SCALES at which the gradient in the middle holds, 0 for none, and the
    points to either side at the next larger one, where it does not.

    By bisection, for where it holds, it does so nearer. Too near, rounding hides what the loss does.
    """
    middle = line.middle
    steepest = max(abs(middle.slope), *(abs(_difference(middle, p)) for p in points if p.at))
    seen = [h for h in SCALES if UNEXPLAINED * h * steepest > ROUNDING * abs(middle.loss)]
    low, high = 0, len(seen)  # those before `low` fail, that at `high` holds
    beyond = points[0], points[-1]
    while low < high:
        at = (low + high) // 2
        before = line.point(-seen[at])
        yield
        after = line.point(seen[at])
        yield
        if before.finite and after.finite and explained([before, middle, after]):
            high = at
        else:
            low, beyond = at + 1, (before, after)
    return (seen[high] if high < len(seen) else 0.0), beyond


def _jump(a: Point, b: Point) -> str:
    """The words for a jump of the loss between two points."""
    near, far = sorted((a, b), key=lambda point: abs(point.at))
    return (
        f"the loss jumps from {near.loss:.3g} to {far.loss:.3g} where the controls are changed by"
        f" {_share(abs(far.at))}"
    )


def _edge(line: Line, near: tuple[Point, Point]) -> str:
    """The words where the gradient is right to one side of where it is, and the loss jumps to the other."""
    right, wrong = sorted(near, key=lambda point: _error(line, point))
    if abs(wrong.at) > SCALES[0] or _error(line, right) > 0.1 or _error(line, wrong) < STEEP:
        return ""
    return (
        f"{_jump(line.middle, wrong)}, and not to the other side; the gradient knows that one only"
    )


def _error(line: Line, point: Point) -> float:
    """How far the difference to a point is from the slope in the middle, relative to that."""
    slope = line.middle.slope
    return abs(_difference(line.middle, point) - slope) / max(abs(slope), 1e-300)


def _chaos(points: list[Point]) -> str:
    """The words for a motion that is chaotic, whose slopes are large and of every sign; none if it is not."""
    varies = float(np.ptp([point.loss for point in points]))
    promised = sum(promise(*piece) for piece in pairwise(points))
    if promised <= STEEP * varies:
        return ""
    slopes = np.array([point.slope for point in points])
    slopes /= np.max(np.abs(slopes))  # so that squares do not overflow
    if np.std(slopes) <= 0.5 * np.mean(np.abs(slopes)):
        return ""
    return (
        f"the motion is chaotic: over {_share(2 * REACH)} of the controls the gradient promises"
        f" changes of the loss of {promised:.2g}, and it varies by {varies:.2g}"
    )


def _difference(a: Point, b: Point) -> float:
    """The difference of the loss over that of the places."""
    return (b.loss - a.loss) / (b.at - a.at)


def _share(distance: float) -> str:
    """A distance, in words."""
    return f"{100 * distance:.0f} %" if distance >= 0.1 else f"{100 * distance:.2g} %"
