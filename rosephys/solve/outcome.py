"""What has become of a descent, in words for people: it has arrived, is stuck, is on its way, or has jumped.

It is told from the losses of its iterates and from the gradient at the best of them. No loss says whether there
is a lower minimum elsewhere: where a descent ends above a hundredth of what it began with, it may be stuck. A
cost along the way is seldom zero at its least, and constraints have their price: there it arrives at a minimum.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from .constraints import Excess
from .line import control_sizes
from .trust import REACH, Verdict

if TYPE_CHECKING:
    from .problem import Arrays, Problem, Values

GAIN = 0.01  # of all that was gained: what has its last tenth gained more than, that is on its way
SMALL = (
    1e-3  # of the loss: what a gradient promises for a hundredth of the controls where it is small
)
LEFT = 0.01  # of the first loss, below which a descent has arrived
UP = 0.1  # of all that was gained: a loss that ends so much above its best has jumped

State = Literal[
    "arrived", "stuck", "not there yet", "jumped", "nothing to find", "constraints are not kept"
]
Option = Literal["starts", "iterations", "rate", "optimizer"]


@dataclass(frozen=True)
class Help:
    """What may help: an option of the command line, and its value."""

    option: Option
    value: str


ELSEWHERE = Help("starts", "8")


@dataclass(frozen=True)
class Outcome:
    """What a descent came to, and what may help where it failed."""

    state: State
    words: str
    help: Help | None = None

    @property
    def sentence(self) -> str:
        """Both."""
        return f"{self.state}: {self.words}"


def outcome(
    losses: Sequence[float],
    steepness: float,
    verdict: Verdict,
    optimizer: str,
    rate: float,
    costed: bool = False,
) -> Outcome | None:
    """What has become of a descent by an optimiser; None of one that made no update.

    `losses` are those before each update and after the last, `steepness` is that of the best iterate, `verdict`
    the one on its gradient. `costed` are losses whose minimum is seldom zero: with a cost along the way, or of
    an ensemble.
    """
    if verdict.reason in ("no controls", "flat"):
        return Outcome(
            "nothing to find", verdict.words, ELSEWHERE if verdict.reason == "flat" else None
        )
    if len(losses) < 2:
        return None
    first, best, last = losses[0], min(losses), losses[-1]
    gained = first - best
    before = min(losses[: -max(len(losses) // 10, 1)])
    left = f"the loss is {best:.3g}, of {first:.3g} at first"
    if 0 <= best <= LEFT * first:
        return Outcome("arrived", left)
    if last - best > UP * gained:
        words = f"the loss is {last:.3g} in the end, and was {best:.3g}: a step led up"
        return Outcome("jumped", words, Help("rate", f"{rate / 4:.3g}"))
    if before - best > GAIN * gained:
        more = Help("iterations", str(2 * (len(losses) - 1)))
        return Outcome("not there yet", f"{left}, and still falls", more)
    if verdict.reason == "kink":
        return Outcome("stuck", f"{left}, with a kink: {verdict.words}", ELSEWHERE)
    if REACH * steepness <= SMALL * max(abs(best), gained):
        small = f"{left}, and its gradient is small: a"
        if costed:
            return Outcome("arrived", f"{small} minimum, which is seldom zero here")
        words = f"{small} local minimum, and there may be lower ones"
        return Outcome("stuck", words, ELSEWHERE)
    words = f"{left}, and it does not fall any more, though its gradient is not small"
    return Outcome("stuck", words, Help("optimizer", "adam" if optimizer != "adam" else "lbfgs"))


def under_constraints(
    losses: Sequence[float], worst: Excess | None, optimizer: str
) -> Outcome | None:
    """What has become of a solve under constraints, of which `worst` is the one that is farthest off at the
    best iterate; None of one that made no update. Neither a small gradient nor a loss near zero says anything
    here."""
    if len(losses) < 2:
        return None
    if worst is not None and not worst.kept:
        other = "augmented-lagrangian" if optimizer != "augmented-lagrangian" else "slsqp"
        return Outcome("constraints are not kept", worst.words, Help("optimizer", other))
    if abs(losses[-1] - losses[-2]) > SMALL * abs(losses[-1]):
        more = Help("iterations", str(2 * (len(losses) - 1)))
        still = f"every constraint is kept, but the loss, {losses[-1]:.3g}, still changes"
        return Outcome("not there yet", still, more)
    settled = (
        f"every constraint is kept, and the loss does not change any more: it is {losses[-1]:.3g}"
    )
    return Outcome("arrived", settled)


def steepness(problem: Problem, values: Values, gradient: Arrays) -> float:
    """What the loss changes by, to first order, where the controls are moved by their size down the gradient,
    as far as their bounds let them."""
    square = 0.0
    for name, size in control_sizes(values, gradient).items():
        slope, at = np.asarray(gradient[name], float), np.asarray(values[name], float)
        low, high = problem.scene.fields[name].bounds or (-math.inf, math.inf)
        free = ~((at <= low) & (slope > 0) | (at >= high) & (slope < 0))
        square += float(np.sum((size * slope * free) ** 2))
    return math.sqrt(square)
